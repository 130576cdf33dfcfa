// Brings the page to life: reads its data, draws, wires the controls, follows a live prober.
import { Plots } from "psprobe/plots";
import { follow } from "psprobe/live";
import { sortBySent } from "psprobe/data";
import { count } from "psprobe/format";

const data = JSON.parse(document.getElementById("data").textContent);
sortBySent(data.probes);
const nodes = Object.fromEntries([...document.querySelectorAll("[id]")].map((n) => [n.id, n]));
// Without a script these stay hidden, so that nothing is shown that would not work.
nodes.controls.hidden = nodes.plots.hidden = false;
if (data.probes.total > data.probes.id.length) {
  nodes.thinned.hidden = false;
  nodes.thinned.textContent = `Of ${count(data.probes.total)} probes, ${count(data.probes.id.length)} are drawn here: ` +
    "of each stretch of time the fastest and the slowest of each source, and lost, late and cold ones. All figures are of all probes.";
}
const plots = new Plots(data, nodes);

for (const box of document.querySelectorAll("input[data-source]"))
  box.addEventListener("change", () => plots.show(Number(box.dataset.source), box.checked));
nodes.log.addEventListener("change", () => plots.scale(nodes.log.checked));
nodes.all.addEventListener("click", () => {
  for (const graph of Object.values(plots.graphs)) graph.resetZoom();
});

// Colours come from the style sheet, so a change of scheme is a matter of drawing again.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.draw());
let resizing = 0;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => plots.heat(), 150);
});

if (nodes.live) follow(data, plots, nodes);
document.documentElement.dataset.ready = "1";
