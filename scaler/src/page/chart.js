// One chart over time: lines, steps, thresholds, a legend that reads values at any moment, and a summary in words.

import { element, keyed, set, setText, svg } from "./dom.js";
import { showBubble } from "./chart_marks.js";
import { clock, isValue } from "./units.js";

const MARGIN = { left: 58, top: 14, bottom: 24 };

// Room on the right: for labels of horizontal lines, which would hide data inside of the plot, or for none.
const LABEL_MARGIN = 176;
const NARROW_MARGIN = 14;

// A plot narrower than this, in pixels, has its lines explained in the legend.
const LABEL_PLOT_MIN = 620;

// Between two labels, in pixels.
const LABEL_APART = 14;

// An event this near to the cursor, in pixels, is read with it.
const EVENT_REACH = 7;

// At least this much room for each label of the time axis, in pixels.
const TIME_LABEL_WIDTH = 78;

const TIME_STEPS_SECONDS = [10, 30, 60, 120, 300, 600];

export class Chart {
  // spec: title, format(value), axis(ticks) for their labels, series, and optionally least (the axis reaches at least this), isWhole, height,
  //   lines() for horizontal lines, marks (see chart_marks.js), help (a sentence).
  // series: label, kind (a class of page.css), value(point), and optionally isStep, isFilled.
  // cursor: { at(t), read(text) } is told where the reader looks (t is null for now) and what is to be read out.
  constructor(spec, cursor) {
    this.spec = { height: 190, lines: () => [], ...spec };
    this.cursor = cursor;
    this.#build();
  }

