/* A call's way as people tell it: who merely rang along is left out, who rang and then talked is told once,
   several phones ringing now are one stop, and so are those that rang in vain. Pure; the whole way stays in the call for whoever points at it. */

/* Returns [{kind, what, note, until, others, times}]; `others`: how many more phones ring, or rang, at this stop;
   `times`: how often the most patient of them. */
export function tell(steps) {
  const told = [];
  steps.forEach((step, place) => {
    if (step.kind === "line" && told.at(-1)?.kind === "line" && told.at(-1).what === step.what) return;
    if (step.kind === "ring") {
      if (step.note === "cancelled") return;
      if (step.note === "answered" && steps.slice(place + 1).some((later) => later.kind === "talk" && later.what === step.what)) return;
      const last = told.at(-1);
      if (last?.kind === "ring" && last.until === null && step.until === null) {
        last.others += 1;
        return;
      }
      if (last?.kind === "ring" && last.until !== null && step.until !== null) {
        unanswered(last, step.what);
        return;
      }
    }
    told.push({
      kind: step.kind, what: step.what, note: step.note ?? "", until: step.until, others: 0, times: 1,
      rung: new Map([[step.what, 1]]),
    });
  });
  return told.map(({ rung, ...stop }) => stop);
}

/* Phones that rang one after another, or all at once again and again, and were not picked up: one stop. */
function unanswered(stop, who) {
  stop.rung.set(who, (stop.rung.get(who) ?? 0) + 1);
  stop.others = stop.rung.size - 1;
  stop.times = Math.max(...stop.rung.values());
}

/* The queue a call waits in, or came through last: a talk keeps belonging to the queue that brought it. */
export function queueOf(call) {
  if (call.queue) return call.queue;
  for (let place = call.steps.length - 1; place >= 0; place -= 1) {
    if (call.steps[place].kind === "queue") return call.steps[place].what;
  }
  return null;
}
