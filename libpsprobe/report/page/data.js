// The report's data: columns as the page carries them, and what the plots derive from them. Pure.

export const LOST = 0;
export const LATE = 2;

/** Whether no probe was sent for long between two moments: what lies there was not measured. */
const pause = (gaps, from, to) => gaps.some(([a, b]) => from <= a && b <= to);

/** Rows for a time series: [Date, ms of source 0, ms of source 1, …]; null where nothing came, NaN
 * where a pause parts the curve. `probe[row]` is the row's probe, -1 in a pause. */
export function seriesRows(data) {
  const { sent_ms: sent, sources } = data.probes;
  const rows = [];
  const probe = [];
  sent.forEach((at, i) => {
    if (i > 0 && pause(data.gaps_ms, sent[i - 1], at)) {
      rows.push([new Date((sent[i - 1] + at) / 2), ...sources.map(() => NaN)]);
      probe.push(-1);
    }
    rows.push([new Date(at), ...sources.map((s) => (s.elapsed_ns[i] === null ? null : s.elapsed_ns[i] / 1e6))]);
    probe.push(i);
  });
  return { rows, probe };
}

/** Where a difference stands on a scale that is linear around its center and logarithmic beyond;
 * unit 0: linear, in ms. As report/bend.c. */
export const bent = (bend, ns) => (bend.unit_ns > 0 ? Math.asinh((ns - bend.center_ns) / bend.unit_ns) : ns / 1e6);

/** Rows of differences, on that scale. */
export const differenceRows = (data) => data.differences.sent_ms.map((at, i) =>
  [new Date(at), bent(data.bend, data.differences.ns[i])]);

/** The scale of the ECDF's axis: nines. p = 0.9 is 1, 0.99 is 2, … */
export const nines = (p) => -Math.log10(1 - p);
export const fromNines = (x) => 1 - 10 ** -x;

/** Rows for the ECDF with percentile scale: [nines, ms of source 0, …]. */
export function ecdfRows(data) {
  return data.ecdf.p.map((p, i) => [nines(p),
    ...data.ecdf.sources.map((s) => (s[i] === undefined || s[i] === null ? null : s[i] / 1e6))]);
}

/** Rows for the histogram, drawn as steps: [log10 of the bin's lower edge in ms, count of source 0,
 * …]; the last edge closes the last bin. */
export function histogramRows(data) {
  const { edges_ns: edges, sources } = data.histogram;
  return edges.map((edge, i) => [Math.log10(edge / 1e6), ...sources.map((s) => s[i] ?? 0)]);
}

const parts = ["elapsed_ns", "status", "cold"];

/** Puts probes in the order they were sent: a running prober tells them in the order they ended. */
export function sortBySent(probes) {
  const { sent_ms: sent } = probes;
  if (sent.every((at, i) => i === 0 || sent[i - 1] <= at)) return;
  const order = sent.map((_, i) => i).sort((a, b) => sent[a] - sent[b]);
  for (const key of ["id", "sent_ms"]) probes[key] = order.map((i) => probes[key][i]);
  for (const s of probes.sources) for (const key of parts) s[key] = order.map((i) => s[key][i]);
}

/** What a probe says of the first two sources' difference. */
function appendDifferences(mine, more) {
  if (more.sources.length < 2) return;
  if (more.reset) mine.id.length = mine.sent_ms.length = mine.ns.length = 0;
  const place = new Map(mine.id.map((id, i) => [id, i]));
  const [a, b] = more.sources;
  more.id.forEach((id, n) => {
    if (a.elapsed_ns[n] === null || b.elapsed_ns[n] === null) return;
    const at = place.get(id) ?? mine.id.length;
    place.set(id, at);
    mine.id[at] = id;
    mine.sent_ms[at] = more.sent_ms[n];
    mine.ns[at] = a.elapsed_ns[n] - b.elapsed_ns[n];
    mine.of = Math.max(mine.of, mine.id.length);
  });
  const order = mine.id.map((_, i) => i).sort((x, y) => mine.sent_ms[x] - mine.sent_ms[y]);
  for (const key of ["id", "sent_ms", "ns"]) mine[key] = order.map((i) => mine[key][i]);
}

/** Takes newer probes (same columns): one that is here already is replaced; the oldest
 * beyond `most` are dropped. */
export function append(data, more, most) {
  const mine = data.probes;
  if (more.reset) {
    mine.id.length = mine.sent_ms.length = 0;
    for (const s of mine.sources) for (const key of parts) s[key].length = 0;
  }
  const place = new Map(mine.id.map((id, i) => [id, i]));
  more.id.forEach((id, n) => {
    const at = place.get(id) ?? mine.id.length;
    place.set(id, at);
    mine.id[at] = id;
    mine.sent_ms[at] = more.sent_ms[n];
    mine.sources.forEach((s, k) => { for (const key of parts) s[key][at] = more.sources[k][key][n]; });
  });
  mine.total = more.total;
  sortBySent(mine);
  appendDifferences(data.differences, more);
  const drop = (of, keys, over) => { if (over > 0) for (const key of keys) of[key].splice(0, over); };
  const over = mine.id.length - most;
  drop(mine, ["id", "sent_ms"], over);
  for (const s of mine.sources) drop(s, parts, over);
  drop(data.differences, ["id", "sent_ms", "ns"], data.differences.id.length - most);
}

/** What is notable in probe `i` of source `s`: "lost", "late", "cold" or "". */
export function mark(source, i) {
  if (source.status[i] === LATE) return "late";
  if (source.status[i] === LOST) return "lost";
  return source.cold[i] ? "cold" : "";
}
