// The log of decisions and events: newest first, holds for one reason in one line.

import { byId, element, keyed, set, setText } from "./dom.js";
import { headline } from "./overview.js";
import { clock, sentence } from "./units.js";

export function showLog(runs, events) {
  const lines = [...runs, ...events].sort((a, b) => (b.since ?? b.t) - (a.since ?? a.t));
  keyed(byId("log-lines"), lines, (line) => line.key ?? line.at, createLine, updateLine);
  byId("no-decisions").hidden = lines.length > 0;
}

const createLine = () =>
  element("li", {}, element("span", { class: "time" }), element("strong"), element("span", { class: "because" }));

function updateLine(line, entry) {
  const [time, what, because] = line.children;
  if (entry.tone) {
    setText(time, clock(entry.t));
    setText(what, "Event");
    setText(because, `${entry.text}.`);
    return set(line, { "data-action": null, "data-tone": entry.tone });
  }
  const isSpan = entry.until > entry.since;
  setText(time, isSpan ? `${clock(entry.since)} – ${clock(entry.until)}` : clock(entry.since));
  setText(what, headline(entry));
  setText(because, sentence(entry.text));
  set(line, { "data-action": entry.action, "data-tone": null });
}
