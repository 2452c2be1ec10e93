// Buttons and forms: each sends one request and says in words what its outcome was.

import { byId, set, setText } from "./dom.js";
import { api } from "./service.js";
import { duration, factor } from "./units.js";

// An action that the scaler has not finished after this long is not waited for.
const TIMEOUT_MS = 20000;

// How long an outcome is shown; one that is not true any more goes at once.
const SHOWN_MS = { done: 10000, failed: 30000 };

const always = () => true;

export class Controls {
  #box = byId("controls");
  #outcome = byId("outcome");
  #pause = byId("pause");
  #inputs = { desired: byId("desired"), min: byId("min"), max: byId("max") };
  #edited = new Set();
  #paused = false;
  #seen = null;
  #isConnected = null;
  #focused = null;
  #holds = always;
  #clearing = 0;

  constructor(schedule) {
    const load = (id, tell) =>
      this.#onClick(id, () =>
        this.#send("POST", `/load/${id}`, undefined, (answer) => {
          schedule.take(answer);
          return [tell(answer), always];
        }),
      );
    load("increase", (load) => `Load set to ${factor(load.factor)} (${demand(load)}).`);
    load("decrease", (load) => `Load set to ${factor(load.factor)} (${demand(load)}).`);
    load("reset", (load) => `Load reset to ${factor(load.factor)} (${demand(load)}).`);
    load("spike", (load) => `Spike started: ${factor(load.factor)}, ${demand(load)}.`);
    this.#onClick("pause", () => this.#togglePause());
    this.#onSubmit("scale", ["desired"], ({ desired }) =>
      this.#send("PUT", "/replicas", { desired }, ({ reached }) => [
        reached === desired ? `Scaled to ${desired}.` : `Asked for ${desired}, reached ${reached}.`,
        ({ replicas }) => replicas.desired === desired,
      ]),
    );
    this.#onSubmit("limits", ["min", "max"], (limits) =>
      this.#send("PUT", "/limits", limits, ({ min, max }) => [
        `Limits set to ${min}–${max}.`,
        ({ replicas }) => replicas.min === min && replicas.max === max,
      ]),
    );
    for (const [name, input] of Object.entries(this.#inputs)) {
      input.addEventListener("input", () => {
        this.#edited.add(name);
        this.#say("none", "");
      });
      // The browser says itself what is wrong; an outcome of before would stand beside it.
      input.addEventListener("invalid", () => this.#say("none", ""));
    }
  }

  // Shows the state in force, but never over what somebody is typing.
  show(status) {
    const { replicas, paused } = status;
    this.#paused = paused;
    this.#seen = status.at_epoch_seconds;
    for (const [name, input] of Object.entries(this.#inputs)) {
      if (!this.#edited.has(name) && document.activeElement !== input) input.value = replicas[name];
    }
    set(this.#inputs.desired, { min: replicas.min, max: replicas.max });
    set(this.#pause, { class: paused ? "strong" : "" });
    setText(this.#pause, paused ? "Resume" : "Pause");
    if (!this.#holds(status)) this.#say("none", "");
  }

  // Without the scaler nothing can be pressed: it would be carried out whenever the scaler runs again.
  setConnected(isConnected) {
    if (isConnected === this.#isConnected) return;
    this.#isConnected = isConnected;
    const focused = document.activeElement;
    if (!isConnected && this.#box.contains(focused)) this.#focused = focused;
    for (const control of this.#box.querySelectorAll("button, input")) control.disabled = !isConnected;
    if (!isConnected) return this.#say("none", "");
    if (document.activeElement === document.body) this.#focused?.focus({ preventScroll: true });
    this.#focused = null;
  }

  async #togglePause() {
    const [path, isPaused, told] = this.#paused
      ? ["/resume", false, "Autoscaling resumed."]
      : ["/pause", true, "Autoscaling paused: only manual changes."];
    await this.#send("POST", path, undefined, () => [told, ({ paused }) => paused === isPaused]);
  }

  #onClick(id, action) {
    const button = byId(id);
    button.addEventListener("click", () => this.#during(button, action));
  }

  #onSubmit(id, names, action) {
    const form = byId(id);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const values = Object.fromEntries(names.map((name) => [name, this.#inputs[name].valueAsNumber]));
      this.#during(byId(`${id}-button`), async () => {
        if (await action(values)) for (const name of names) this.#edited.delete(name);
      });
    });
  }

  // A second press while the first is under way does nothing; a disabled button would lose the focus.
  async #during(button, action) {
    if (!this.#isConnected || button.getAttribute("aria-busy") === "true") return;
    set(button, { "aria-busy": true });
    try {
      await action();
    } finally {
      set(button, { "aria-busy": null });
    }
  }

  // tell(answer) gives the words of the outcome, and whether a later status still agrees with them.
  async #send(method, path, body, tell) {
    this.#say("none", "");
    try {
      // The scaler refuses what it gets long after the status that this page had seen.
      const headers = { ...(body && { "content-type": "application/json" }), ...(this.#seen && { "lab-seen": this.#seen }) };
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const reply = await fetch(api + path, { method, headers, signal, body: body && JSON.stringify(body) });
      const answer = await reply.json().catch(() => ({}));
      if (reply.ok) this.#say("done", ...tell(answer));
      else this.#say("failed", refusal(reply.status, answer));
      return reply.ok;
    } catch (error) {
      const late = error.name === "TimeoutError";
      this.#say("failed", late ? `No answer within ${duration(TIMEOUT_MS / 1000)}.` : "The scaler cannot be reached.");
      return false;
    }
  }

  #say(kind, text, holds = always) {
    clearTimeout(this.#clearing);
    set(this.#outcome, { "data-kind": kind });
    setText(this.#outcome, text);
    this.#holds = always;
    if (kind === "none") return;
    // The status that shows a change may come a moment after its answer.
    this.#clearing = setTimeout(() => {
      this.#holds = holds;
      this.#clearing = setTimeout(() => this.#say("none", ""), SHOWN_MS[kind]);
    }, 2000);
  }
}

const demand = (load) => `${Math.round(load.demand_rps)} synthetic requests/s`;

function refusal(status, { error, hint }) {
  const isForeign = status === 403;
  if (isForeign) return "Read-only here: the controls work on localhost, or under a name given with --allowed-hosts.";
  const what = error ? `Not done: ${error}.` : `Not done: the answer was ${status}.`;
  // A hint for programs, which shows what to send, is of no use on a page.
  return hint && !hint.includes("{") && !hint.includes("/api/") ? `${what} Hint: ${hint}.` : what;
}
