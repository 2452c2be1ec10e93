// The replicas as a table; on a narrow screen each becomes a block with the same labels.

import { byId, element, keyed, set, setText } from "./dom.js";
import { bytes, cores, count, duration, isValue, percent, span } from "./units.js";

// A sign, because colour alone tells nobody who cannot see it.
const STATES = {
  ready: ["●", "in rotation"],
  starting: ["◌", "starting"],
  draining: ["◐", "draining"],
  not_ready: ["✕", "not ready"],
  not_responding: ["✕", "not responding"],
  ejected: ["✕", "ejected"],
  unknown: ["?", "rotation unknown"],
};

// Once one was seen its column stays, also while nothing waits for it.
let hasDependency = false;

const NUMBERS = [
  ["In flight", (replica) => count(replica.in_flight)],
  ["EWMA", (replica) => duration(isValue(replica.ewma_ms) ? replica.ewma_ms / 1000 : null)],
  ["p95", (replica) => duration(replica.response_time_p95_seconds)],
  ["Queue", (replica) => count(replica.queue_depth)],
  ["Dependency wait", (replica) => duration(replica.dependency_wait_seconds)],
  ["Workers busy", (replica) => percent(replica.utilization)],
  ["CPU cores", (replica) => cores(replica.cpu_cores)],
  ["Memory", (replica) => bytes(replica.memory_bytes)],
  ["Age", (replica) => span(replica.age_seconds)],
];

export function showReplicas(replicas, fresh) {
  // A state that is not known now is not shown as if it were.
  const ofGateway = fresh.isListed ? {} : { in_flight: null, ewma_ms: null };
  const known = replicas.map((replica) => ({ ...replica, ...ofGateway, ...(fresh.isHeard ? {} : { state: "unknown" }) }));
  hasDependency ||= replicas.some((replica) => replica.dependency_wait_seconds > 0);
  set(byId("replica-rows").parentElement, { "data-dependency": hasDependency });
  keyed(byId("replica-rows"), known, (replica) => replica.url ?? replica.id, createRow, updateRow);
  byId("no-replicas").hidden = replicas.length > 0;
}

function createRow() {
  const cell = (label, attributes = {}) => element("td", { role: "cell", "data-label": label, ...attributes });
  const name = element("th", { role: "rowheader", scope: "row" }, element("span"), element("span", { class: "muted" }));
  const state = cell("State");
  state.append(element("span", { class: "state" }, element("span", { "aria-hidden": true }), element("span")));
  return element("tr", { role: "row" }, name, state, ...NUMBERS.map(([label]) => cell(label, { class: label.startsWith("Dep") ? "number dependency" : "number" })));
}

function updateRow(row, replica) {
  const [name, state, ...numbers] = row.children;
  setText(name.children[0], replica.id === replica.url ? address(replica.url) : replica.id);
  const details = [replica.id === replica.url ? null : address(replica.url), isValue(replica.pid) ? `process ${replica.pid}` : null];
  setText(name.children[1], details.filter(Boolean).join(" · "));
  const [sign, word] = STATES[replica.state] ?? STATES.unknown;
  setText(state.firstChild.children[0], sign);
  setText(state.firstChild.children[1], word);
  set(row, { "data-state": replica.state });
  NUMBERS.forEach(([, write], index) => setText(numbers[index], write(replica)));
}

const address = (url) => (url ?? "").replace(/^https?:\/\//, "").replace(/\/$/, "");
