// The decision log: newest first, holds for one reason in one line.

import { byId, element, keyed, set, setText } from "./dom.js";
import { headline } from "./overview.js";
import { clock, sentence } from "./units.js";

export function showDecisions(runs) {
  keyed(byId("log-lines"), runs.toReversed(), (run) => run.at, createLine, updateLine);
  byId("no-decisions").hidden = runs.length > 0;
}

const createLine = () =>
  element("li", {}, element("span", { class: "time" }), element("strong"), element("span", { class: "because" }));

function updateLine(line, run) {
  const [time, what, because] = line.children;
  const isSpan = run.until > run.since;
  setText(time, isSpan ? `${clock(run.since)} – ${clock(run.until)}` : clock(run.since));
  setText(what, headline(run));
  setText(because, sentence(run.text));
  set(line, { "data-action": run.action });
}
