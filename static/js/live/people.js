/* What a manager is doing, in one word for the eye, out of three facts kept apart (status, phone, live calls).
   The figures count the facts by the metric registry's words; this word only picks the row's sign. */
export const TONES = ["talking", "ringing", "held", "wrap_up", "free", "break", "away", "unregistered", "unknown"];

export function takesCalls(manager, statuses) {
  const status = manager.status === null ? null : statuses.get(String(manager.status));
  return status ? status.kind === "available" : !manager.paused;
}

export function declaredKind(manager, statuses) {
  const status = manager.status === null ? null : statuses.get(String(manager.status));
  if (status) return status.kind;
  return manager.paused ? "break" : "available";
}

/* Wrap-up ends by the clock, which the board hears of only with the next event: `now` tells it to the second. */
export function wrapsUp(manager, now = 0) {
  return manager.wrap_until !== null && manager.wrap_until > now;
}

export function toneOf(manager, statuses, now = 0) {
  if (["talking", "ringing", "held"].includes(manager.activity)) return manager.activity;
  const kind = declaredKind(manager, statuses);
  if (kind !== "available") return kind;
  if (manager.registration === "unregistered" || manager.activity === "unavailable") return "unregistered";
  if (manager.activity === "unknown" && manager.registration === "unknown") return "unknown";
  return wrapsUp(manager, now) ? "wrap_up" : "free";
}
