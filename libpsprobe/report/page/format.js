// Durations and dates as people read them. Pure; shared by every plot.

const units = [[1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]];

/** "6.23 ms", three significant digits, of nanoseconds; negative ones too. */
export function duration(ns) {
  if (ns === null || ns === undefined || !Number.isFinite(ns)) return "–";
  const size = Math.abs(ns);
  if (size >= 120e9) return `${(ns / 60e9).toPrecision(3)} min`;
  const [scale, unit] = units.find(([s]) => size >= s * 0.9995) ?? units[3];
  const value = ns / scale;
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-9))));
  return `${value.toFixed(Math.min(digits, unit === "ns" ? 0 : 2))} ${unit}`;
}

/** The same for a duration in milliseconds, the unit of the plots. */
export const milliseconds = (ms) => (ms === null ? "–" : duration(ms * 1e6));

/** An axis label: as short as it can be, with its unit. */
export function axis(ms) {
  const size = Math.abs(ms);
  const short = (v) => String(Number(v.toPrecision(3)));
  if (size === 0) return "0";
  if (size >= 60e3 && Math.abs(ms / 60e3 - Math.round(ms / 60e3)) < 1e-9) return `${short(ms / 60e3)} min`;
  if (size >= 1e3) return `${short(ms / 1e3)} s`;
  if (size >= 1) return `${short(ms)} ms`;
  return `${short(ms * 1e3)} us`;
}

/** Values 1, 2 and 5 times a power of ten from `low` to `high`, or powers alone when those are many. */
export function steps(low, high) {
  const all = [];
  const many = Math.log10(high / low) > 3;
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (const digit of many ? [1] : [1, 2, 5]) {
      const value = digit * 10 ** power;
      if (value >= low && value <= high) all.push(value);
    }
  return all;
}

/** Keeps a number and its unit on one line. */
export const together = (words) => words.replace(/(\d) (?=(ns|us|ms|s|min|%)\b|%)/g, "$1\u00a0");

export const count = (n) => n.toLocaleString("en-US");

/** A count at an axis, where there are no halves: those ticks have no label. */
export const wholes = (n) => (Math.abs(n - Math.round(n)) < 1e-6 ? count(Math.round(n)) : "");

const two = (n) => String(n).padStart(2, "0");

/** "2026-11-24 22:10:05" in the reader's zone. */
export function moment(ms) {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ` +
    `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** The label of a time axis `width` ms wide: as much of the moment as tells ticks apart. */
export function timeLabel(ms, width) {
  const d = new Date(ms);
  const day = `${d.getDate()} ${d.toLocaleString("en-US", { month: "short" })}`;
  if (width > 8 * 86400e3) return day;
  const clock = `${two(d.getHours())}:${two(d.getMinutes())}`;
  if (width > 86400e3) return clock === "00:00" ? day : `${day} ${clock}`;
  if (width > 300e3) return clock;
  const seconds = `${clock}:${two(d.getSeconds())}`;
  return width > 4e3 ? seconds : `${seconds}.${Math.floor(d.getMilliseconds() / 100)}`;
}

/** The days from `first` to `last` and the zone in which the page tells time. */
export function daysAndZone(first, last) {
  const [from, to] = [first, last].map((ms) => moment(ms).slice(0, 10));
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${from === to ? from : `${from} to ${to}`} (time in ${zone})`;
}

/** A share as "83 %"; never "100 %" or "0 %" for what is not all or none. */
export function percent(share) {
  const p = share * 100;
  if (p > 0 && p < 1) return `${p.toFixed(1)} %`;
  if (p < 100 && p > 99) { // as many digits as there are nines
    const digits = Math.max(1, Math.ceil(-Math.log10(1 - share) - 1e-6) - 2);
    return `${(Math.floor(p * 10 ** digits + 1e-6) / 10 ** digits).toFixed(digits)} %`;
  }
  return `${Math.round(p)} %`;
}
