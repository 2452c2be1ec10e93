// Buttons and forms: each sends one request and says in words what came of it.

import { byId, set, setText } from "./dom.js";
import { api } from "./service.js";
import { duration, factor, isValue, span } from "./units.js";

// An action that the scaler has not finished after this long is not waited for.
const TIMEOUT_MS = 20000;

export class Controls {
  #outcome = byId("outcome");
  #pause = byId("pause");
  #inputs = { desired: byId("desired"), min: byId("min"), max: byId("max") };
  #edited = new Set();
  #paused = false;

  constructor() {
    const load = (id, tell) =>
      this.#onClick(id, () => this.#send("POST", `/load/${id}`, undefined, tell));
    load("increase", (load) => `The load is ${factor(load.factor)} now: ${demand(load)}.`);
    load("decrease", (load) => `The load is ${factor(load.factor)} now: ${demand(load)}.`);
    load("reset", (load) => `The load is back at ${factor(load.factor)}: ${demand(load)}.`);
    load("spike", (load) => {
      const rest = load.schedule?.remaining_seconds;
      return `A spike began: ${factor(load.factor)}, ${demand(load)}${isValue(rest) ? `, over in ${span(rest)}` : ""}.`;
    });
    this.#onClick("pause", () => this.#togglePause());
    this.#onSubmit("scale", ["desired"], ({ desired }) =>
      this.#send("PUT", "/replicas", { desired }, (outcome) =>
        outcome.reached === desired ? `There are ${desired} replicas now.` : `${outcome.reached} replicas were reached.`,
      ),
    );
    this.#onSubmit("limits", ["min", "max"], (limits) =>
      this.#send("PUT", "/limits", limits, ({ min, max }) => `${min} to ${max} replicas are allowed now.`),
    );
    for (const [name, input] of Object.entries(this.#inputs)) {
      input.addEventListener("input", () => this.#edited.add(name));
    }
  }

  // Shows the state in force, but never over what somebody is typing.
  show({ replicas, paused }) {
    this.#paused = paused;
    for (const [name, input] of Object.entries(this.#inputs)) {
      if (!this.#edited.has(name) && document.activeElement !== input) input.value = replicas[name];
    }
    set(this.#inputs.desired, { min: replicas.min, max: replicas.max });
    set(this.#pause, { class: paused ? "strong" : "" });
    setText(this.#pause, paused ? "Resume" : "Pause");
  }

  async #togglePause() {
    const [path, told] = this.#paused
      ? ["/resume", "The scaler acts on its own again."]
      : ["/pause", "The scaler is paused: only you change the count."];
    await this.#send("POST", path, undefined, () => told);
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
    if (button.getAttribute("aria-busy") === "true") return;
    set(button, { "aria-busy": true });
    try {
      await action();
    } finally {
      set(button, { "aria-busy": null });
    }
  }

  async #send(method, path, body, tell) {
    this.#say("none", "");
    try {
      const headers = body ? { "content-type": "application/json" } : {};
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const reply = await fetch(api + path, { method, headers, signal, body: body && JSON.stringify(body) });
      const answer = await reply.json().catch(() => ({}));
      if (reply.ok) this.#say("done", tell(answer));
      else this.#say("failed", refusal(reply.status, answer));
      return reply.ok;
    } catch (error) {
      const late = error.name === "TimeoutError";
      this.#say("failed", late ? `No answer within ${duration(TIMEOUT_MS / 1000)}.` : "The scaler cannot be reached.");
      return false;
    }
  }

  #say(kind, text) {
    set(this.#outcome, { "data-kind": kind });
    setText(this.#outcome, text);
  }
}

const demand = (load) => `${Math.round(load.demand_rps)} requests/s of its own`;

function refusal(status, { error, hint }) {
  const what = error ? `Not done: ${error}.` : `Not done: the answer was ${status}.`;
  return hint ? `${what} Hint: ${hint}.` : what;
}
