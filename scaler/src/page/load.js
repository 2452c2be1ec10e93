// Follows the service's load schedule: how long a spike still lasts, whoever began it.

import { byId, setText } from "./dom.js";
import { api } from "./service.js";
import { factor, isValue, rate } from "./units.js";

// Between two looks at the schedule while the factor changes, as it does all through a ramp.
const LOOK_APART_MS = 4000;

export class Load {
  #factor = null;
  #lookedAt = -Infinity;
  #endsAt = null;
  #demand = null;

  // Looks at the schedule when the factor has changed.
  notice(loadFactor) {
    if (!isValue(loadFactor) || loadFactor === this.#factor) return;
    // At rest no schedule is to be expected, and not every service has one to ask for.
    if (this.#factor === null && loadFactor === 1) {
      this.#factor = 1;
      return;
    }
    if (performance.now() - this.#lookedAt < LOOK_APART_MS) return;
    this.#factor = loadFactor;
    this.#lookedAt = performance.now();
    this.#look().catch(() => {});
  }

  async #look() {
    const reply = await fetch(`${api}/load`, { signal: AbortSignal.timeout(5000) });
    if (reply.ok) this.take(await reply.json());
  }

  // Takes an answer of /load.
  take({ factor: now, demand_rps: demand, schedule }) {
    const rest = schedule?.remaining_seconds;
    this.#factor = now;
    this.#demand = demand;
    this.#endsAt = isValue(rest) ? performance.now() + rest * 1000 : null;
  }

  // Beside the buttons and in the tile; outside of what is read out, which each second would be too much.
  show(isFresh) {
    const left = this.#endsAt === null ? 0 : Math.ceil((this.#endsAt - performance.now()) / 1000);
    if (left <= 0) this.#endsAt = null;
    const isRunning = isFresh && left > 0;
    const minutes = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    const box = byId("schedule");
    box.hidden = !isRunning;
    setText(box, isRunning ? `Load schedule: now ${factor(this.#factor)} (${rate(this.#demand)} synthetic), ends in ${minutes}` : "");
    setText(byId("load-ends"), isRunning ? ` · ends in ${minutes}` : "");
  }
}
