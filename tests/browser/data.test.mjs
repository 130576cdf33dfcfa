// SPDX-License-Identifier: MIT
// What the page derives from its data, without a browser. Run by tests/integration/test_page_js.sh.
import assert from "node:assert/strict";
import { test } from "node:test";
import { append, bent, differenceRows, ecdfRows, fromNines, histogramRows, mark, nines, seriesRows, sortBySent } from "../../libpsprobe/report/page/data.js";

/** Probes of two sources with these ids; sent at ten times the number, answered after it in ms. */
function probes(...numbers) {
  const source = (name, more) => ({
    name, elapsed_ns: numbers.map((n) => (n + more) * 1e6), status: numbers.map(() => 1), cold: numbers.map(() => 0),
  });
  return { total: numbers.length, reset: false, id: numbers.map((n) => `id${n}`), sent_ms: numbers.map((n) => n * 10),
    sources: [source("a", 0), source("b", 1)] };
}

const columns = (p) => [p.id, p.sent_ms, ...p.sources.flatMap((s) => [s.elapsed_ns, s.status, s.cold])];
const even = (p) => columns(p).every((c) => c.length === p.id.length);

/** A page's data, of these probes. */
const page = (p) => ({ probes: p, gaps_ms: [], bend: { center_ns: 0, unit_ns: 0 },
  differences: { of: p.id.length, id: [...p.id], sent_ms: [...p.sent_ms], ns: p.id.map((_, i) => p.sources[0].elapsed_ns[i] - p.sources[1].elapsed_ns[i]) } });

test("rows of a time series are in ms, with a gap where nothing came", () => {
  const data = page(probes(1, 2));
  data.probes.sources[1].elapsed_ns[0] = null;
  assert.deepEqual(seriesRows(data), { rows: [[new Date(10), 1, null], [new Date(20), 2, 3]], probe: [0, 1] });
});

test("a pause parts the curve", () => {
  const data = page(probes(1, 2, 9));
  data.gaps_ms = [[20, 90]];
  const { rows, probe } = seriesRows(data);
  assert.deepEqual(probe, [0, 1, -1, 2]);
  assert.deepEqual(rows[2], [new Date(55), NaN, NaN]);
});

test("differences stand on their scale", () => {
  const data = page(probes(1, 2));
  assert.deepEqual(differenceRows(data), [[new Date(10), -1], [new Date(20), -1]]);
  const bend = { center_ns: 1e6, unit_ns: 2e6 };
  assert.equal(bent(bend, 1e6), 0);
  assert.ok(Math.abs(bent(bend, 1.2e6) - 0.1) < 1e-3);
  assert.ok(bent(bend, 9e9) < 10);
});

test("nines and back", () => {
  assert.equal(nines(0), -0);
  assert.ok(Math.abs(nines(0.99) - 2) < 1e-12);
  for (const p of [0, 0.5, 0.9, 0.999]) assert.ok(Math.abs(fromNines(nines(p)) - p) < 1e-12);
});

test("rows of the ECDF and the histogram", () => {
  assert.deepEqual(ecdfRows({ ecdf: { p: [0, 0.9], sources: [[1e6, 2e6], [null, null]] } }).map((r) => r.slice(1)),
    [[1, null], [2, null]]);
  const rows = histogramRows({ histogram: { edges_ns: [1e6, 4e6, 16e6], sources: [[3, 0], [1, 2]] } });
  assert.deepEqual(rows.map((r) => r.slice(1)), [[3, 1], [0, 2], [0, 0]]);
  assert.deepEqual(rows.map((r) => r[0]), [1, 4, 16].map(Math.log10));
});

test("newer probes go behind, those that are here already are replaced", () => {
  const data = page(probes(1, 2, 3));
  const more = probes(2, 4);
  more.total = 4;
  more.sources[0].status[0] = 2;
  more.sources[0].elapsed_ns[0] = 99e6;
  append(data, more, 100);
  assert.deepEqual(data.probes.id, ["id1", "id2", "id3", "id4"]);
  assert.equal(data.probes.total, 4);
  assert.deepEqual(data.probes.sources[0].elapsed_ns, [1e6, 99e6, 3e6, 4e6]);
  assert.deepEqual(data.probes.sources[0].status, [1, 2, 1, 1]);
  assert.ok(even(data.probes));
});

test("probes that ended out of order are drawn in the order sent", () => {
  const data = page(probes(1, 4));
  append(data, probes(3, 2), 100);
  assert.deepEqual(data.probes.id, ["id1", "id2", "id3", "id4"]);
  assert.deepEqual(data.probes.sources[1].elapsed_ns, [2e6, 3e6, 4e6, 5e6]);
  assert.ok(even(data.probes));
  const empty = probes();
  sortBySent(empty);
  assert.deepEqual(empty.id, []);
});

test("the oldest are dropped, in every column", () => {
  const data = page(probes(1, 2, 3));
  append(data, probes(4, 5), 3);
  assert.deepEqual(data.probes.id, ["id3", "id4", "id5"]);
  assert.ok(even(data.probes));
});

test("a prober that was started anew begins anew here", () => {
  const data = page(probes(1, 2, 3));
  append(data, { ...probes(7), reset: true }, 100);
  assert.deepEqual(data.probes.id, ["id7"]);
  assert.ok(even(data.probes));
});

test("what is notable", () => {
  const s = { status: [1, 1, 2, 0, 2], cold: [0, 1, 0, 0, 1] };
  assert.deepEqual([0, 1, 2, 3, 4].map((i) => mark(s, i)), ["", "cold", "late", "lost", "late"]);
});
