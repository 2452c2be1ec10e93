// Keeps the last 15 minutes as the scaler told them: loaded once, then continued event by event.

export const SPAN_SECONDS = 900;

// Without news for this long, something was missed; a scaler that looks less often is allowed three of its intervals.
const GAP_SECONDS = 5;

export class History {
  points = [];
  decisions = [];
  events = [];

  get newest() {
    return this.points.at(-1) ?? null;
  }

  // Longest time between two points that a line is still drawn over.
  get gapSeconds() {
    const last = this.points.slice(-10);
    const spacings = last.slice(1).map((point, index) => point.t - last[index].t).sort((a, b) => a - b);
    return Math.max(GAP_SECONDS, 3 * (spacings[spacings.length >> 1] ?? 0));
  }

  // Takes the answer of /api/history in columns; what is known already stays once.
  load(columns) {
    const signals = Object.entries(columns.signals);
    const points = columns.at_epoch_seconds.map((t, index) => ({
      t,
      signals: Object.fromEntries(signals.map(([name, values]) => [name, values[index]])),
      replicas: {
        current: columns.replicas.current[index],
        ready: columns.replicas.ready[index],
        desired: columns.replicas.desired[index],
      },
      loadFactor: columns.load_factor[index],
    }));
    this.points = inOrder([...this.points, ...points], (point) => point.t);
    this.decisions = inOrder([...this.decisions, ...columns.decisions.map(toDecision)], (decision) => decision.at);
    this.events = inOrder([...this.events, ...columns.events.map(toEvent)], (event) => event.key);
    this.#forget();
  }

  // Takes a status event; values that do not describe its moment are left out, as the scaler does in its history.
  // False if its time is before the newest: the scaler's clock was set back.
  add(status, isFresh) {
    const t = status.at_epoch_seconds;
    const newest = this.newest;
    if (newest && t <= newest.t) return t > newest.t - GAP_SECONDS;
    const replicas = status.gateway_responding ? status.replicas : { ...status.replicas, ready: null };
    this.points.push({ t, signals: isFresh ? status.signals : {}, replicas, loadFactor: isFresh ? status.load_factor : null });
    this.#forget();
    return true;
  }

  addDecision(event) {
    this.decisions = inOrder([...this.decisions, toDecision(event)], (decision) => decision.at);
    this.#forget();
  }

  addEvent(event) {
    this.events = inOrder([...this.events, toEvent(event)], (known) => known.key);
    this.#forget();
  }

  clear() {
    this.points = [];
    this.decisions = [];
    this.events = [];
  }

  // Decisions in groups: each action alone, holds for one reason together.
  runs() {
    const runs = [];
    for (const decision of this.decisions) {
      const last = runs.at(-1);
      const continues =
        last &&
        decision.action === "hold" &&
        last.action === "hold" &&
        last.to === decision.to &&
        shapeOf(last.text) === shapeOf(decision.text);
      if (continues) {
        Object.assign(last, { text: decision.text, until: decision.t, checks: last.checks + 1 });
      } else {
        runs.push({ ...decision, since: decision.t, until: decision.t, checks: 1 });
      }
    }
    return runs;
  }

  #forget() {
    const newest = this.newest?.t ?? this.decisions.at(-1)?.t ?? 0;
    const isRecent = (item) => item.t >= newest - SPAN_SECONDS;
    if (this.points.length > 0 && !isRecent(this.points[0])) this.points = this.points.filter(isRecent);
    this.decisions = this.decisions.filter(isRecent);
    this.events = this.events.filter(isRecent);
  }
}

const toDecision = (decision) => ({
  t: Date.parse(decision.at) / 1000,
  at: decision.at,
  action: decision.action,
  from: decision.from,
  to: decision.to,
  reason: decision.reason,
  text: decision.reason_text,
});

// Two events may fall into one millisecond.
const toEvent = ({ at, tone, text }) => ({ t: Date.parse(at) / 1000, at, key: `${at} ${text}`, tone, text });

// A sentence without its numbers: holds whose sentences differ in nothing else are one to a reader.
const shapeOf = (text) => text.replace(/[\d.]+(?: ?m?s\b)?/g, "#");

// Sorted by time, each key once.
function inOrder(items, keyOf) {
  const byKey = new Map(items.map((item) => [keyOf(item), item]));
  return [...byKey.values()].sort((a, b) => a.t - b.t);
}
