// Follows a running prober. A Server-Sent Event only says that there is news; the news is fetched from
// where we stand, so that a pause of any length, or a lost event, costs nothing. The same is asked for
// now and then without an event: a proxy may hold events back, and a stream may die in silence.
import { append } from "psprobe/data";
import { duration, moment, together } from "psprobe/format";

const MOST = 20000; // probes kept in the page; the summary counts all
const ASK_MS = 3000; // without an event
const PATIENCE_MS = 4000; // for an answer
const FRESH_MS = 10000; // older news is not "live"
const AGAIN_MS = 2000; // after a stream that ended
const WITHOUT_MS = 60000; // without a stream, once an answer did not come beside it

function element(name, words, ...children) {
  const node = document.createElement(name);
  node.textContent = words;
  node.append(...children);
  return node;
}

/** One of the smaller tables below the figures, as the page has them. */
function gridOf({ title, note, heads, rows }) {
  const section = element("section", "", element("h2", title));
  if (rows.length > 0) {
    const head = element("thead", "", element("tr", "", ...heads.map((cell) => element("th", cell))));
    const body = element("tbody", "", ...rows.map((cells) =>
      element("tr", "", ...cells.map((cell, i) => element(i === 0 ? "th" : "td", cell)))));
    const scroll = element("div", "", element("table", "", head, body));
    scroll.className = "scroll";
    section.append(scroll);
  }
  if (note !== "") {
    const words = element("p", note);
    words.className = "note";
    section.append(words);
  }
  return section;
}

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
  nodes.grids.replaceChildren(...summary.grids.map(gridOf));
  nodes.how.replaceChildren(...summary.facts.flatMap((fact) => fact.map((words, i) => {
    const node = document.createElement(i === 0 ? "dt" : "dd");
    node.textContent = words;
    return node;
  })));
}

/** JSON from the prober, or an error within PATIENCE_MS. */
async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.json();
}

/** The stream of events, while the page is seen: a browser has six connections to a server for all
 * its tabs, and a stream holds one. */
class Stream {
  constructor(onNews) {
    this.onNews = onNews;
    this.notBefore = 0;
  }

  open() {
    if (this.events || document.hidden || Date.now() < this.notBefore) return;
    this.events = new EventSource("events");
    for (const name of ["open", "news"]) this.events.addEventListener(name, this.onNews);
    this.events.addEventListener("error", () => {
      // It connects again by itself after a cut, but not after an answer of another kind (a 502).
      if (this.events?.readyState === EventSource.CLOSED) this.close(AGAIN_MS);
    });
  }

  close(pause) {
    this.events?.close();
    this.events = null;
    this.notBefore = Date.now() + pause;
  }
}

export function follow(data, plots, nodes) {
  let { next: since, run } = data.probes;
  let [busy, again] = [false, false];
  let [newest, asked] = [0, 0]; // when there was news, when we asked
  let trouble = "";
  const stream = new Stream(fetchNews);

  /** "live" is what has moved of late, whatever the connection looks like. */
  function say() {
    const age = Date.now() - newest;
    const state = trouble !== "" ? "lost" : age < FRESH_MS ? "on" : "quiet";
    nodes.live.dataset.state = state;
    const since = newest > 0 ? ` since ${moment(newest).slice(11)}` : "";
    nodes.live.textContent = {
      on: `live, last news ${moment(newest).slice(11)}`,
      quiet: newest > 0 ? `the prober answers; nothing new for ${duration(Math.round(age / 1000) * 1e9)}` : "waiting for news",
      lost: `no news${since}: ${trouble}; trying again`,
    }[state];
  }

  async function fetchProbes() {
    do {
      again = false;
      const more = await ask(`api/probes?run=${run}&since=${since}`);
      if (more.id.length > 0 || more.reset) newest = Date.now();
      append(data, more, MOST);
      since = more.next;
      run = more.run;
      again ||= more.more;
    } while (again);
  }

  async function fetchNews() {
    if (busy) { again = true; return; }
    busy = true;
    asked = Date.now();
    const before = newest;
    try {
      await fetchProbes();
      if (newest !== before || trouble !== "") {
        const summary = await ask("api/summary");
        for (const key of ["pairs", "ecdf", "histogram", "stages", "heat", "bend", "gaps_ms"]) data[key] = summary[key];
        replaceText(nodes, summary);
        plots.refresh();
      }
      trouble = "";
    } catch (error) {
      const late = error.name === "TimeoutError";
      trouble = late ? `no answer within ${PATIENCE_MS / 1000} s` : error.message;
      // Perhaps streams, ours too, hold all the connections that there are.
      if (late) stream.close(WITHOUT_MS);
    } finally {
      busy = false;
      say();
    }
  }

  setInterval(() => {
    if (document.hidden) return;
    stream.open();
    if (Date.now() - asked >= ASK_MS) fetchNews();
    say();
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      stream.close(0);
    } else {
      stream.open();
      fetchNews();
    }
  });
  stream.open();
  fetchNews();
}
