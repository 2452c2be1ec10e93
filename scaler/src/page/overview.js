// The numbers that matter, in large: p95, the verdict, replicas, load; and why the last decision was made.

import { byId, element, keyed, set, setText } from "./dom.js";
import { clock, count, duration, factor, isValue, percent, rate, sentence, signalLabel, signalValue, span } from "./units.js";

// A mean wait for the dependency from which on its connections count as taken.
const WAIT_SECONDS = 0.001;

export function showPolicy({ policy, window_seconds: windowSeconds }) {
  const { settings, thresholds } = policy;
  const acts = thresholds.map(
    (threshold) => `scales ${threshold.direction} ${threshold.direction === "up" ? "above" : "below"} ${thresholdValue(threshold)}`,
  );
  const on = thresholds.length > 0 ? `${signalLabel(thresholds[0].signal)} over ${span(windowSeconds)}: ${acts.join(", ")}` : "";
  const every = settings.checkInterval ? `checked every ${settings.checkInterval}` : "";
  setText(byId("policy"), [`Policy ${policy.name}`, on, every].filter(Boolean).join(" · "));
}

// A threshold as the policy states it: of the whole service, or of one replica's share.
export function thresholdValue({ signal, value, per_replica: perReplica }) {
  return isValue(perReplica) ? `${signalValue(signal, perReplica)} per replica` : signalValue(signal, value);
}

export function showAbout({ service, source, actuator, uptimeSeconds }) {
  setText(
    byId("about"),
    `Scaler of ${service} · source ${source} · actuator ${actuator} · up for ${span(uptimeSeconds)} · times are local${zone()}`,
  );
}

export function showNow(status, history, slo, freshness) {
  const fresh = { ...freshness, isListed: freshness.isListed && isValue(status.replicas.ready) };
  showP95(status, slo, fresh);
  showVerdict(status, history, slo, fresh);
  showReplicas(status, fresh);
  showLoad(status, fresh);
  showDependency(status, fresh);
  showProblems(status);
}

function showP95({ signals }, slo, { isFresh, problem }) {
  const p95 = signals.response_time_p95_seconds;
  setText(byId("p95"), duration(p95));
  const all = `mean ${duration(signals.response_time_mean_seconds)} · p99 ${duration(signals.response_time_p99_seconds)}`;
  setText(byId("p95-note"), isFresh ? (isValue(p95) ? all : "No reading.") : isValue(p95) ? `last known: ${problem}` : sentence(problem));
  set(byId("tile-p95"), { "data-verdict": !isFresh ? "unknown" : isValue(p95) ? verdict(p95 <= slo.p95_seconds) : "none" });
}

function showVerdict({ signals, replicas }, history, slo, { isFresh, isListed, problem }) {
  const p95 = signals.response_time_p95_seconds;
  const success = successRatio([signals]);
  const isServing = !isListed || replicas.ready > 0;
  const isKnown = isFresh && (isValue(p95) || !isServing);
  const isFast = isValue(p95) && p95 <= slo.p95_seconds;
  const isSound = success === null || success >= slo.success_ratio;
  const isMet = isFast && isSound && isServing;
  setText(byId("slo"), !isKnown ? "Unknown" : isMet ? "✓ Met" : "✕ Missed");
  set(byId("tile-slo"), { "data-verdict": isKnown ? verdict(isMet) : "unknown" });
  const missed = [
    ...(isServing ? [] : ["no replica in rotation"]),
    ...(isFast || !isValue(p95) ? [] : [`p95 above ${duration(slo.p95_seconds)}`]),
    ...(isSound ? [] : [failures(signals, success)]),
  ];
  const goal = `p95 ≤ ${duration(slo.p95_seconds)}, ${percent(slo.success_ratio)} succeed`;
  const past = share(history.points, slo);
  const kept = past ? ` · met ${percent(past.ratio)} of the last ${span(past.seconds)}` : "";
  const why = problem ? sentence(problem) : goal;
  setText(byId("slo-note"), !isKnown ? why : `${missed.length > 0 ? missed.join(", ") : goal}${kept}`);
}

// One word for what failed and what was refused, with the sum written out.
function failures(signals, success) {
  const parts = [`${rate(signals.errors_per_second ?? 0)} failed`, `${rate(signals.refused_per_second ?? 0)} refused`];
  return `${percent(1 - success)} unsuccessful (${parts.join(" + ")})`;
}

