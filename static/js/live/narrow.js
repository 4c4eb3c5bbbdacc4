/* A monitoring profile only narrows what its opener sees anyway: the groups, queues, lines and managers it names.
   Pure. A list that is null narrows nothing; an empty one leaves nothing. The server counts by the same rule. */
import { isWaiting } from "./figures.js";
import { queueOf } from "./route.js";

const meets = (wanted, values) => wanted === null || values.some((value) => wanted.has(value));
const known = (list) => (list ? new Set(list) : null);

/* profile: {groups, queues, lines, managers}, or null for the whole panel. */
export function narrowing(profile) {
  const [groups, queues, lines, managers] = ["groups", "queues", "lines", "managers"].map((name) => known(profile?.[name]));
  return {
    call: (call) =>
      meets(groups, call.groups) &&
      meets(queues, [queueOf(call) ?? ""]) &&
      meets(lines, [call.line]) &&
      (isWaiting(call) || meets(managers, call.managers.map((party) => party.manager))),
    manager: (manager) => meets(groups, manager.groups) && meets(queues, manager.queues) && meets(managers, [manager.key]),
    queue: (queue) => meets(groups, queue.groups) && meets(queues, [queue.key]),
    group: (group) => meets(groups, [group.id]),
    line: (line) => meets(lines, [line.number]) && (groups === null || meets(groups, line.groups)),
    status: () => true,
  };
}

/* What both let through. */
export function both(one, other) {
  return Object.fromEntries(["call", "manager", "queue"].map((kind) => [kind, (row) => one[kind](row) && other[kind](row)]));
}

/* Only what belongs to this queue: for a table with a row of figures for each. */
export function withinQueue(inSight, key) {
  return {
    call: (call) => queueOf(call) === key && inSight.call(call),
    manager: (manager) => manager.queues.includes(key) && inSight.manager(manager),
    queue: (queue) => queue.key === key && inSight.queue(queue),
  };
}
