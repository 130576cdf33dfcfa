// The plots, drawn by dygraphs (global Dygraph, embedded in the page before this module runs).
import * as format from "psprobe/format";
import { bent, differenceRows, ecdfRows, fromNines, histogramRows, mark, seriesRows } from "psprobe/data";

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const color = (k) => css(`--s${k % 6}`);
/** The second way to tell sources apart: for print and for eyes that see no colour. */
const dashes = [null, [7, 3], [2, 3], [10, 3, 2, 3], [1, 3], [12, 4]];

function text(tag, content, parent) {
  const node = document.createElement(tag);
  node.textContent = content;
  parent.append(node);
  return node;
}

/** Arrow keys pan, + and − zoom, 0 shows everything: what the mouse does, by keyboard. */
function keyboard(graph, node, full) {
  node.tabIndex = 0;
  node.addEventListener("keydown", (event) => {
    const [low, high] = graph.xAxisRange();
    const width = high - low;
    const [least, most] = full();
    const to = {
      ArrowLeft: [low - width / 10, high - width / 10],
      ArrowRight: [low + width / 10, high + width / 10],
      "+": [low + width / 4, high - width / 4],
      "=": [low + width / 4, high - width / 4],
      "-": [Math.max(least, low - width / 2), Math.min(most, high + width / 2)],
    }[event.key];
    if (event.key === "0") graph.resetZoom();
    else if (to) graph.updateOptions({ dateWindow: to });
    else return;
    event.preventDefault();
  });
}

function base(data, extra) {
  const grid = css("--line");
  return {
    colors: data.probes.sources.map((_, k) => color(k)),
    gridLineColor: grid, axisLineColor: grid, axisLineWidth: 1, gridLineWidth: 0.6,
    strokeWidth: 1.3, highlightCircleSize: 4, legend: "never", animatedZooms: false,
    rightGap: 8, xRangePad: 4, ...extra,
  };
}

const strokes = (data) => Object.fromEntries(
  data.probes.sources.map((s, k) => [s.name, { strokePattern: dashes[k % dashes.length] }]));
/** Curves of more points than this are too dense for dashes to be seen as such. */
const DENSE = 300;

/** The time axis of a plot of probes. */
const timeAxis = {
  pixelsPerLabel: 90, axisLabelWidth: 84,
  axisLabelFormatter(at, _granularity, _options, graph) {
    const [low, high] = graph.xAxisRange();
    return format.timeLabel(Number(at), high - low);
  },
};
const timeName = ({ sent_ms: sent }) => format.daysAndZone(sent[0], sent[sent.length - 1]);

/** Drops ticks that would stand within `gap` pixels of the one before. */
function apart(ticks, low, high, width, gap) {
  let last = -Infinity;
  return ticks.filter(({ v }) => {
    const x = ((v - low) / (high - low)) * width;
    if (x - last < gap) return false;
    last = x;
    return true;
  });
}

/** Draws a filled or hollow mark for what is lost, late or cold, over the curves. */
function marks(data, visible) {
  return (canvas, area, graph) => {
    data.probes.sources.forEach((source, k) => {
      if (!visible[k]) return;
      canvas.strokeStyle = canvas.fillStyle = color(k);
      canvas.lineWidth = 1.5;
      for (let i = 0; i < source.status.length; i++) {
        const what = mark(source, i);
        if (what === "") continue;
        const x = graph.toDomXCoord(data.probes.sent_ms[i]);
        if (x < area.x || x > area.x + area.w) continue;
        if (what === "lost") { // a cross at the bottom: there is no value to put it at
          const y = area.y + area.h - 7;
          canvas.beginPath();
          canvas.moveTo(x - 4, y - 4 - 9 * k); canvas.lineTo(x + 4, y + 4 - 9 * k);
          canvas.moveTo(x - 4, y + 4 - 9 * k); canvas.lineTo(x + 4, y - 4 - 9 * k);
          canvas.stroke();
          continue;
        }
        const y = graph.toDomYCoord(source.elapsed_ns[i] / 1e6);
        canvas.beginPath();
        if (what === "cold") canvas.rect(x - 3.5, y - 3.5, 7, 7); else canvas.arc(x, y, 4, 0, 7);
        canvas.stroke();
      }
    });
  };
}

/** The plots of the page. `nodes` are its elements by id; `data` may grow (see refresh). */
export class Plots {
  constructor(data, nodes) {
    this.data = data;
    this.nodes = nodes;
    this.visible = data.probes.sources.map(() => true);
    this.log = true;
    this.graphs = {};
    this.draw();
  }

