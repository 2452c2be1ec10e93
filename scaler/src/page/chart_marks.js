// Marks decisions and events on a chart: a triangle for each action, a line for each event, and below the axis a band
// that says why nothing was done.
//
// The marks are one stop for the Tab key; arrow keys lead from one to the next, and each says its reason. A pointer
// reads the mark that is nearest to it, because a piece of the band may be thinner than a finger.

import { element, keyed, set, setText, svg } from "./dom.js";
import { headline } from "./overview.js";
import { clock, sentence } from "./units.js";

const BAND_HEIGHT = 14;

// A piece of the band that is narrower, in pixels, is joined to its neighbour.
const PIECE_WIDTH_MIN = 6;

// How far from a mark, in pixels, a pointer still reads it.
const REACH = 14;

// What a hold's reason means, and the word that stands in the band where it fits.
const HOLDS = {
  within_thresholds: ["calm", "in range"],
  at_minimum: ["calm", "at minimum"],
  breach_pending: ["pending", "pending"],
  cooldown_active: ["cooldown", "cooldown"],
  at_maximum: ["limit", "at maximum"],
  paused: ["paused", "paused"],
};
const BLIND = ["limit", "no data"];

const KEY = [
  ["calm", "in range or at the minimum"],
  ["pending", "waiting for another check"],
  ["cooldown", "cooldown"],
  ["limit", "at the maximum or no data"],
  ["paused", "paused"],
];

// Width of a letter in the band, in pixels, and the room around a word.
const LETTER_WIDTH = 5.6;
const WORD_MARGIN = 8;

