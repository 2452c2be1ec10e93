// The numbers that matter, in large: p95, the verdict, replicas, load; and why the last decision was made.

import { byId, set, setText } from "./dom.js";
import { clock, count, duration, factor, isValue, percent, rate, sentence, signalLabel, signalValue, span } from "./units.js";

// A reading older than this is said to be old.
const OLD_SECONDS = 5;

export function showPolicy({ policy, window_seconds: windowSeconds }) {
  const { settings, thresholds } = policy;
  const acts = thresholds.map(
    (threshold) => `${threshold.direction} ${threshold.direction === "up" ? "above" : "below"} ${thresholdValue(threshold)}`,
  );
  const on = thresholds.length > 0 ? `${signalLabel(thresholds[0].signal)} over ${span(windowSeconds)}: ${acts.join(", ")}` : "";
  const every = settings.checkInterval ? `a check each ${settings.checkInterval}` : "";
  setText(byId("policy"), [`Policy ${policy.name}`, on, every].filter(Boolean).join(" · "));
}

// A threshold as the policy states it: of the whole service, or of one replica's share.
export function thresholdValue({ signal, value, per_replica: perReplica }) {
  return isValue(perReplica) ? `${signalValue(signal, perReplica)} per replica` : signalValue(signal, value);
}

export function showAbout({ service, source, actuator, uptimeSeconds }) {
  setText(
    byId("about"),
    `Scaler of ${service} · source ${source} · actuator ${actuator} · up for ${span(uptimeSeconds)} · times are yours, not UTC`,
  );
}

export function showNow(status, history, slo) {
  showP95(status, slo);
  showVerdict(status, history, slo);
  showReplicas(status);
  showLoad(status);
  showProblems(status);
}

function showP95({ signals, signals_age_seconds: age }, slo) {
  const p95 = signals.response_time_p95_seconds;
  setText(byId("p95"), duration(p95));
  const old = isValue(age) && age > OLD_SECONDS ? ` · the reading is ${span(age)} old` : "";
  const mean = `mean ${duration(signals.response_time_mean_seconds)}`;
  setText(byId("p95-note"), isValue(p95) ? `${mean} · p99 ${duration(signals.response_time_p99_seconds)}${old}` : "No reading.");
  set(byId("tile-p95"), { "data-verdict": isValue(p95) ? verdict(p95 <= slo.p95_seconds) : "none" });
}

function showVerdict({ signals }, history, slo) {
  const p95 = signals.response_time_p95_seconds;
  const success = successRatio([signals]);
  const known = isValue(p95);
  const isFast = known && p95 <= slo.p95_seconds;
  const isSound = success === null || success >= slo.success_ratio;
  setText(byId("slo"), !known ? "–" : isFast && isSound ? "✓ Met" : "✕ Missed");
  set(byId("tile-slo"), { "data-verdict": known ? verdict(isFast && isSound) : "none" });
  const missed = [
    ...(isFast ? [] : [`p95 above ${duration(slo.p95_seconds)}`]),
    ...(isSound ? [] : [`${percent(1 - success)} failed`]),
  ];
  const goal = `p95 ≤ ${duration(slo.p95_seconds)}, ${percent(slo.success_ratio)} succeed`;
  const past = share(history.points, slo);
  const kept = past ? ` · met ${percent(past.ratio)} of the last ${span(past.seconds)}` : "";
  setText(byId("slo-note"), !known ? goal : `${missed.length > 0 ? missed.join(", ") : goal}${kept}`);
}

function showReplicas({ replicas, acting, paused }) {
  setText(byId("ready"), `${isValue(replicas.ready) ? replicas.ready : "?"} of ${replicas.desired}`);
  const doing = paused ? " · paused" : acting ? " · changing now" : "";
  setText(byId("replicas-note"), `ready of wanted · ${replicas.min} to ${replicas.max} allowed${doing}`);
  set(byId("tile-replicas"), { "data-verdict": isValue(replicas.ready) && replicas.ready < replicas.desired ? "changing" : "none" });
}

function showLoad({ signals, load_factor: loadFactor }) {
  setText(byId("load"), factor(loadFactor));
  setText(byId("load-note"), `${rate(signals.requests_per_second)} offered · ${rate(served(signals))} served`);
}

function showProblems({ problems, problems_left_out: leftOut }) {
  const box = byId("problems");
  box.hidden = problems.length === 0;
  const more = leftOut > 0 ? ` And ${count(leftOut)} more.` : "";
  setText(box, problems.map((problem) => `${sentence(problem)}.`).join(" ") + more);
}

export function showLastDecision(runs) {
  const last = runs.at(-1);
  if (last) setText(byId("why"), `${clock(last.until)} · ${headline(last)}. ${sentence(last.text)}.`);
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
