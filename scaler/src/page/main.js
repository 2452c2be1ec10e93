// Puts the page together: what the stream tells goes into the history, and the history is drawn.

import { Charts } from "./charts.js";
import { Controls } from "./controls.js";
import { showLog } from "./decisions.js";
import { byId } from "./dom.js";
import { judge, showFreshness } from "./freshness.js";
import { History } from "./history.js";
import { Live } from "./live.js";
import { Load } from "./load.js";
import { showAbout, showLastDecision, showNow, showPolicy } from "./overview.js";
import { showReplicas } from "./replicas.js";
import { api, offerServices } from "./service.js";
import { count, duration } from "./units.js";

// What was drawn less long ago is not drawn again for the sake of ages.
const REDRAW_MS = 900;

const history = new History();
const charts = new Charts(history);
const load = new Load();
const controls = new Controls(load);

// What never changes while a scaler runs, and the newest state.
let facts = null;
let status = null;
let heardAt = 0;
let isConnected = false;
let isFetching = false;
let isDrawing = false;
let drawnAt = 0;

const live = new Live({ opened, lost, status: takeStatus, decision: takeDecision, event: takeEvent });
live.start();
// Ages grow and countdowns run without news, too.
setInterval(() => performance.now() - drawnAt > REDRAW_MS && drawSoon(), 1000);
// Without the list this page still shows the service that it is for.
offerServices().catch(() => {});

function opened() {
  isConnected = true;
  refetch();
  drawSoon();
}

function lost() {
  isConnected = false;
  drawSoon();
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
  heardAt = performance.now();
  // Replicas come less often where there are many.
  status = { ...event, endpoints: event.endpoints ?? status?.endpoints ?? [] };
  if (!history.add(event, freshness().isFresh)) {
    history.clear();
    refetch();
  }
  if (event.gateway_responding) load.notice(event.load_factor);
  drawSoon();
}

function takeDecision(event) {
  history.addDecision(event);
  drawSoon();
}

function takeEvent(event) {
  history.addEvent(event);
  drawSoon();
}

function freshness() {
  const heardSeconds = (performance.now() - heardAt) / 1000;
  return judge({ status, isConnected, heardSeconds });
}

function drawSoon() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    drawnAt = performance.now();
    draw();
  });
}

function draw() {
  const isKnown = Boolean(status && facts);
  controls.setConnected(isConnected && isKnown);
  if (!isKnown) {
    if (!isConnected && heardAt === 0 && byId("link").dataset.state === "connecting") return;
    return showFreshness({ isFresh: isConnected, isListed: false, isHeard: true, isGatewayLost: false }, status, isConnected);
  }
  const fresh = freshness();
  const runs = history.runs();
  showFreshness(fresh, status, isConnected);
  charts.know({ limits: status.replicas });
  charts.draw();
  controls.show(status);
  load.show(fresh.isFresh);
  showNow(status, history, facts.slo, fresh);
  showLastDecision(runs);
  showReplicas(status.endpoints, fresh);
  showLog(runs, history.events);
  showAbout({ ...facts, uptimeSeconds: status.uptime_seconds });
  const now = `${duration(status.signals.response_time_p95_seconds)} · ${count(status.replicas.ready)} ready`;
  document.title = `${fresh.isFresh ? now : `⚠ ${fresh.problem}`} · Autoscale Lab`;
}