  draw() {
    for (const graph of Object.values(this.graphs)) graph.destroy();
    this.graphs = {};
    this.series();
    this.ecdf();
    this.histogram();
    this.differences();
    this.stages();
    this.heat();
  }

  add(name, graph, full) {
    this.graphs[name] = graph;
    if (!this.nodes[name].dataset.keys) {
      this.nodes[name].dataset.keys = "1";
      keyboard({
        xAxisRange: () => this.graphs[name].xAxisRange(),
        resetZoom: () => this.graphs[name].resetZoom(),
        updateOptions: (o) => this.graphs[name].updateOptions(o),
      }, this.nodes[name], full ?? (() => this.graphs[name].xAxisExtremes()));
    }
  }

  say(legend, lines) {
    legend.replaceChildren();
    for (const [strong, rest] of lines) {
      const p = document.createElement("div");
      if (strong) text("b", `${strong} `, p);
      p.append(rest);
      legend.append(p);
    }
  }

  /** Hides a plot that would have nothing in it, and says why; true when there is something. */
  has(name, something, words) {
    this.nodes[name].hidden = !something;
    if (!something) this.say(this.nodes[`${name}-legend`], [["", words]]);
    return something;
  }

  /** A logarithmic scale, where there is something that it can show. */
  logarithmic() {
    return this.log && this.data.probes.sources.some((s) => s.elapsed_ns.some((ns) => ns > 0));
  }

  series() {
    const { data, nodes } = this;
    if (!this.has("series", data.probes.sent_ms.length > 0, "No probes.")) return;
    const legend = nodes["series-legend"];
    const rest = [["", "Hover for a probe. Drag to zoom, Shift-drag to pan, double-click for all; by touch one finger pans and two zoom. " +
      "Squares are cold answers, circles late ones, crosses at the bottom lost ones."]];
    this.say(legend, rest);
    const { rows, probe } = seriesRows(data);
    this.add("series", new Dygraph(nodes.series, rows, base(data, {
      labels: ["sent", ...data.probes.sources.map((s) => s.name)],
      series: data.probes.id.length > DENSE ? {} : strokes(data),
      visibility: this.visible, logscale: this.logarithmic(),
      ylabel: "answered after", xlabel: timeName(data.probes),
      connectSeparatedPoints: true, drawGapEdgePoints: true,
      axes: { y: { axisLabelFormatter: format.axis, axisLabelWidth: 62 }, x: timeAxis },
      underlayCallback: (canvas, area, graph) => marks(data, this.visible)(canvas, area, graph),
      highlightCallback: (_event, x, _points, row) => { if (probe[row] >= 0) this.hover(x, probe[row]); },
      unhighlightCallback: () => this.say(legend, rest),
    })));
  }

  hover(x, row) {
    const { probes } = this.data;
    const lines = [[`${format.moment(x)}`, `probe ${probes.id[row]}`]];
    lines.push(["", probes.sources.filter((_, k) => this.visible[k]).map((s) => {
      const what = mark(s, row);
      const took = s.elapsed_ns[row] === null ? "no answer" : format.duration(s.elapsed_ns[row]);
      return `${s.name}: ${took}${what && what !== "lost" ? ` (${what})` : ""}`;
    }).join("   ")]);
    this.say(this.nodes["series-legend"], lines);
  }

