// SPDX-License-Identifier: MIT
// The pictures of the README and of docs/first-graph.md: usage: node shoot.mjs REPORT.html OUT.png [HEIGHT [WIDTH]]
// Without a height: the whole page.
import { pathToFileURL } from "node:url";
import { launch, open } from "./chromium.mjs";

const [file, out, height, width] = process.argv.slice(2);
const browser = await launch();
const { page } = await open(browser, pathToFileURL(file).href, { width: Number(width ?? 1280), height: Number(height ?? 900) });
await page.screenshot({ path: out, fullPage: height === undefined });
await browser.close();
