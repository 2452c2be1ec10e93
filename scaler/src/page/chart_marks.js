// Marks decisions on a chart: a triangle for each action, and below the axis a band that says why nothing was done.
//
// The marks are one stop for the Tab key; arrow keys lead from one to the next, and each says its reason.

import { element, keyed, set, setText, svg } from "./dom.js";
import { headline } from "./overview.js";
import { clock, sentence } from "./units.js";

const BAND_HEIGHT = 14;

// What a hold's reason means, and the word that stands in the band where it fits.
const HOLDS = {
  within_thresholds: ["calm", "in range"],
  at_minimum: ["calm", "at minimum"],
  breach_pending: ["pending", "waiting for another check"],
  cooldown_active: ["cooldown", "cooldown"],
  at_maximum: ["limit", "at maximum"],
  paused: ["paused", "paused"],
};
const BLIND = ["limit", "no data"];

// Width of a letter in the band, in pixels, and the room around a word.
const LETTER_WIDTH = 5.6;
const WORD_MARGIN = 8;

export class DecisionMarks {
  height = BAND_HEIGHT + 8;
  #band = svg("g", { class: "band" });
  #actions = svg("g", { class: "actions" });
  #group = svg("g", {
    role: "group",
    "aria-label": "Decisions. Left and right arrow keys lead from one to the next.",
  });
  #bubble = element("div", { class: "bubble", role: "tooltip", hidden: "" });
  #runs = [];
  // The mark that the Tab key reaches, and the one whose reason is shown.
  #stop = null;
  #shown = null;

  attach(drawing, box) {
    this.#group.append(this.#band, this.#actions);
    drawing.append(this.#group);
    box.append(this.#bubble);
    this.#group.addEventListener("keydown", (event) => this.#move(event));
    this.#group.addEventListener("focusin", (event) => this.#show(event.target.closest("[data-key]")));
    this.#group.addEventListener("focusout", () => this.#show(null));
    this.#group.addEventListener("pointerover", (event) => this.#show(event.target.closest("[data-key]")));
    this.#group.addEventListener("pointerout", () => this.#show(null));
  }

  setRuns(runs) {
    this.#runs = runs;
  }

  draw(x, y, floor, view) {
    const visible = this.#runs.map((run, index) => ({
      ...run,
      // A hold lasts until somebody decides otherwise.
      ends: Math.min(this.#runs[index + 1]?.since ?? view.end, view.end),
    })).filter((run) => run.ends >= view.start && run.since <= view.end);
    const top = floor + 4;
    keyed(this.#band, visible.filter((run) => run.action === "hold"), (run) => run.at, createHold, (mark, run) => {
      const [from, to] = [x(Math.max(run.since, view.start)), x(run.ends)];
      const [kind, word] = HOLDS[run.reason] ?? BLIND;
      const width = Math.max(2, to - from - 1);
      set(mark, { class: `mark ${kind}`, "data-x": (from + to) / 2, "data-y": top });
      set(mark.children[0], { x: from, y: top, width, height: BAND_HEIGHT });
      setText(mark.children[1], word.length * LETTER_WIDTH + WORD_MARGIN <= width ? word : "");
      set(mark.children[1], { x: (from + to) / 2, y: top + BAND_HEIGHT - 3.5 });
      describe(mark, run);
    });
    keyed(this.#actions, visible.filter((run) => run.action !== "hold" && run.since >= view.start), (run) => run.at, createAction, (mark, run) => {
      const [middle, level] = [x(run.since), y(run.to)];
      const isUp = run.action === "up";
      set(mark, { class: `mark ${run.action}`, "data-x": middle, "data-y": level });
      set(mark.firstChild, { d: isUp ? triangle(middle, level, -1) : triangle(middle, level, 1) });
      describe(mark, run);
    });
    this.#keepOneStop();
    if (this.#shown?.isConnected) this.#show(this.#shown);
    else this.#show(null);
  }

  #inTime() {
    return [...this.#band.children, ...this.#actions.children].sort((a, b) => a.dataset.x - b.dataset.x);
  }

  #keepOneStop() {
    const marks = this.#inTime();
    if (!this.#stop?.isConnected) this.#stop = marks.at(-1) ?? null;
    for (const mark of marks) set(mark, { tabindex: mark === this.#stop ? 0 : -1 });
  }

  #move(event) {
    const marks = this.#inTime();
    const here = marks.indexOf(event.target.closest("[data-key]"));
    const places = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: marks.length - 1 };
    if (event.key === "Escape") return this.#show(null);
    if (!(event.key in places)) return;
    event.preventDefault();
    this.#stop = marks[Math.max(0, Math.min(marks.length - 1, places[event.key]))];
    this.#keepOneStop();
    this.#stop.focus();
  }

  #show(mark) {
    this.#shown = mark;
    this.#bubble.hidden = !mark;
    if (!mark) return;
    setText(this.#bubble, mark.getAttribute("aria-label"));
    const room = this.#bubble.parentElement.clientWidth;
    const half = this.#bubble.offsetWidth / 2;
    const left = Math.max(half, Math.min(room - half, Number(mark.dataset.x)));
    this.#bubble.style.left = `${left}px`;
    this.#bubble.style.bottom = `calc(100% - ${mark.dataset.y}px + 12px)`;
  }
}

const createHold = () => svg("g", { role: "img" }, svg("rect", { rx: 2 }), svg("text", { "text-anchor": "middle", "aria-hidden": true }));

const createAction = () => svg("g", { role: "img" }, svg("path"));

function describe(mark, run) {
  const when = run.until > run.since ? `${clock(run.since)} to ${clock(run.until)}` : clock(run.since);
  set(mark, { "aria-label": `${when}: ${headline(run)}. ${sentence(run.text)}.` });
}

// A triangle that points up (-1) or down (1), standing at a level.
function triangle(x, y, way) {
  const size = 7;
  return `M${x - size} ${y - way * size}H${x + size}L${x} ${y + way * size * 0.8}Z`;
}
