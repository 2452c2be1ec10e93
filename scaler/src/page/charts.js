// The charts, what each shows, and the cursor that they share.

import { Chart } from "./chart.js";
import { DecisionMarks } from "./chart_marks.js";
import { byId, setText } from "./dom.js";
import { served, thresholdValue } from "./overview.js";
import { count, duration, durationTicks, factor, factorTicks, isValue, plainTicks, rate } from "./units.js";

// With little history the axis does not begin long before it.
const SPAN_SECONDS_MIN = 120;

const signal = (name) => (point) => point.signals[name] ?? null;

export class Charts {
  #facts = { slo: null, thresholds: [], limits: null };
  #marks = new DecisionMarks();
  #span = 900;
  #lookedAt = null;
  #isDrawing = false;
  #history;

  constructor(history) {
    this.#history = history;
    const cursor = {
      at: (t) => {
        this.#lookedAt = t;
        this.#drawSoon();
      },
      read: (text) => setText(byId("reading"), text),
    };
    this.charts = this.#specs().map((spec) => new Chart(spec, cursor));
    byId("charts").append(...this.charts.map((chart) => chart.figure));
    document.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "touch" || event.target.closest?.(".plot-box")) return;
      cursor.at(null);
      this.#marks.hide();
    });
    new ResizeObserver(() => this.draw()).observe(byId("charts"));
    for (const input of document.querySelectorAll("input[name=span]")) {
      input.addEventListener("change", () => {
        this.#span = Number(input.value);
        this.draw();
      });
    }
  }

  // What the lines are drawn at: { slo, thresholds, limits }.
  know(facts) {
    Object.assign(this.#facts, facts);
  }

  // A pointer moves more often than a screen shows.
  #drawSoon() {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      this.draw();
    });
  }

  draw() {
    const newest = this.#history.newest;
    if (!newest) return;
    const end = newest.t;
    const first = this.#history.points[0].t;
    const begin = this.#span === 900 ? Math.min(first, end - SPAN_SECONDS_MIN) : end - this.#span;
    const start = Math.max(end - this.#span, begin);
    const points = this.#history.points.filter((point) => point.t >= start);
    const events = this.#history.events.filter((event) => event.t >= start && event.t <= end);
    const view = { points, events, start, end, gap: this.#history.gapSeconds, cursorPoint: nearest(points, this.#lookedAt) };
    this.#marks.setRuns(this.#history.runs());
    for (const chart of this.charts) {
      // Where there is no dependency nothing ever waits for it.
      const isOf = chart.spec.onlyWith;
      chart.figure.hidden = Boolean(isOf) && !this.#history.points.some((point) => isOf(point) > 0);
      if (!chart.figure.hidden) chart.draw(view);
    }
  }

  // The policy's thresholds that belong to a chart of these signals. The charts show the whole service, so one per replica
  // is drawn at as many times its value as there are ready replicas now.
  #thresholds(...signals) {
    const ready = this.#history.points.findLast((point) => isValue(point.replicas.ready))?.replicas.ready ?? 1;
    return this.#facts.thresholds
      .filter((threshold) => signals.includes(threshold.signal))
      .map(({ direction, value, per_replica: perReplica, ...threshold }) => ({
        label: `scale ${direction} ${direction === "up" ? "above" : "below"} ${thresholdValue({ ...threshold, value, per_replica: perReplica })}`,
        value: isValue(perReplica) ? perReplica * Math.max(1, ready) : value,
        kind: `threshold ${direction}`,
      }));
  }

  #sloLine() {
    const { slo } = this.#facts;
    if (!slo) return [];
    return [{ label: `SLO: p95 ≤ ${duration(slo.p95_seconds)}`, value: slo.p95_seconds, kind: "slo" }];
  }

  #limitLines() {
    const { limits } = this.#facts;
    return limits ? [{ label: `maximum ${limits.max}`, value: limits.max, kind: "threshold limit" }] : [];
  }

  #specs() {
    const times = ["mean", "p50", "p95", "p99"].map((name) => `response_time_${name}_seconds`);
    return [
      {
        title: "Response time",
        isWide: true,
        height: 250,
        format: duration,
        axis: durationTicks,
        summarised: 2,
        series: [
          { label: "mean", kind: "mean", value: signal(times[0]) },
          { label: "p50", kind: "p50", value: signal(times[1]) },
          { label: "p95", kind: "p95", value: signal(times[2]) },
          { label: "p99", kind: "p99", value: signal(times[3]) },
        ],
        lines: () => [...this.#sloLine(), ...this.#thresholds(...times)],
      },
      {
        title: "Replicas and decisions",
        isWide: true,
        height: 210,
        format: count,
        axis: plainTicks(""),
        isWhole: true,
        summarised: 1,
        marks: this.#marks,
        help: "▲ ▼ are actions; the band below says why nothing was changed; vertical lines are events. Point at them, or step through them with the arrow keys.",
        series: [
          { label: "ready", kind: "ready", isStep: true, isFilled: true, value: (point) => point.replicas.ready },
          { label: "desired", kind: "wanted", isStep: true, value: (point) => point.replicas.desired },
        ],
        lines: () => this.#limitLines(),
      },
      {
        title: "Requests",
        format: rate,
        least: 10,
        axis: plainTicks("/s"),
        series: [
          { label: "offered", kind: "offered", value: signal("requests_per_second") },
          { label: "served", kind: "served", value: (point) => served(point.signals) },
        ],
        lines: () => this.#thresholds("requests_per_second"),
      },
      {
        title: "Errors and refusals",
        format: rate,
        least: 1,
        axis: plainTicks("/s"),
        series: [
          { label: "refused", kind: "refused", value: signal("refused_per_second") },
          { label: "failed", kind: "errors", value: signal("errors_per_second") },
        ],
        lines: () => this.#thresholds("refused_per_second", "errors_per_second"),
      },
      {
        title: "Queue depth per replica",
        format: count,
        axis: plainTicks(""),
        isWhole: true,
        least: 4,
        series: [{ label: "waiting", kind: "queue", isFilled: true, value: signal("queue_depth") }],
        lines: () => this.#thresholds("queue_depth"),
      },
      {
        title: "Load factor",
        format: factor,
        axis: factorTicks,
        least: 2,
        series: [{ label: "factor", kind: "load", isFilled: true, value: (point) => point.loadFactor }],
      },
      {
        title: "Wait for the dependency",
        format: duration,
        axis: durationTicks,
        isWide: true,
        least: 0.004,
        onlyWith: signal("dependency_wait_seconds"),
        series: [{ label: "mean wait for a connection", kind: "wait", isFilled: true, value: signal("dependency_wait_seconds") }],
        lines: () => this.#thresholds("dependency_wait_seconds"),
      },
    ];
  }
}

function nearest(points, t) {
  if (t === null || points.length === 0) return null;
  return points.reduce((best, point) => (Math.abs(point.t - t) < Math.abs(best.t - t) ? point : best));
}