  #build() {
    const { spec } = this;
    const id = `chart-${spec.title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
    this.legend = spec.series.map((series) => ({ series, value: element("b", {}, "–") }));
    this.lineLegend = element("ul", { class: "legend line-key" });
    const legend = element("ul", { class: "legend" });
    for (const { series, value } of this.legend) {
      const swatch = svg("svg", { class: "swatch", viewBox: "0 0 22 8", "aria-hidden": true });
      swatch.append(svg("path", { class: `line ${series.kind}`, d: "M1 4H21" }));
      legend.append(element("li", {}, swatch, `${series.label} `, value));
    }
    this.time = element("span", { class: "time muted" });
    this.grid = svg("g", { class: "grid" });
    this.paths = spec.series.map((series) => ({
      series,
      fill: series.isFilled ? svg("path", { class: `fill ${series.kind}` }) : null,
      line: svg("path", { class: `line ${series.kind}` }),
    }));
    this.thresholds = svg("g", { class: "thresholds" });
    this.events = svg("g", { class: "events", "aria-hidden": true });
    this.bubble = element("div", { class: "bubble", role: "tooltip", hidden: "" });
    this.ruler = svg("line", { class: "ruler", visibility: "hidden" });
    // The drawing is one picture to a screen reader; marks, which can be reached one by one, stand beside it.
    this.drawing = svg("g", {
      class: "drawing", tabindex: 0, role: "img", "aria-label": spec.title, "aria-describedby": `${id}-summary chart-help`,
    });
    this.surface = svg("rect", { class: "surface" });
    this.drawing.append(this.surface, this.grid);
    this.drawing.append(...this.paths.flatMap(({ fill, line }) => (fill ? [fill, line] : [line])), this.thresholds, this.events, this.ruler);
    this.svg = svg("svg", { class: "plot", height: spec.height }, this.drawing);
    this.plot = element("div", { class: "plot-box" }, this.svg, this.bubble);
    spec.marks?.attach(this.svg, this.plot, this.cursor);
    this.summary = element("p", { class: "muted summary", id: `${id}-summary` });
    const heading = element("div", { class: "chart-heading" }, element("h3", {}, spec.title), this.time);
    this.figure = element("figure", { class: `card chart${spec.isWide ? " wide" : ""}`, id }, heading, legend, this.lineLegend, this.plot);
    if (spec.marks) this.figure.append(spec.marks.legend());
    this.figure.append(this.summary);
    this.#listen();
  }

  #listen() {
    const timeAt = (event) => {
      const box = this.svg.getBoundingClientRect();
      return this.view ? this.#timeOf(event.clientX - box.left) : null;
    };
    this.svg.addEventListener("pointermove", (event) => this.cursor.at(timeAt(event)));
    this.svg.addEventListener("pointerdown", (event) => this.cursor.at(timeAt(event)));
    // A finger that is lifted has not looked away; the next tap reads another moment, or, elsewhere, now.
    this.svg.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") this.cursor.at(null);
    });
    this.drawing.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30, Home: -Infinity, End: Infinity, Escape: 0 };
      if (!this.view || !(event.key in steps)) return;
      event.preventDefault();
      this.#step(steps[event.key]);
    });
    this.drawing.addEventListener("blur", () => this.#leave());
  }

  // Moves the cursor by whole points and has the values read out.
  #step(by) {
    const { points, cursorPoint } = this.view;
    if (by === 0 || points.length === 0) return this.#leave();
    const here = cursorPoint ? points.indexOf(cursorPoint) : points.length - 1;
    const point = points[Math.max(0, Math.min(points.length - 1, here + by))];
    this.cursor.at(point.t);
    const values = this.spec.series.map(({ label, value }) => `${label} ${this.spec.format(value(point))}`);
    const near = this.#eventsNear(point.t).map((event) => `. ${event.text}`);
    this.cursor.read(`${clock(point.t)}: ${values.join(", ")}${near.join("")}`);
  }

  #leave() {
    this.cursor.at(null);
    this.cursor.read("");
  }

  #eventsNear(t) {
    return this.view.events.filter((event) => Math.abs(this.#x(event.t) - this.#x(t)) <= EVENT_REACH);
  }

  // view: points and events (visible, oldest first), start, end, gap (all seconds), cursorPoint (or null).
  draw(view) {
    const width = this.plot.clientWidth;
    if (width === 0) return;
    this.view = view;
    this.lines = this.spec.lines();
    // Wide charts stand above each other, and their times do so too.
    this.hasLabels = width >= LABEL_PLOT_MIN && (this.lines.length > 0 || Boolean(this.spec.isWide));
    const right = this.hasLabels ? LABEL_MARGIN : NARROW_MARGIN;
    this.size = { width, right: width - right, inner: width - MARGIN.left - right, height: this.spec.height };
    set(this.svg, { width, viewBox: `0 0 ${width} ${this.spec.height}` });
    const bottom = this.spec.marks ? this.spec.marks.height : 0;
    this.floor = this.spec.height - MARGIN.bottom - bottom;
    this.#scale();
    set(this.surface, { x: MARGIN.left, y: MARGIN.top, width: this.size.inner, height: this.floor - MARGIN.top });
    this.#drawGrid();
    for (const path of this.paths) this.#drawSeries(path);
    this.#drawLines();
    this.spec.marks?.draw(this.#x, this.#y, this.floor, view);
    this.#drawEvents();
    this.#drawRuler();
    this.#drawLegend();
  }

  #scale() {
    const { spec, view } = this;
    const values = [spec.least ?? 0, ...this.lines.map((line) => line.value * 1.1)];
    for (const { value } of spec.series) {
      for (const point of view.points) values.push(value(point) ?? 0);
    }
    this.ticks = niceTicks(values.reduce((most, value) => Math.max(most, value), 0), spec.isWhole);
    const top = this.ticks.at(-1);
    const span = view.end - view.start;
    this.#x = (t) => MARGIN.left + ((t - view.start) / span) * this.size.inner;
    this.#y = (value) => this.floor - (value / top) * (this.floor - MARGIN.top);
  }

  #x = () => 0;
  #y = () => 0;

  #timeOf(x) {
    const { start, end } = this.view;
    return start + ((x - MARGIN.left) / this.size.inner) * (end - start);
  }

  #drawGrid() {
    const { start, end } = this.view;
    const parts = [];
    const labels = this.spec.axis(this.ticks);
    for (const [index, tick] of this.ticks.entries()) {
      const y = this.#y(tick);
      parts.push(svg("line", { x1: MARGIN.left, x2: this.size.right, y1: y, y2: y }));
      parts.push(svg("text", { x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" }, labels[index]));
    }
    const room = Math.max(2, this.size.inner / TIME_LABEL_WIDTH);
    const step = TIME_STEPS_SECONDS.find((step) => (end - start) / step <= room) ?? 600;
    // From midnight where the reader is, so that ticks fall on round times of day.
    const offset = new Date(start * 1000).getTimezoneOffset() * 60;
    for (let t = Math.ceil((start - offset) / step) * step + offset; t <= end; t += step) {
      const x = this.#x(t);
      const y = this.spec.height - 6;
      // A label at the edge would be cut in two.
      if (x < MARGIN.left + 14 || x > this.size.right - 14) continue;
      parts.push(svg("text", { x, y, "text-anchor": "middle" }, clock(t, step < 60)));
    }
    this.grid.replaceChildren(...parts);
  }

  #drawSeries({ series, fill, line }) {
    const pieces = pieceUp(this.view.points, series.value, this.view.gap);
    const write = (piece) =>
      piece
        .map(({ t, value }, index) => {
          const [x, y] = [this.#x(t).toFixed(1), this.#y(value).toFixed(1)];
          if (index === 0) return `M${x} ${y}`;
          return series.isStep ? `H${x}V${y}` : `L${x} ${y}`;
        })
        .join("");
    set(line, { d: pieces.map(write).join("") });
    if (!fill) return;
    const close = (piece) => `${write(piece)}V${this.floor}H${this.#x(piece[0].t).toFixed(1)}Z`;
    set(fill, { d: pieces.map(close).join("") });
  }

