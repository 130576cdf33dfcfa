// SPDX-License-Identifier: MIT
// Pages of odd results: usage: node odd.mjs FILE.html... Each draws what there is, complains of nothing
// and shows names as text.
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { check, finish, launch, open, shots } from "./chromium.mjs";

const browser = await launch();
for (const file of process.argv.slice(2)) {
  const name = basename(file, ".html");
  const { page, complaints, close } = await open(browser, pathToFileURL(file).href, { width: 390, height: 844, touch: true });
  const words = await page.locator("body").innerText();
  check(`${name}: the sentence is there`, (await page.locator("#sentence").innerText()).length > 20);
  check(`${name}: no NaN`, !/\bNaN\b|Infinity|undefined|\bnull\b/.test(words), /.*(NaN|Infinity|undefined|null).*/.exec(words)?.[0]);
  check(`${name}: a name is no markup`, (await page.locator("img").count()) === 0);
  for (const id of ["series", "ecdf", "histogram"]) // wherever something was answered
    if (/p50/.test(words) && (await page.locator(`#${id} canvas`).count()) > 0)
      check(`${name}: ${id} has labels`, (await page.locator(`#${id} .dygraph-axis-label-y`).count()) > 0);
  check(`${name}: nothing sticks out sideways`, (await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)) <= 0);
  await page.screenshot({ path: join(shots, `odd-${name}.png`), fullPage: true });
  await page.locator("#log").click();
  check(`${name}: no complaint`, complaints.length === 0, complaints.join("; "));
  await close();
}
await browser.close();
finish();