  ecdf() {
    const { data, nodes } = this;
    const rows = ecdfRows(data);
    if (!this.has("ecdf", rows.some((r) => r.slice(1).some((v) => v !== null)), "No answers.")) return;
    const legend = nodes["ecdf-legend"];
    this.say(legend, [["", "Read: at 99 %, that share of the answers took no longer than the curve says."]]);
    const ticks = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999];
    this.add("ecdf", new Dygraph(nodes.ecdf, rows, base(data, {
      labels: ["share", ...data.probes.sources.map((s) => s.name)],
      series: strokes(data), visibility: this.visible, logscale: this.logarithmic(), stepPlot: true,
      ylabel: "answered within", strokeWidth: 2,
      axes: {
        y: { axisLabelFormatter: format.axis, axisLabelWidth: 62 },
        x: { ticker: (low, high, width) => apart(ticks.map((p) => ({ v: -Math.log10(1 - p), label: format.percent(p) }))
          .filter((t) => t.v >= low - 0.01 && t.v <= high + 0.01), low, high, width, 34) },
      },
      highlightCallback: (_e, x, points) => this.say(legend, [[
        `${Number((fromNines(x) * 100).toPrecision(6))} %`,
        points.map((p) => `${p.name}: ${format.milliseconds(p.yval)}`).join("   ")]]),
    })));
  }

  histogram() {
    const { data, nodes } = this;
    const rows = histogramRows(data);
    if (!this.has("histogram", rows.some((r) => r.slice(1).some((n) => n > 0)), "No answers.")) return;
    const legend = nodes["histogram-legend"];
    this.say(legend, [["", "How many answers took how long; bins grow in proportion."]]);
    this.add("histogram", new Dygraph(nodes.histogram, rows, base(data, {
      labels: ["took", ...data.probes.sources.map((s) => s.name)],
      series: strokes(data), visibility: this.visible, stepPlot: true, fillGraph: true, fillAlpha: 0.14,
      strokeWidth: 2, includeZero: true, ylabel: "answers",
      axes: {
        x: { ticker: (low, high, width) => apart(format.steps(10 ** low, 10 ** high)
          .map((ms) => ({ v: Math.log10(ms), label: format.axis(ms) })), low, high, width, 48) },
        y: { axisLabelFormatter: format.wholes, axisLabelWidth: 62 },
      },
      highlightCallback: (_e, x, points, row) => this.say(legend, [[
        `${format.milliseconds(10 ** x)} to ${format.milliseconds(10 ** (rows[row + 1] ?? rows[row])[0])}`,
        points.map((p) => `${p.name}: ${format.count(p.yval)}`).join("   ")]]),
    })));
  }

  differences() {
    const { data, nodes } = this;
    const pair = data.pairs[0];
    nodes.difference.hidden = !pair || pair.n === 0;
    if (nodes.difference.hidden) return;
    const { bend, differences: drawn } = data;
    const rows = differenceRows(data);
    const at = (ns) => bent(bend, ns);
    const legend = nodes["differences-legend"];
    const [low, high] = pair.median_ci_ns.map((bound) => bound ?? pair.median_ns);
    const interval = pair.median_ci_ns.includes(null) ? "too few probes for an interval"
      : `the band its 95 % interval, ${format.duration(low)} to ${format.duration(high)}`;
    const rest = [["", format.together(`Above zero ${pair.a} took longer. The line is the median, ` +
      `${format.duration(pair.median_ns)}; ${interval}.` +
      (bend.unit_ns > 0 ? " The scale is linear around the median, and logarithmic far from it." : "") +
      (drawn.id.length < drawn.of ? ` Of ${format.count(drawn.of)} differences, ${format.count(drawn.id.length)} are drawn: ` +
        "evenly chosen over time, and the largest and smallest of some stretches." : ""))]];
    this.say(legend, rest);
    this.add("differences", new Dygraph(nodes.differences, rows, base(data, {
      labels: ["sent", `${pair.a} − ${pair.b}`], colors: [css("--soft")],
      drawPoints: true, pointSize: 1.6, strokeWidth: 0, valueRange: range(rows, [0, low, high].map(at)),
      ylabel: "difference", xlabel: timeName(data.probes),
      axes: { y: { axisLabelFormatter: format.axis, axisLabelWidth: 66,
        ...(bend.unit_ns > 0 && { ticker: () => bend.ticks_ns.map((ns) => ({ v: at(ns), label: format.duration(ns) })) }) },
        x: timeAxis },
      underlayCallback: (canvas, area, graph) => {
        const top = graph.toDomYCoord(at(high));
        const bottom = graph.toDomYCoord(at(low));
        canvas.fillStyle = css("--band");
        canvas.fillRect(area.x, Math.min(top, bottom), area.w, Math.max(2, Math.abs(bottom - top)));
        for (const [y, ink, width] of [[at(0), css("--ink"), 1], [at(pair.median_ns), color(1), 2]]) {
          canvas.strokeStyle = ink;
          canvas.lineWidth = width;
          canvas.beginPath();
          canvas.moveTo(area.x, graph.toDomYCoord(y));
          canvas.lineTo(area.x + area.w, graph.toDomYCoord(y));
          canvas.stroke();
        }
      },
      highlightCallback: (_e, x, _points, row) => this.say(legend, [[format.moment(x),
        `${format.duration(drawn.ns[row])}, probe ${drawn.id[row]}`]]),
      unhighlightCallback: () => this.say(legend, rest),
    })));
  }

  /** A bar a source, of the parts of its time, all to one scale. */
  stages() {
    const { data, nodes } = this;
    const shown = data.stages.some((s) => s.n > 0);
    nodes.stages.hidden = !shown;
    if (!shown) return;
    const parts = [["publish", "publish_ns", 1], ["broker", "broker_ns", 0.55], ["answer", "answer_ns", 0.25]];
    const sum = (s) => s.publish_ns + s.broker_ns + s.answer_ns;
    const longest = Math.max(...data.stages.map(sum), 1);
    nodes["stage-bars"].replaceChildren();
    data.stages.forEach((stage, k) => {
      if (stage.n === 0) return;
      const name = text("div", "", nodes["stage-bars"]);
      name.className = "bar-name";
      name.append(`${data.probes.sources[k].name}, ${format.duration(sum(stage))}: `);
      const bar = document.createElement("div");
      bar.className = "bar";
      bar.style.width = `${(sum(stage) / longest) * 100}%`;
      parts.forEach(([label, key, opacity], i) => {
        const part = text("span", "", bar);
        part.style.cssText = `width:${(stage[key] / Math.max(sum(stage), 1)) * 100}%;background:${color(k)};opacity:${opacity}`;
        const entry = text("span", "", name);
        entry.className = "entry";
        const swatch = text("span", "", entry);
        swatch.className = "key";
        swatch.style.cssText = `background:${color(k)};opacity:${opacity}`;
        entry.append(`${label} ${format.duration(stage[key])}`);
        if (i < parts.length - 1) name.append("  ");
      });
      nodes["stage-bars"].append(bar);
    });
  }

  /** Hours across, latency up, one panel a source: the darker, the more answers. */
  heat() {
    const { heat } = this.data;
    this.nodes.heat.hidden = !heat;
    if (!heat) return;
    heat.sources.forEach((cells, k) => {
      const canvas = this.nodes[`heat-${k}`];
      if (!canvas) return;
      const ratio = devicePixelRatio || 1;
      const width = canvas.width = canvas.clientWidth * ratio;
      const height = canvas.height = canvas.clientHeight * ratio;
      const pen = canvas.getContext("2d");
      const left = 64 * ratio;
      const below = 22 * ratio;
      const columns = heat.hours_ms.length;
      const rowsUp = heat.edges_ns.length - 1;
      const w = (width - left) / columns;
      const h = (height - below) / rowsUp;
      pen.clearRect(0, 0, width, height);
      pen.fillStyle = color(k);
      cells.forEach((column, x) => {
        const total = Math.max(1, column.reduce((sum, n) => sum + n, 0));
        column.forEach((n, y) => {
          if (n === 0) return;
          pen.globalAlpha = 0.12 + 0.88 * Math.sqrt(n / total);
          pen.fillRect(left + x * w, height - below - (y + 1) * h, Math.ceil(w), Math.ceil(h));
        });
      });
      pen.globalAlpha = 1;
      pen.fillStyle = css("--soft");
      pen.font = `${12 * ratio}px system-ui, sans-serif`;
      pen.textAlign = "right";
      for (let y = 0; y <= rowsUp; y += Math.ceil(rowsUp / 5))
        pen.fillText(format.axis(heat.edges_ns[y] / 1e6), left - 6 * ratio, height - below - y * h);
      pen.textAlign = "left";
      const every = Math.ceil(columns / Math.max(1, Math.floor((width - left) / (110 * ratio))));
      for (let x = 0; x < columns; x += every)
        pen.fillText(format.moment(heat.hours_ms[x]).slice(5, 16), left + x * w, height - 6 * ratio);
    });
  }

  show(k, on) {
    this.visible[k] = on;
    for (const name of ["series", "ecdf", "histogram"]) this.graphs[name]?.setVisibility(k, on);
  }

  scale(log) {
    this.log = log;
    for (const name of ["series", "ecdf"]) this.graphs[name]?.updateOptions({ logscale: this.logarithmic() });
  }

  /** After the data has grown: same windows where the reader has zoomed in, else all. */
  refresh() {
    const zoomed = this.graphs.series?.isZoomed("x") ? this.graphs.series.xAxisRange() : null;
    this.draw();
    if (zoomed) this.graphs.series?.updateOptions({ dateWindow: zoomed });
  }
}

/** From the least to the most, with what must be in sight, and some air. */
function range(rows, also) {
  let [low, high] = [Math.min(...also), Math.max(...also)];
  for (const [, y] of rows) {
    low = Math.min(low, y);
    high = Math.max(high, y);
  }
  const pad = (high - low || 1) * 0.08;
  return [low - pad, high + pad];
}