  #drawLines() {
    const parts = [];
    const labels = [...this.lines].sort((a, b) => b.value - a.value);
    let free = MARGIN.top - LABEL_APART;
    for (const { label, value, kind } of labels) {
      const y = this.#y(value);
      parts.push(svg("line", { class: kind, x1: MARGIN.left, x2: this.size.right, y1: y, y2: y }));
      if (!this.hasLabels) continue;
      // One below the other where lines lie close together.
      free = Math.max(y + 4, free + LABEL_APART);
      parts.push(svg("text", { class: kind, x: this.size.right + 6, y: free }, label));
    }
    this.thresholds.replaceChildren(...parts);
    keyed(this.lineLegend, this.hasLabels ? [] : labels, ({ kind, label }) => `${kind} ${label}`, createLineKey, (item, line) => setText(item.lastChild, line.label));
  }

  #drawEvents() {
    const line = ({ t, tone }) => {
      const x = this.#x(t);
      return svg("line", { class: `event ${tone}`, x1: x, x2: x, y1: MARGIN.top, y2: this.floor });
    };
    // Where there are marks, events are among them, to be reached one by one.
    this.events.replaceChildren(...(this.spec.marks ? [] : this.view.events.map(line)));
    const at = this.view.cursorPoint?.t;
    const near = at === undefined || this.spec.marks?.isShown ? [] : this.#eventsNear(at);
    this.bubble.hidden = near.length === 0;
    if (near.length > 0) showBubble(this.bubble, near.map(({ t, text }) => `${clock(t)}: ${text}.`).join(" "), this.#x(near[0].t), MARGIN.top);
  }

  #drawRuler() {
    const point = this.view.cursorPoint;
    if (!point) return set(this.ruler, { visibility: "hidden" });
    const x = this.#x(point.t);
    set(this.ruler, { visibility: "visible", x1: x, x2: x, y1: MARGIN.top, y2: this.floor });
  }

  #drawLegend() {
    const { cursorPoint, points } = this.view;
    const point = cursorPoint ?? points.at(-1);
    for (const { series, value } of this.legend) setText(value, point ? this.spec.format(series.value(point)) : "–");
    setText(this.time, cursorPoint ? `at ${clock(cursorPoint.t)}` : "now");
    setText(this.summary, [point ? this.#inWords() : "No data yet.", this.spec.help].filter(Boolean).join(" "));
  }

  #inWords() {
    const { spec, view } = this;
    const { label, value } = spec.series[spec.summarised ?? 0];
    const known = view.points.filter((point) => isValue(value(point)));
    if (known.length === 0) return "No data yet.";
    const highest = known.reduce((most, point) => (value(point) > value(most) ? point : most));
    const lowest = known.reduce((least, point) => (value(point) < value(least) ? point : least));
    const name = label.replace(/^[a-z](?=[a-z])/, (letter) => letter.toUpperCase());
    if (value(highest) === value(lowest)) return `${name} stayed at ${spec.format(value(highest))}.`;
    return `${name} from ${spec.format(value(lowest))} to ${spec.format(value(highest))}, highest at ${clock(highest.t)}.`;
  }
}

function createLineKey({ kind }) {
  const swatch = svg("svg", { class: "swatch thresholds", viewBox: "0 0 22 8", "aria-hidden": true });
  swatch.append(svg("line", { class: kind, x1: 1, x2: 21, y1: 4, y2: 4 }));
  return element("li", {}, swatch, document.createTextNode(""));
}

// The stretches of a line that are drawn without a break.
function pieceUp(points, valueOf, gap) {
  const pieces = [];
  let before = null;
  for (const point of points) {
    const value = valueOf(point);
    if (!isValue(value)) {
      before = null;
      continue;
    }
    if (before === null || point.t - before > gap) pieces.push([]);
    pieces.at(-1).push({ t: point.t, value });
    before = point.t;
  }
  return pieces;
}

// Round numbers from 0 to at least `most`, about four of them.
function niceTicks(most, isWhole) {
  const rough = Math.max(most, 1e-9) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 2.5, 5, 10].map((digit) => digit * power).find((candidate) => candidate >= rough * 0.999);
  if (isWhole) step = Math.max(1, Math.ceil(step));
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}
