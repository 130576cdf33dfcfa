// SPDX-License-Identifier: MIT
// How long a report takes to open, in ms, from the navigation's start until all is drawn: usage:
// node opened.mjs REPORT.html. Median of five.
import { pathToFileURL } from "node:url";
import { launch, open } from "./chromium.mjs";

const url = pathToFileURL(process.argv[2]).href;
const browser = await launch();
const took = [];
for (let i = 0; i < 5; i++) {
  const { page, close } = await open(browser, url);
  // Modules run, and so the plots are drawn, before the load event.
  const ended = await page.waitForFunction(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
  took.push(await ended.jsonValue());
  await close();
}
await browser.close();
console.log(took.sort((a, b) => a - b)[2].toFixed(0));
