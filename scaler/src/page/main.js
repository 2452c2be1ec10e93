// Puts the page together: what the stream tells goes into the history, and the history is drawn.

import { Charts } from "./charts.js";
import { Controls } from "./controls.js";
import { showDecisions } from "./decisions.js";
import { byId, set, setText } from "./dom.js";
import { History } from "./history.js";
import { Live } from "./live.js";
import { showAbout, showLastDecision, showNow, showPolicy } from "./overview.js";
import { showReplicas } from "./replicas.js";
import { api, offerServices } from "./service.js";
import { clock, count, duration } from "./units.js";

const history = new History();
const charts = new Charts(history);
const controls = new Controls();

// What never changes while a scaler runs, and the newest state.
let facts = null;
let status = null;
let isFetching = false;
let isDrawing = false;

const live = new Live({ opened, lost, status: takeStatus, decision: takeDecision });
live.start();
// Without the list this page still shows the service that it is for.
offerServices().catch(() => {});

function opened() {
  setText(byId("link"), "Live");
  set(byId("link"), { "data-state": "live" });
  set(document.body, { "data-stale": null });
  byId("lost").hidden = true;
  refetch();
}

function lost() {
  setText(byId("link"), "Disconnected");
  set(byId("link"), { "data-state": "lost" });
  set(document.body, { "data-stale": true });
  const seen = status ? ` What you see is from ${clock(status.at_epoch_seconds)}.` : "";
  const box = byId("lost");
  // Said once, not with each attempt.
  if (box.hidden) setText(box, `The scaler does not answer.${seen} The service runs on; this page connects again by itself.`);
  box.hidden = false;
}

// Loads what the scaler keeps and this page does not have yet.
async function refetch() {
  if (isFetching) return;
  isFetching = true;
  try {
    const since = history.newest ? `&since=${history.newest.t}` : "";
    const [whole, past] = await Promise.all([getJson("/status"), getJson(`/history?form=columns${since}`)]);
    facts = whole;
    history.load(past);
    showPolicy(whole);
    charts.know({ slo: whole.slo, thresholds: whole.policy.thresholds });
    live.confirm();
    drawSoon();
  } catch {
    live.lose();
  } finally {
    isFetching = false;
  }
}

async function getJson(path) {
  const reply = await fetch(api + path, { signal: AbortSignal.timeout(10000) });
  if (!reply.ok) throw new Error(`${path} answered ${reply.status}`);
  return reply.json();
}

function takeStatus(event) {
  const before = history.newest;
  const isMissing = before && event.at_epoch_seconds - before.t > history.gapSeconds;
  // Asked before the new point is added: the history is wanted from the last known point on.
  if (isMissing) refetch();
  if (!history.add(event)) {
    history.clear();
    refetch();
  }
  // Replicas come less often where there are many.
  status = { ...event, endpoints: event.endpoints ?? status?.endpoints ?? [] };
  drawSoon();
}

function takeDecision(event) {
  history.addDecision(event);
  drawSoon();
}

function drawSoon() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    draw();
  });
}

function draw() {
  if (!status || !facts) return;
  const runs = history.runs();
  charts.know({ limits: status.replicas });
  charts.draw();
  controls.show(status);
  showNow(status, history, facts.slo);
  showLastDecision(runs);
  showReplicas(status.endpoints);
  showDecisions(runs);
  showAbout({ ...facts, uptimeSeconds: status.uptime_seconds });
  document.title = `${duration(status.signals.response_time_p95_seconds)} · ${count(status.replicas.ready)} ready · Autoscale Lab`;
}
