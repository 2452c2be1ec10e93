// Follows the scaler: opens the stream, says when it is lost, and opens it again.
//
// A hidden page closes its stream: a browser keeps six connections to one host, which six forgotten tabs would take.

import { api } from "./service.js";

// The scaler says something each 2 s at least.
const SILENCE_MAX_MS = 5000;
const RETRY_MS = [300, 600, 1000, 2000];

export class Live {
  #handlers;
  #source = null;
  #heardAt = 0;
  #attempts = 0;
  #retry = 0;

  // handlers: opened(), lost(), status(data), decision(data), event(data)
  constructor(handlers) {
    this.#handlers = handlers;
  }

  start() {
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#close();
      else this.#open();
    });
    setInterval(() => {
      if (this.#source && Date.now() - this.#heardAt > SILENCE_MAX_MS) this.lose();
    }, 1000);
    if (!document.hidden) this.#open();
  }

  // Everything that belongs to the stream works, so the next loss is a new one.
  confirm() {
    this.#attempts = 0;
  }

  // Gives the stream up, because it or what belongs to it failed.
  lose() {
    this.#close();
    const wait = RETRY_MS[Math.min(this.#attempts, RETRY_MS.length - 1)];
    this.#attempts += 1;
    this.#handlers.lost();
    this.#retry = setTimeout(() => this.#open(), wait);
  }

  #open() {
    this.#close();
    const source = new EventSource(`${api}/events`);
    this.#source = source;
    this.#heardAt = Date.now();
    const hear = (name, take) =>
      source.addEventListener(name, (event) => {
        this.#heardAt = Date.now();
        take(event.data);
      });
    hear("open", () => this.#handlers.opened());
    hear("status", (data) => this.#handlers.status(JSON.parse(data)));
    hear("decision", (data) => this.#handlers.decision(JSON.parse(data)));
    hear("event", (data) => this.#handlers.event(JSON.parse(data)));
    hear("alive", () => {});
    source.onerror = () => {
      if (this.#source === source) this.lose();
    };
  }

  #close() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
  }
}
