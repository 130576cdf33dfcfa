// SPDX-License-Identifier: MIT
// How the page writes figures. Run by tests/integration/test_page_js.sh with TZ=UTC.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../../libpsprobe/report/page/format.js";

test("durations have three digits and a unit", () => {
  const cases = [[0, "0 ns"], [7, "7 ns"], [999, "999 ns"], [1000, "1.00 us"], [6234000, "6.23 ms"], [-6234000, "-6.23 ms"],
    [49800000, "49.8 ms"], [411000000, "411 ms"], [999600000, "1.00 s"], [31e9, "31.0 s"], [3600e9, "60.0 min"]];
  for (const [ns, words] of cases) assert.equal(format.duration(ns), words);
  for (const none of [null, undefined, NaN, Infinity]) assert.equal(format.duration(none), "–");
  assert.equal(format.milliseconds(1.5), "1.50 ms");
  assert.equal(format.milliseconds(null), "–");
});

test("axis labels are short and have their unit", () => {
  const cases = [[0, "0"], [0.5, "500 us"], [1, "1 ms"], [-50, "-50 ms"], [1000, "1 s"], [2500, "2.5 s"], [100e3, "100 s"], [120e3, "2 min"], [3600e3, "60 min"]];
  for (const [ms, words] of cases) assert.equal(format.axis(ms), words);
});

test("counts at an axis are whole", () => {
  assert.deepEqual([0, 0.2, 0.5, 1, 1.2000000000000002, 1500].map(format.wholes), ["0", "", "", "1", "", "1,500"]);
});

test("a share is never all or none of what is not", () => {
  const cases = [[0, "0 %"], [0.001, "0.1 %"], [0.5, "50 %"], [0.994, "99.4 %"], [0.999, "99.9 %"], [0.9999, "99.99 %"], [0.99999, "99.999 %"], [0.99995, "99.995 %"], [1, "100 %"]];
  for (const [share, words] of cases) assert.equal(format.percent(share), words);
});

test("moments, and labels that tell ticks of an axis apart", () => {
  const at = Date.UTC(2026, 10, 24, 22, 10, 5, 400);
  assert.equal(format.moment(at), "2026-11-24 22:10:05");
  const cases = [[2e3, "22:10:05.4"], [60e3, "22:10:05"], [7200e3, "22:10"], [3 * 86400e3, "24 Nov 22:10"], [30 * 86400e3, "24 Nov"]];
  for (const [width, words] of cases) assert.equal(format.timeLabel(at, width), words);
  assert.equal(format.timeLabel(Date.UTC(2026, 10, 24), 3 * 86400e3), "24 Nov");
  assert.equal(format.daysAndZone(at, at), "2026-11-24 (time in UTC)");
  assert.equal(format.daysAndZone(at, at + 86400e3), "2026-11-24 to 2026-11-25 (time in UTC)");
});

test("ticks of a logarithmic axis are round", () => {
  const round = (all) => all.map((v) => Number(v.toPrecision(3)));
  assert.deepEqual(round(format.steps(33, 410)), [50, 100, 200]);
  assert.deepEqual(round(format.steps(0.3, 9)), [0.5, 1, 2, 5]);
  assert.deepEqual(round(format.steps(0.5, 20000)), [1, 10, 100, 1000, 10000]);
});

test("a number and its unit stay together", () => {
  assert.equal(format.together("by 6.6 ms, 95 % of 3 probes"), "by 6.6\u00a0ms, 95\u00a0% of 3 probes");
});
