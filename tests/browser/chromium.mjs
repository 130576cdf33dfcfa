// SPDX-License-Identifier: MIT
// Debian's Chromium through playwright-core, with everything that calls home switched off.
import { createRequire } from "node:module";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const modules = process.env.PSPROBE_NODE_MODULES ?? join(import.meta.dirname, "node_modules");
const { chromium } = createRequire(join(modules, "x"))("playwright-core");
export const shots = process.env.PSPROBE_SHOTS ?? "build/shots";
mkdirSync(shots, { recursive: true });

export async function launch() {
  return chromium.launch({
    executablePath: process.env.PSPROBE_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** A page that keeps what it complains of and whom it asks; `own` are the addresses it may ask. */
export async function open(browser, url, { width = 1280, height = 900, scheme = "light", script = true, own = [], touch = false } = {}) {
  const context = await browser.newContext({
    viewport: { width, height }, colorScheme: scheme, javaScriptEnabled: script, hasTouch: touch, isMobile: touch,
  });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (m) => { if (["error", "warning"].includes(m.type())) complaints.push(`console: ${m.text()}`); });
  page.on("pageerror", (e) => complaints.push(`error: ${e.message}`));
  page.on("request", (r) => {
    if (!/^(file|data|blob):/.test(r.url()) && !own.some((o) => r.url().startsWith(o))) complaints.push(`request: ${r.url()}`);
  });
  await page.goto(url);
  if (script) await page.waitForFunction(() => document.documentElement.dataset.ready === "1");
  return { page, complaints, close: () => context.close() };
}

let failed = 0;
let passed = 0;
export function check(what, holds, detail = "") {
  if (holds) passed++;
  else { failed++; console.log(`not ok: ${what}${detail ? `: ${detail}` : ""}`); }
}

export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
