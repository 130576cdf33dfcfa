// SPDX-License-Identifier: MIT
// The live page through a proxy with its defaults: usage: node proxy.mjs PORT PAGE_PORT -- COMMAND...,
// where PORT is the proxy's and the command starts a prober whose page is at PAGE_PORT. In seven tabs,
// with an answer that never comes, with 502 and 503 in between and with another prober afterwards,
// the figures move again within 15 s, and the label never says live while they stand.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { check, finish, launch } from "./chromium.mjs";

const [port, pagePort] = process.argv.slice(2, 4).map(Number);
const command = process.argv.slice(5);
const url = `http://127.0.0.1:${port}/`;
const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function start() {
  const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => { child.on("exit", resolve); });
  await new Promise((resolve, reject) => {
    child.stdout.on("data", (text) => { if (String(text).includes("live page")) resolve(); });
    ended.then((status) => reject(new Error(`the prober ended with ${status}`)));
  });
  return { stop: async () => { child.kill("SIGTERM"); child.kill("SIGTERM"); await ended; } };
}

const sent = (page) => page.locator("#table-body tr td").first().innerText().then(Number);
const state = (page) => page.locator("#live").getAttribute("data-state");

/** Looks each second whether the figures move; false: not within 15 s. */
async function moves(page) {
  const before = await sent(page);
  for (let i = 0; i < 15; i++) {
    await wait(1000);
    if ((await sent(page)) !== before && (await state(page)) === "on") return true;
  }
  return false;
}

let prober = await start();
const browser = await launch();
const context = await browser.newContext();
const tabs = [];
for (let i = 0; i < 7; i++) {
  tabs.push(await context.newPage());
  await tabs[i].goto(url, { timeout: 15000 });
}
const moved = await Promise.all(tabs.map(moves));
check("figures move in each of seven tabs", moved.every(Boolean), moved.join());
for (const tab of tabs.slice(1)) await tab.close();
const [page] = tabs;

let asked = 0;
await page.route("**/api/probes*", (route) => { asked++; if (asked !== 1) route.continue(); });
await page.waitForTimeout(1500);
check("figures move after an answer that never came", await moves(page));

await prober.stop();
await wait(14000);
check("a page behind a 502 does not say live", (await state(page)) === "lost", await state(page));
const busy = createServer((_request, answer) => { answer.writeHead(503); answer.end(); }).listen(pagePort, "127.0.0.1");
await wait(8000);
check("nor behind a 503", (await state(page)) === "lost", await state(page));
busy.closeAllConnections();
await new Promise((resolve) => { busy.close(resolve); });
prober = await start();
check("figures move again with another prober", await moves(page));
await browser.close();
await prober.stop();
finish();
