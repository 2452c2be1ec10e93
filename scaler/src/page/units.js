// Writes values as people say them, always with their unit.

const NONE = "–";

export const isValue = (value) => typeof value === "number" && Number.isFinite(value);

export function duration(seconds) {
  if (!isValue(seconds)) return NONE;
  if (seconds >= 10) return `${seconds.toFixed(1)} s`;
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  if (seconds === 0) return "0 ms";
  if (seconds < 0.00005) return "< 0.1 ms";
  return seconds < 0.01 ? `${(seconds * 1000).toFixed(1)} ms` : `${Math.round(seconds * 1000)} ms`;
}

export function rate(perSecond) {
  if (!isValue(perSecond)) return NONE;
  return `${perSecond !== 0 && Math.abs(perSecond) < 10 ? perSecond.toFixed(1) : Math.round(perSecond)}/s`;
}

export function count(value) {
  if (!isValue(value)) return NONE;
  return Number.isInteger(value) || value >= 100 ? String(Math.round(value)) : value.toFixed(1);
}

// The ticks of one axis: all with one unit, and with as many digits as the step between them needs.
const decimals = (step) => (Number(step.toPrecision(6)).toString().split(".")[1] ?? "").length;

export const plainTicks = (unit) => (ticks) => {
  const digits = decimals(ticks[1] - ticks[0]);
  return ticks.map((tick) => `${tick.toFixed(digits)}${unit}`);
};

export function durationTicks(ticks) {
  const isShort = ticks.at(-1) < 1;
  return plainTicks(isShort ? " ms" : " s")(isShort ? ticks.map((tick) => tick * 1000) : ticks);
}

export const factorTicks = (ticks) => plainTicks("")(ticks).map((tick) => `×${tick}`);

export const factor = (value) => (isValue(value) ? `×${Number(value.toFixed(2))}` : NONE);

export function percent(share) {
  if (!isValue(share)) return NONE;
  const value = share * 100;
  if (value === 0 || value === 100) return `${value} %`;
  // What is not all must not look like all.
  const digits = value < 10 || value > 99 ? 1 : 0;
  const rounded = Number(value.toFixed(digits));
  return rounded >= 100 ? "> 99.9 %" : `${rounded.toFixed(digits)} %`;
}

export const cores = (value) => (isValue(value) ? value.toFixed(2) : NONE);

export function bytes(value) {
  return isValue(value) ? `${(value / 1048576).toFixed(1)} MiB` : NONE;
}

export function span(seconds) {
  if (!isValue(seconds)) return NONE;
  const whole = Math.floor(seconds);
  const [days, hours] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24];
  const [minutes, rest] = [Math.floor(whole / 60) % 60, whole % 60];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return rest > 0 ? `${minutes} min ${rest} s` : `${minutes} min`;
  return `${rest} s`;
}

// Time of day where the reader is, of seconds since the Unix epoch.
export function clock(epochSeconds, withSeconds = true) {
  const date = new Date(epochSeconds * 1000);
  const parts = [date.getHours(), date.getMinutes(), ...(withSeconds ? [date.getSeconds()] : [])];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

const SIGNALS = {
  response_time_mean_seconds: ["mean response time", duration],
  response_time_p50_seconds: ["p50 of the response time", duration],
  response_time_p95_seconds: ["p95 of the response time", duration],
  response_time_p99_seconds: ["p99 of the response time", duration],
  requests_per_second: ["offered load", rate],
  refused_per_second: ["refusals", rate],
  errors_per_second: ["errors", rate],
  completed_per_second: ["completed", rate],
  error_ratio: ["share of errors", percent],
  backlog_growth_per_second: ["growth of the queues", rate],
  in_flight: ["requests in flight", count],
  queue_depth: ["queue depth", count],
  utilization: ["utilisation", percent],
  cpu_cores: ["CPU cores", cores],
  memory_bytes: ["memory", bytes],
  dependency_wait_seconds: ["wait for the dependency", duration],
};

export const signalLabel = (name) => SIGNALS[name]?.[0] ?? name;

export const signalValue = (name, value) => (SIGNALS[name]?.[1] ?? count)(value);

// A reason with signals' names as words.
export function sentence(text) {
  const words = text.replace(/\b[a-z0-9]+(?:_[a-z0-9]+)+\b|\butilization\b/g, signalLabel);
  // A name, such as webapp-2, stays as it is.
  return words.replace(/^[a-z]+(?=[\s,:]|$)/, (word) => word.charAt(0).toUpperCase() + word.slice(1));
}
