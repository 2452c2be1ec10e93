// Judges whether what the page shows still describes the service, and says so where it does not.

import { byId, set, setText } from "./dom.js";
import { clock, isValue, span } from "./units.js";

// status: the last status event, or null; heardSeconds: time since it came. It says itself how long it is fresh.
export function judge({ status, isConnected, heardSeconds }) {
  const hasGateway = Boolean(status?.gateway_responding);
  const isHeard = isConnected && heardSeconds <= (status?.fresh_for_seconds ?? 0);
  const age = isValue(status?.signals_age_seconds) ? status.signals_age_seconds + heardSeconds : null;
  const problem = !isConnected
    ? "the scaler does not answer"
    : !isHeard
      ? "the scaler sends no readings"
      : !hasGateway
        ? "the gateway does not answer"
        : status.reading === "old"
          ? `the reading is ${span(age)} old`
          : status.reading === "missing"
            ? "there is no reading"
            : null;
  return { isFresh: problem === null, isListed: isHeard && hasGateway, isHeard, isGatewayLost: isHeard && !hasGateway, problem };
}

// Shows connection and banners.
export function showFreshness(fresh, status, isConnected) {
  const state = !isConnected ? "lost" : fresh.isFresh ? "live" : "old";
  setText(byId("link"), { lost: "Disconnected", live: "Live", old: "Not current" }[state]);
  set(byId("link"), { "data-state": state });
  set(document.body, { "data-stale": isConnected && fresh.isHeard ? null : true, "data-fresh": fresh.isFresh });
  const seen = status ? ` What you see is from ${clock(status.at_epoch_seconds)}.` : "";
  show("lost", isConnected ? "" : `The scaler does not answer.${seen} The service keeps running. Reconnecting …`);
  show("gateway", fresh.isGatewayLost ? "Gateway not responding: clients cannot reach the service." : "");
  const isEmpty = fresh.isListed && status.replicas.ready === 0 && status.replicas.desired > 0;
  show("empty", isEmpty ? "No replica is in rotation: the gateway cannot serve any request." : "");
}

// A text that stays the same is not set again, so it is said once.
function show(id, text) {
  const box = byId(id);
  if (text) setText(box, text);
  box.hidden = !text;
}