export class DecisionMarks {
  height = BAND_HEIGHT + 8;
  #events = svg("g", { class: "events" });
  #band = svg("g", { class: "band" });
  #actions = svg("g", { class: "actions" });
  #group = svg("g", {
    role: "group",
    "aria-label": "Decisions and events. Left and right arrow keys lead from one to the next.",
  });
  #bubble = element("div", { class: "bubble", role: "tooltip", hidden: "" });
  #runs = [];
  #bandTop = 0;
  #cursor;
  // The mark that the Tab key reaches, and the one whose reason is shown.
  #stop = null;
  #shown = null;

  // cursor: { at(t) } draws the ruler of all charts.
  attach(drawing, box, cursor) {
    this.#cursor = cursor;
    this.#group.append(this.#events, this.#band, this.#actions);
    drawing.append(this.#group);
    box.append(this.#bubble);
    // On the box: Chromium lets the Tab key stop at an SVG element that listens to the focus.
    box.addEventListener("keydown", (event) => this.#move(event));
    box.addEventListener("focusin", (event) => this.#focus(markOf(event)));
    box.addEventListener("focusout", (event) => markOf(event) && this.#leave());
    for (const kind of ["pointermove", "pointerdown"]) {
      box.addEventListener(kind, (event) => this.#show(this.#nearest(event, box)));
    }
    // A finger that is lifted keeps what it read.
    box.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && this.#show(focusedMark(box)));
  }

  legend() {
    const item = (kind, label) => element("li", {}, element("span", { class: `piece ${kind}`, "aria-hidden": true }), label);
    return element("ul", { class: "legend band-key", "aria-label": "Colours of the band" }, ...KEY.map(([kind, label]) => item(kind, label)));
  }

  hide() {
    this.#show(null);
  }

  setRuns(runs) {
    this.#runs = runs;
  }

  draw(x, y, floor, view) {
    const visible = this.#runs.map((run, index) => ({
      ...run,
      // A hold lasts until another decision.
      ends: Math.min(this.#runs[index + 1]?.since ?? view.end, view.end),
    })).filter((run) => run.ends >= view.start && run.since <= view.end);
    const top = floor + 4;
    this.#bandTop = top;
    const pieces = joined(visible.filter((run) => run.action === "hold"), (run) => [x(Math.max(run.since, view.start)), x(run.ends)]);
    keyed(this.#band, pieces, (piece) => piece.runs[0].at, createHold, (mark, { runs, from, to }) => {
      const longest = runs.reduce((most, run) => (run.ends - run.since > most.ends - most.since ? run : most));
      const [kind, word] = HOLDS[longest.reason] ?? BLIND;
      const width = Math.max(2, to - from - 1);
      place(mark, { kind, from, to, y: top, t: Math.max(runs[0].since, view.start) });
      set(mark.children[0], { x: from, y: top, width, height: BAND_HEIGHT });
      setText(mark.children[1], word.length * LETTER_WIDTH + WORD_MARGIN <= width ? word : "");
      set(mark.children[1], { x: (from + to) / 2, y: top + BAND_HEIGHT - 3.5 });
      describe(mark, runs);
    });
    const actions = visible.filter((run) => run.action !== "hold" && run.since >= view.start);
    keyed(this.#actions, actions, (run) => run.at, createAction, (mark, run) => {
      const [middle, level] = [x(run.since), y(run.to)];
      place(mark, { kind: run.action, from: middle, to: middle, y: level, t: run.since });
      set(mark.firstChild, { d: triangle(middle, level, run.action === "up" ? -1 : 1) });
      describe(mark, [run]);
    });
    keyed(this.#events, view.events, (event) => event.key, createEvent, (mark, event) => {
      const middle = x(event.t);
      place(mark, { kind: `event ${event.tone}`, from: middle, to: middle, y: 16, t: event.t });
      set(mark.firstChild, { d: `M${middle} 12V${floor}M${middle - 4} 8h8l-4 6z` });
      set(mark, { "aria-label": `${clock(event.t)}: ${event.text}.` });
    });
    this.#keepOneStop();
    if (this.#shown?.isConnected) this.#show(this.#shown);
    else this.#show(null);
  }

  // Whether the bubble of a mark is open, beside which no other is needed.
  get isShown() {
    return this.#shown !== null;
  }

  #inTime() {
    const marks = [...this.#events.children, ...this.#band.children, ...this.#actions.children];
    return marks.sort((a, b) => a.dataset.t - b.dataset.t);
  }

  #keepOneStop() {
    const marks = this.#inTime();
    if (!this.#stop?.isConnected) this.#stop = marks.at(-1) ?? null;
    for (const mark of marks) set(mark, { tabindex: mark === this.#stop ? 0 : -1 });
  }

  #move(event) {
    const isInside = this.#group.contains(event.target);
    if (event.key === "Escape") return this.#leave();
    const marks = this.#inTime();
    const here = marks.indexOf(markOf(event) ?? this.#stop);
    const places = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: marks.length - 1 };
    if (!isInside || here < 0 || !(event.key in places)) return;
    event.preventDefault();
    this.#stop = marks[Math.max(0, Math.min(marks.length - 1, places[event.key]))];
    this.#keepOneStop();
    this.#stop.focus();
  }

  #focus(mark) {
    if (!mark) return;
    this.#stop = mark;
    this.#keepOneStop();
    this.#cursor.at(Number(mark.dataset.t));
    this.#show(mark);
  }

  #leave() {
    this.#cursor.at(null);
    this.#show(null);
  }

  // In the band the piece that is nearest; above it the nearest action or event, if one is near.
  #nearest(event, box) {
    const frame = box.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    const distance = (mark) => Math.max(mark.dataset.from - x, x - mark.dataset.to, 0);
    const isInBand = y >= this.#bandTop - 6;
    const isNear = (mark) => distance(mark) <= REACH && Math.abs(mark.dataset.y - y) <= REACH;
    const marks = isInBand
      ? [...this.#band.children]
      : [...[...this.#actions.children].filter(isNear), ...[...this.#events.children].filter((mark) => distance(mark) <= REACH / 2)];
    return marks.reduce((best, mark) => (best && distance(best) <= distance(mark) ? best : mark), null);
  }

  #show(mark) {
    this.#shown = mark;
    this.#bubble.hidden = !mark;
    if (mark) showBubble(this.#bubble, mark.getAttribute("aria-label"), (Number(mark.dataset.from) + Number(mark.dataset.to)) / 2, mark.dataset.y);
  }
}

// Shows a text above a place of the plot, within its box.
export function showBubble(bubble, text, x, y) {
  bubble.hidden = false;
  setText(bubble, text);
  const room = bubble.parentElement.clientWidth;
  const half = bubble.offsetWidth / 2;
  bubble.style.left = `${Math.max(half, Math.min(room - half, x))}px`;
  bubble.style.bottom = `calc(100% - ${y}px + 12px)`;
}

const markOf = (event) => event.target.closest?.("[data-key]") ?? null;

const focusedMark = (box) => (box.contains(document.activeElement) ? document.activeElement.closest("[data-key]") : null);

const createHold = () => svg("g", { role: "img" }, svg("rect", { rx: 2 }), svg("text", { "text-anchor": "middle", "aria-hidden": true }));

const createAction = () => svg("g", { role: "img" }, svg("path"));

const createEvent = () => svg("g", { role: "img" }, svg("path"));

function place(mark, { kind, from, to, y, t }) {
  set(mark, { class: `mark ${kind}`, "data-from": from, "data-to": to, "data-y": y, "data-t": t });
}

// Holds as pieces of the band, none too thin to be seen and met.
function joined(runs, extentOf) {
  const pieces = [];
  for (const run of runs) {
    const [from, to] = extentOf(run);
    const last = pieces.at(-1);
    const isThin = last && (last.to - last.from < PIECE_WIDTH_MIN || to - from < PIECE_WIDTH_MIN);
    if (isThin && from - last.to < PIECE_WIDTH_MIN) {
      last.runs.push(run);
      last.to = to;
    } else {
      pieces.push({ runs: [run], from, to });
    }
  }
  return pieces;
}

function describe(mark, runs) {
  const [first, last] = [runs[0], runs.at(-1)];
  const when = last.until > first.since ? `${clock(first.since)} to ${clock(last.until)}` : clock(first.since);
  const told = runs.slice(-3).map((run) => `${headline(run)}. ${sentence(run.text)}.`);
  const more = runs.length > told.length ? ` ${runs.length} reasons, of which the last are:` : "";
  set(mark, { "aria-label": `${when}:${more} ${told.join(" ")}` });
}

// A triangle that points up (-1) or down (1), standing at a level.
function triangle(x, y, way) {
  const size = 7;
  return `M${x - size} ${y - way * size}H${x + size}L${x} ${y + way * size * 0.8}Z`;
}