function showReplicas({ replicas, acting, paused }, { isListed, isHeard }) {
  const ready = isListed ? replicas.ready : "?";
  const isLeaving = isListed && replicas.ready > replicas.desired;
  setText(byId("ready"), isLeaving ? `${ready} → ${replicas.desired}` : `${ready} of ${replicas.desired}`);
  const doing = paused ? " · autoscaling paused" : acting ? " · changing now" : "";
  const what = !isListed ? "rotation unknown" : isLeaving ? "ready → desired" : "ready of desired";
  setText(byId("replicas-note"), `${what} · ${replicas.min} to ${replicas.max} allowed${isHeard ? doing : ""}`);
  const isDown = replicas.ready === 0 && replicas.desired > 0;
  const state = isDown ? "missed" : replicas.ready !== replicas.desired ? "changing" : "none";
  set(byId("tile-replicas"), { "data-verdict": isListed ? state : "unknown" });
}

function showDependency({ signals }, { isFresh }) {
  const wait = signals.dependency_wait_seconds;
  // Without a dependency nothing ever waits for it; with one, measuring alone takes some time.
  if (wait > 0) byId("tile-dependency").hidden = false;
  const isWaiting = isValue(wait) && wait >= WAIT_SECONDS;
  setText(byId("dependency"), duration(wait));
  const state = isWaiting ? "◐ requests wait for a connection" : "● connections are free";
  setText(byId("dependency-note"), !isFresh ? "last known wait" : isValue(wait) ? `mean wait · ${state}` : "No reading.");
  set(byId("tile-dependency"), { "data-verdict": !isFresh ? "unknown" : isWaiting ? "changing" : "none" });
}

function showLoad({ signals, load_factor: loadFactor }, { isFresh }) {
  set(byId("tile-load"), { "data-verdict": isFresh ? "none" : "unknown" });
  setText(byId("load"), factor(loadFactor));
  setText(byId("load-note"), `${isFresh ? "" : "last known: "}${rate(signals.requests_per_second)} offered · ${rate(served(signals))} served`);
}

function showProblems({ problems, problems_left_out: leftOut }) {
  const box = byId("problems");
  box.hidden = problems.length === 0;
  const lines = problems.map((problem) => `${sentence(problem)}.`);
  if (leftOut > 0) lines.push(`And ${count(leftOut)} more.`);
  keyed(byId("problem-list"), lines.entries(), ([index]) => index, () => element("li"), (line, [, text]) => setText(line, text));
}

export function showLastDecision(runs) {
  const last = runs.at(-1);
  if (last) setText(byId("why"), `${clock(last.until)} · ${headline(last)}. ${sentence(last.text)}.`);
}

// How the reader's clock differs from UTC.
function zone() {
  const minutes = -new Date().getTimezoneOffset();
  const hours = Math.abs(minutes / 60);
  return ` (UTC${minutes < 0 ? "−" : "+"}${Number(hours.toFixed(2))})`;
}

// A decision in a few words.
export function headline({ action, from, to, checks }) {
  if (action === "hold") return `Hold at ${from}${checks > 1 ? `, ${checks} checks` : ""}`;
  return `${action === "up" ? "▲ Up" : "▼ Down"} ${from} → ${to}`;
}

// Requests that were answered without an error, per second.
export function served(signals) {
  const { requests_per_second: offered, refused_per_second: refused, errors_per_second: errors } = signals;
  return isValue(offered) ? Math.max(0, offered - (refused ?? 0) - (errors ?? 0)) : null;
}

const verdict = (isMet) => (isMet ? "met" : "missed");

// Share of the requests that succeeded; none where there were none.
function successRatio(readings) {
  let [all, good] = [0, 0];
  for (const signals of readings) {
    all += signals.requests_per_second ?? 0;
    good += served(signals) ?? 0;
  }
  return all > 0 ? good / all : null;
}

// Share of the time shown in which the objective was met.
function share(points, slo) {
  const judged = points.filter((point) => isValue(point.signals.response_time_p95_seconds));
  if (judged.length < 2) return null;
  const met = judged.filter(
    ({ signals }) =>
      signals.response_time_p95_seconds <= slo.p95_seconds && (successRatio([signals]) ?? 1) >= slo.success_ratio,
  );
  return { ratio: met.length / judged.length, seconds: judged.at(-1).t - judged[0].t };
}
