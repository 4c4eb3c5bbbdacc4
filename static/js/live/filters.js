/* What the supervisor chose to see: kept in the address (to share) and in this browser (to come back to).
   Pure: text in, sets out; matching reads entities only. */
import { plain } from "./format.js";
import { toneOf } from "./people.js";
import { queueOf } from "./route.js";

const LISTS = { group: "groups", queue: "queues", line: "lines", state: "states" };

export function noFilters() {
  return { groups: new Set(), queues: new Set(), lines: new Set(), states: new Set(), search: "" };
}

export function fromQuery(text) {
  const filters = noFilters();
  const params = new URLSearchParams(text);
  for (const [param, name] of Object.entries(LISTS)) filters[name] = new Set(params.getAll(param));
  filters.search = params.get("q") ?? "";
  return filters;
}

export function toQuery(filters) {
  const params = new URLSearchParams();
  for (const [param, name] of Object.entries(LISTS)) {
    for (const value of [...filters[name]].sort()) params.append(param, value);
  }
  if (filters.search.trim()) params.set("q", filters.search.trim());
  return params.toString();
}

export const isFiltering = (filters) =>
  filters.search.trim() !== "" || Object.values(LISTS).some((name) => filters[name].size > 0);

const meets = (chosen, values) => chosen.size === 0 || values.some((value) => chosen.has(String(value)));
const digits = (text) => text.replace(/\D/g, "");

/* Every word must be found; a word that is mostly digits is also looked for in the number without its spaces. */
export function found(search, texts, numbers) {
  const hay = texts.map((text) => plain(text, 200).toLowerCase()).join(" ");
  return search
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => {
      if (hay.includes(word)) return true;
      const wanted = digits(word);
      return wanted.length >= 2 && /^[+\d()-]+$/.test(word) && numbers.some((number) => digits(number).includes(wanted));
    });
}

/* Narrowing by group and queue, shared with the figures. A call is in sight of its queue, or of its groups. */
export function sight(filters) {
  return {
    call: (call) =>
      meets(filters.groups, call.groups) && (filters.queues.size === 0 || filters.queues.has(queueOf(call) ?? "")),
    manager: (manager) => meets(filters.groups, manager.groups) && meets(filters.queues, manager.queues),
    queue: (queue) => meets(filters.groups, queue.groups) && meets(filters.queues, [queue.key]),
  };
}

export function seesCall(filters, call, board) {
  if (!sight(filters).call(call) || !meets(filters.lines, [call.line])) return false;
  if (!filters.search.trim()) return true;
  const people = call.managers.map((party) => board.manager.get(party.manager)?.title ?? party.manager);
  const key = queueOf(call);
  const queue = key ? (board.queue.get(key)?.title ?? key) : "";
  return found(filters.search, [call.number, call.name, queue, ...people], [call.number, call.line]);
}

export function seesManager(filters, manager, board) {
  if (!sight(filters).manager(manager)) return false;
  if (!meets(filters.states, [toneOf(manager, board.status)])) return false;
  if (!filters.search.trim()) return true;
  const numbers = manager.calls.map((key) => board.call.get(key)?.number ?? "");
  return found(filters.search, [manager.title, manager.extension, ...numbers], [manager.extension, ...numbers]);
}
