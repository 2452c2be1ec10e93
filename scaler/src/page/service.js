// Which of the scaler's services this page shows: the one that its address names, or else the first.

import { byId } from "./dom.js";

const named = new URLSearchParams(location.search).get("service");

// Where the routes of that service begin.
export const api = named === null ? "/api" : `/api/services/${encodeURIComponent(named)}`;

// Lets one choose, where there is a choice.
export async function offerServices() {
  const reply = await fetch("/api/services", { signal: AbortSignal.timeout(10000) });
  const names = reply.ok ? (await reply.json()).map((service) => service.name) : [];
  if (names.length < 2) return;
  const select = byId("service");
  select.replaceChildren(...names.map((name) => new Option(name, name)));
  select.value = named ?? names[0];
  select.addEventListener("change", () => {
    location.search = `?service=${encodeURIComponent(select.value)}`;
  });
  byId("services").hidden = false;
}
