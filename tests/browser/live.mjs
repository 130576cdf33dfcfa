// SPDX-License-Identifier: MIT
// The live page during a run: usage: node live.mjs PORT -- COMMAND..., where the command starts a
// prober whose page is at that port, and is started anew half way.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { check, finish, launch, open, shots } from "./chromium.mjs";

const port = process.argv[2];
const command = process.argv.slice(4);
const url = `http://127.0.0.1:${port}/`;

/** Starts the prober and waits until its page is there. */
async function start() {
  const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => { child.on("exit", resolve); });
  await new Promise((resolve, reject) => {
    child.stdout.on("data", (text) => { if (String(text).includes("live page")) resolve(); });
    ended.then((status) => reject(new Error(`the prober ended with ${status}`)));
  });
  return { stop: async () => { child.kill("SIGTERM"); child.kill("SIGTERM"); await ended; } };
}

let prober = await start();
const browser = await launch();
const { page, complaints, close } = await open(browser, url, { own: [url] });
const sent = () => page.locator("#table-body tr td").first().innerText().then(Number);
const drawn = () => page.evaluate(() => JSON.parse(document.getElementById("data").textContent).probes.id.length);
const before = await sent();
await page.waitForFunction((n) => Number(document.querySelector("#table-body tr td")?.innerText) >= n + 60, before, { timeout: 20000 });
check("the table follows the run", (await sent()) >= before + 60);
check("the page says that it is live", (await page.locator("#live").getAttribute("data-state")) === "on");
check("the page began with what was there", (await drawn()) >= 0);
await page.screenshot({ path: join(shots, "live.png"), fullPage: true });
check("no complaint while it runs", complaints.length === 0, complaints.join("; "));

complaints.length = 0;
await prober.stop();
await page.waitForFunction(() => document.getElementById("live").dataset.state === "lost", null, { timeout: 20000 });
check("a prober that is gone is told", true);
prober = await start();
await page.waitForFunction(() => document.getElementById("live").dataset.state === "on", null, { timeout: 30000 });
const fresh = await sent();
await page.waitForFunction((n) => Number(document.querySelector("#table-body tr td")?.innerText) > n, fresh, { timeout: 20000 });
check("the page comes back by itself and counts the new run", true);
// What the browser itself says of a connection that failed is no fault of the page.
const own = complaints.filter((c) => !/ERR_|Failed to load resource|net::/.test(c));
check("no complaint of its own", own.length === 0, own.join("; "));

const answers = {};
for (const path of ["api/summary", "api/probes?since=0", "metrics", "health/live", "health/ready"]) {
  const answer = await page.request.get(url + path);
  answers[path] = await answer.text();
  check(`${path} answers`, answer.ok(), `${answer.status()}`);
}
check("summary is JSON with a sentence", JSON.parse(answers["api/summary"]).sentence.length > 10);
check("probes are columns of equal length", (({ id, sent_ms: at, sources }) =>
  id.length === at.length && sources.every((s) => s.elapsed_ns.length === id.length))(JSON.parse(answers["api/probes?since=0"])));
check("metrics count the probes", /^psprobe_sent_total [1-9]/m.test(answers.metrics));
await close();
await browser.close();
await prober.stop();
finish();
