// The report's data: columns as the page carries them, and what the plots derive from them. Pure.

export const ANSWERED = 1;
export const LATE = 2;

/** Rows for a time series: [Date, ms of source 0, ms of source 1, …]; null where nothing came. */
export function seriesRows(data) {
  const { sent_ms: sent, sources } = data.probes;
  return sent.map((at, i) => [new Date(at),
    ...sources.map((s) => (s.elapsed_ns[i] === null ? null : s.elapsed_ns[i] / 1e6))]);
}

/** Rows of paired differences a − b in ms, with null where one of the two is missing. */
export function pairRows(data, a, b) {
  const { sent_ms: sent, sources } = data.probes;
  const x = sources[a].elapsed_ns;
  const y = sources[b].elapsed_ns;
  return sent.map((at, i) => [new Date(at),
    x[i] === null || y[i] === null ? null : (x[i] - y[i]) / 1e6]);
}

/** The scale of the ECDF's axis: nines. p = 0.9 is 1, 0.99 is 2, … */
export const nines = (p) => -Math.log10(1 - p);
export const fromNines = (x) => 1 - 10 ** -x;

/** Rows for the ECDF with percentile scale: [nines, ms of source 0, …]. */
export function ecdfRows(data) {
  return data.ecdf.p.map((p, i) => [nines(p),
    ...data.ecdf.sources.map((s) => (s[i] === undefined || s[i] === null ? null : s[i] / 1e6))]);
}

/** Rows for the histogram: [log10 of the bin's middle in ms, count of source 0, …]. */
export function histogramRows(data) {
  const { edges_ns: edges, sources } = data.histogram;
  return edges.slice(0, -1).map((low, i) => [Math.log10(Math.sqrt(low * edges[i + 1]) / 1e6),
    ...sources.map((s) => s[i])]);
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
  const over = mine.id.length - most;
  if (over <= 0) return;
  for (const key of ["id", "sent_ms"]) mine[key].splice(0, over);
  for (const s of mine.sources) for (const key of parts) s[key].splice(0, over);
}

/** What is notable in probe `i` of source `s`: "lost", "late", "cold" or "". */
export function mark(source, i) {
  if (source.status[i] === LATE) return "late";
  if (source.status[i] !== ANSWERED) return "lost";
  return source.cold[i] ? "cold" : "";
}
