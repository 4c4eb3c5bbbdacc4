/* The strip's numbers: raw counts off the board, then each metric by the registry's own formula.
   An empty denominator has no value. Group and queue filters narrow what is counted; nothing else does. */
import { declaredKind, takesCalls, wrapsUp } from "./people.js";

const TODAY = ["offered", "answered", "answered_within", "abandoned", "short_abandoned", "flow_out", "wait_answered"];

export const isWaiting = (call) => call.joined !== null && (call.state === "waiting" || call.state === "ringing");
const busy = (manager) => manager.activity === "talking" || manager.activity === "held";

export function countRaw(board, { inSight, now }) {
  const counts = { "now.waiting": 0, "now.longest_wait": 0 };
  for (const name of ["talking", "free", "on_break", "away", "unregistered"]) counts[`now.${name}`] = 0;
  for (const name of TODAY) counts[name] = 0;

  for (const call of board.call.values()) {
    if (!isWaiting(call) || !inSight.call(call)) continue;
    counts["now.waiting"] += 1;
    counts["now.longest_wait"] = Math.max(counts["now.longest_wait"], now - call.joined);
  }
  for (const manager of board.manager.values()) {
    if (!inSight.manager(manager)) continue;
    const kind = declaredKind(manager, board.status);
    if (busy(manager)) counts["now.talking"] += 1;
    if (kind === "break") counts["now.on_break"] += 1;
    if (kind === "away") counts["now.away"] += 1;
    if (!takesCalls(manager, board.status)) continue;
    if (manager.registration === "unregistered") counts["now.unregistered"] += 1;
    else if (manager.calls.length === 0 && !busy(manager) && manager.activity !== "ringing" && !wrapsUp(manager, now)) {
      counts["now.free"] += 1;
    }
  }
  for (const queue of board.queue.values()) {
    if (!inSight.queue(queue)) continue;
    for (const name of TODAY) counts[name] += queue.today?.[name] ?? 0;
  }
  return counts;
}

const sum = (terms, counts) => terms.reduce((total, [sign, key]) => total + sign * (counts[key] ?? 0), 0);

export function valueOf(metric, counts) {
  const top = sum(metric.numerator, counts);
  if (!metric.denominator.length) return metric.key === "longest_wait" && !counts["now.waiting"] ? null : top;
  const bottom = sum(metric.denominator, counts);
  return bottom > 0 ? top / bottom : null;
}

export function grade(metric, value) {
  if (!metric.norm || value === null || metric.direction === "neutral") return "none";
  const { warn, alarm } = metric.norm;
  const worse = (limit) => limit !== null && (metric.direction === "lower_is_better" ? value >= limit : value < limit);
  if (worse(alarm)) return "alarm";
  return worse(warn) ? "warn" : "good";
}

/* A caller's own wait against the norm of the longest wait: the same limits, so card and figure never disagree. */
export function waitGrade(seconds, norm) {
  if (!norm) return "none";
  if (norm.alarm !== null && seconds >= norm.alarm) return "alarm";
  return norm.warn !== null && seconds >= norm.warn ? "warn" : "good";
}
