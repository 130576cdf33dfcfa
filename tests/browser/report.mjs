// SPDX-License-Identifier: MIT
// A report opened from disk, as a reader would: usage: node report.mjs FILE.html
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { check, finish, launch, open, shots } from "./chromium.mjs";

const url = pathToFileURL(process.argv[2]).href;
const browser = await launch();

async function look(name, options) {
  const { page, complaints, close } = await open(browser, url, options);
  const text = (selector) => page.locator(selector).first().innerText();
  check(`${name}: the sentence is there`, (await text("#sentence")).length > 20);
  const rows = await page.locator("#table-body tr").count();
  check(`${name}: the table has a row a source`, rows >= 2, `${rows}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(`${name}: nothing sticks out sideways`, wide <= 0, `${wide} px`);
  for (const id of ["series", "ecdf", "histogram", "differences"]) {
    const labels = await page.locator(`#${id} .dygraph-axis-label-x`).allInnerTexts();
    // The logarithmic scale has lines without a label between those with one.
    const values = (await page.locator(`#${id} .dygraph-axis-label-y`).allInnerTexts()).filter((v) => v.trim() !== "");
    check(`${name}: ${id} has labelled axes`, labels.length >= 2 && values.length >= 2, `${labels} | ${values}`);
    check(`${name}: ${id} repeats no label`, new Set(values).size === values.length, values.join(" "));
    const ink = await page.locator(`#${id} canvas`).first().evaluate((c) => {
      const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
      let n = 0;
      for (let i = 3; i < d.length; i += 4) n += d[i] > 0;
      return n;
    });
    check(`${name}: ${id} is drawn`, ink > 1000, `${ink} pixels`);
    check(`${name}: ${id} tells its figures to a screen reader`, (await page.locator(`#${id}`).getAttribute("aria-label")).includes("median"));
  }
  const units = (await page.locator("#series .dygraph-axis-label-y").allInnerTexts()).filter((v) => v.trim() !== "");
  check(`${name}: the axis has units`, units.every((u) => /^0$| (ns|us|ms|s|min)$/.test(u)), units.join(" | "));
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  check(`${name}: no complaint, no request to any host`, complaints.length === 0, complaints.join("; "));
  await close();
}

await look("report-desktop-light", {});
await look("report-desktop-dark", { scheme: "dark" });
await look("report-phone-light", { width: 390, height: 844, touch: true });
await look("report-phone-dark", { width: 390, height: 844, scheme: "dark", touch: true });

{ // what a reader does with it
  const { page, complaints, close } = await open(browser, url);
  const box = await page.locator("#series").boundingBox();
  const range = () => page.evaluate(() => document.querySelector("#series .dygraph-axis-label-x")?.innerText);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  check("hover shows the probe", /probe [0-9a-f]{32}/.test(await page.locator("#series-legend").innerText()));
  await page.screenshot({ path: join(shots, "report-hover.png"), clip: { x: 0, y: 0, width: 1280, height: 760 } });
  const before = await range();
  await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  const zoomed = await range();
  check("a drag zooms", before !== zoomed, `${before} and ${zoomed}`);
  await page.locator("#all").click();
  check("'Show all' goes back", (await range()) === before);
  await page.locator("#series").focus();
  await page.keyboard.press("+");
  check("the + key zooms", (await range()) !== before);
  await page.keyboard.press("0");
  check("the 0 key goes back", (await range()) === before);
  const pixels = () => page.locator("#series canvas").first().evaluate((c) => c.toDataURL().length);
  const both = await pixels();
  await page.locator("input[data-source='0']").uncheck();
  check("a source can be put away", (await pixels()) !== both);
  await page.locator("input[data-source='0']").check();
  const labels = () => page.locator("#series .dygraph-axis-label-y").allInnerTexts();
  const logarithmic = (await labels()).join();
  await page.locator("#log").uncheck();
  check("the scale can be made linear", (await labels()).join() !== logarithmic);
  check("no complaint while it is used", complaints.length === 0, complaints.join("; "));
  await close();
}

{ // with two fingers and with one, on a phone
  const { page, complaints, close } = await open(browser, url, { width: 390, height: 844, touch: true });
  await page.locator("#series").scrollIntoViewIfNeeded();
  const box = await page.locator("#series").boundingBox();
  const fingers = await page.context().newCDPSession(page);
  const labels = async () => (await page.locator("#series .dygraph-axis-label-x").allInnerTexts()).join(" ");
  const y = box.y + box.height / 2;
  const touch = (type, ...at) => fingers.send("Input.dispatchTouchEvent",
    { type, touchPoints: at.map((part, id) => ({ id, x: box.x + box.width * part, y })) });
  const before = await labels();
  await touch("touchStart", 0.45, 0.6);
  for (let i = 1; i <= 5; i++) await touch("touchMove", 0.45 - 0.04 * i, 0.6 + 0.04 * i);
  await touch("touchEnd");
  const zoomed = await labels();
  check("two fingers zoom", zoomed !== before, `${before} and ${zoomed}`);
  await touch("touchStart", 0.7);
  for (let i = 1; i <= 5; i++) await touch("touchMove", 0.7 - 0.08 * i);
  await touch("touchEnd");
  const panned = await labels();
  check("one finger pans", panned !== zoomed, `${zoomed} and ${panned}`);
  await page.screenshot({ path: join(shots, "report-touched.png") });
  check("no complaint while it is touched", complaints.length === 0, complaints.join("; "));
  await close();
}

{ // without a script
  const { page, close } = await open(browser, url, { script: false });
  check("without JavaScript: the sentence", await page.locator("#sentence").isVisible());
  check("without JavaScript: the table", await page.locator("#table-body tr").first().isVisible());
  check("without JavaScript: no dead controls", !(await page.locator("#controls").isVisible()));
  await page.screenshot({ path: join(shots, "report-no-script.png") });
  await close();
}
await browser.close();
finish();
