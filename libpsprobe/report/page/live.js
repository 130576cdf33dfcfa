// Follows a running prober over Server-Sent Events. An event only says that there is news; the news
// is fetched from where we stand, so that a pause of any length, or a lost event, costs nothing.
import { append } from "psprobe/data";
import { moment, together } from "psprobe/format";

const MOST = 20000; // probes kept in the page; the summary counts all

function replaceText(nodes, summary) {
  // The answer itself large, what follows it smaller: as the page came.
  const sentence = together(summary.sentence);
  const end = sentence.indexOf(". ") + 1;
  nodes.sentence.textContent = end > 0 ? `${sentence.slice(0, end)} ` : sentence;
  const rest = document.createElement("small");
  rest.textContent = end > 0 ? sentence.slice(end + 1) : "";
  nodes.sentence.append(rest);
  nodes.notes.textContent = summary.notes;
  nodes["table-body"].replaceChildren(...summary.table.map((cells) => {
    const row = document.createElement("tr");
    cells.forEach((cell, i) => {
      const node = document.createElement(i === 0 ? "th" : "td");
      node.textContent = cell;
      row.append(node);
    });
    return row;
  }));
  nodes.how.replaceChildren(...summary.facts.flatMap((fact) => fact.map((words, i) => {
    const node = document.createElement(i === 0 ? "dt" : "dd");
    node.textContent = words;
    return node;
  })));
}

export function follow(data, plots, nodes) {
  const say = (state, words) => {
    nodes.live.dataset.state = state;
    nodes.live.textContent = words;
  };
  let since = data.probes.next;
  let run = data.probes.run;
  let busy = false;
  let again = false;

  async function fetchNews() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      do {
        again = false;
        const answer = await fetch(`api/probes?run=${run}&since=${since}`, { cache: "no-store" });
        if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
        const more = await answer.json();
        append(data, more, MOST);
        since = more.next;
        run = more.run;
        again ||= more.more;
      } while (again);
      const summary = await (await fetch("api/summary", { cache: "no-store" })).json();
      Object.assign(data, { pairs: summary.pairs, ecdf: summary.ecdf, histogram: summary.histogram,
        stages: summary.stages, heat: summary.heat });
      replaceText(nodes, summary);
      plots.refresh();
      say("on", `live, last news ${moment(Date.now()).slice(11)}`);
    } catch (error) {
      say("lost", `no news: ${error.message}; trying again`);
    } finally {
      busy = false;
    }
  }

  const events = new EventSource("events");
  events.addEventListener("open", fetchNews);
  events.addEventListener("news", fetchNews);
  // EventSource reconnects by itself; when it comes back, "open" fetches what was missed.
  events.addEventListener("error", () => say("lost", "the prober does not answer; trying again"));
}
