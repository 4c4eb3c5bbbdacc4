/* What the panel shows, derived from the board: lists of ids, figures, filters, what is open.
   Every list keeps its identity while its content is the same, so that only what changed is drawn. */
import { computed, effect, signal } from "@preact/signals";
import { countRaw, grade, isWaiting, valueOf } from "./figures.js";
import { fromQuery, isFiltering, seesCall, seesManager, sight, toQuery } from "./filters.js";
import { both, narrowing } from "./narrow.js";
import { toneOf } from "./people.js";

const MEMORY = "live.filters";
const COLLAPSED = "live.collapsed";
export const UNGROUPED = "none";

/* A computed list that stays the same array while it holds the same ids. */
function steadyList(make) {
  let last = [];
  return computed(() => {
    const next = make();
    if (next.length !== last.length || next.some((id, place) => id !== last[place])) last = next;
    return last;
  });
}

export function makePanel({ config, store, clock, words }) {
  const second = signal(Math.floor(clock.now()));
  const connection = signal({ phase: "connecting", failures: 0, lostAt: null, at: 0 });
  const profile = config.profile ?? null;
  const narrow = narrowing(profile);
  // Each profile remembers its own filters; a wall on which nobody can undo them has none.
  const memory = profile ? `${MEMORY}.${profile.id}` : MEMORY;
  const filters = signal(config.wall ? fromQuery("") : startFilters(memory));
  const collapsed = signal(new Set(recall(COLLAPSED)?.split(" ").filter(Boolean) ?? []));
  const explained = signal(null);
  const helping = signal(false);
  const pane = signal("waiting");
  /* Where the past of a group, queue or person is told; nothing for whom no rows are known or who may not look. */
  const past = (kind, key) => {
    const id = kind === "group" ? key : config.ids?.[kind]?.[key];
    if (!config.statistics || (kind && !id)) return null;
    return `${config.statistics}?period=today${kind ? `&scope=${kind}:${id}` : ""}`;
  };
  const metrics = new Map(config.metrics.map((metric) => [metric.key, metric]));

  const { board } = store;
  const inSight = computed(() => both(narrow, sight(filters.value)));
  const seenCalls = (wanted, order) =>
    steadyList(() =>
      [...store.all("call").values()]
        .filter((call) => wanted(call) && narrow.call(call) && seesCall(filters.value, call, board))
        .sort(order)
        .map((call) => call.key),
    );
  const waiting = seenCalls(isWaiting, (a, b) => a.joined - b.joined || compare(a.key, b.key));
  const calls = seenCalls(
    (call) => !isWaiting(call) && call.state !== "ended",
    (a, b) => a.started - b.started || compare(a.key, b.key),
  );

  const byName = orderedManagers(store, words.language);
  const seenManagers = steadyList(() => {
    store.versions.status.value;
    if (filters.value.search.trim()) store.versions.call.value;
    store.versions.manager.value;
    return byName.value.filter((id) => {
      const manager = board.manager.get(id);
      return manager && narrow.manager(manager) && seesManager(filters.value, manager, board);
    });
  });
  const groupIds = steadyList(() => {
    const known = [...store.all("group").values()].filter(narrow.group).sort((a, b) => a.title.localeCompare(b.title, words.language));
    const ids = known.map((group) => String(group.id));
    const loose = [...store.all("manager").values()].some((manager) => narrow.manager(manager) && !manager.groups.some((id) => board.group.has(String(id))));
    return loose ? [...ids, UNGROUPED] : ids;
  });
  const membersOf = memo((groupId) =>
    steadyList(() => {
      store.versions.manager.value;
      return seenManagers.value.filter((id) => {
        const groups = board.manager.get(id)?.groups ?? [];
        return groupId === UNGROUPED
          ? !groups.some((group) => board.group.has(String(group)))
          : groups.includes(Number(groupId));
      });
    }),
  );
  const tally = memo((groupId) =>
    computed(() => {
      store.versions.manager.value;
      const counts = { total: 0, free: 0, talking: 0 };
      for (const id of membersOf(groupId).value) {
        const manager = board.manager.get(id);
        if (!manager) continue;
        const tone = toneOf(manager, board.status);
        counts.total += 1;
        if (tone === "free") counts.free += 1;
        if (tone === "talking" || tone === "held") counts.talking += 1;
      }
      return counts;
    }),
  );

  const counts = computed(() => {
    for (const kind of ["call", "manager", "queue", "status"]) store.versions[kind].value;
    second.value;
    return countRaw(board, { inSight: inSight.value, now: clock.now() });
  });
  const figures = new Map(
    config.strip.map((key) => [key, computed(() => figureOf(metrics.get(key), counts.value, anyone.value))]),
  );
  const anyone = computed(() => [...store.all("manager").values()].some(narrow.manager));
  // A queue may have limits of its own; the profile's, where it has some, stand before them.
  const normOf = (key, queue) => {
    const own = config.queueNorms?.[queue]?.[key];
    return own === undefined ? (metrics.get(key)?.norm ?? null) : own;
  };

  function figureOf(metric, raw, people) {
    const value = metric.key === "free" && !people ? null : valueOf(metric, raw);
    return { value, grade: grade(metric, value) };
  }

  effect(() => {
    if (config.wall) return;
    const query = toQuery(filters.value);
    remember(memory, query);
    const address = `${location.pathname}${query ? `?${query}` : ""}`;
    if (address !== location.pathname + location.search) history.replaceState(null, "", address);
  });
  effect(() => remember(COLLAPSED, [...collapsed.value].join(" ")));

  const change = (part) => {
    filters.value = { ...filters.value, ...part };
  };
  return {
    past,
    config, store, clock, words, t: words.t,
    second, connection, filters, collapsed, explained, helping, pane, metrics,
    waiting, calls, seenManagers, groupIds, membersOf, tally, counts, figures, profile, narrow, inSight, normOf,
    filtering: computed(() => isFiltering(filters.value)),
    links: computed(() => [...store.all("link").values()]),
    change,
    toggle(list, value) {
      const next = new Set(filters.value[list]);
      if (!next.delete(value)) next.add(value);
      change({ [list]: next });
    },
    clear: () => change(fromQuery("")),
    fold(groupId, folded) {
      const next = new Set(collapsed.value);
      if (folded) next.add(groupId);
      else next.delete(groupId);
      collapsed.value = next;
    },
  };
}

/* Managers in the order of their names: sorted again only when somebody came, left or was renamed. */
function orderedManagers(store, language) {
  const collator = new Intl.Collator(language, { numeric: true });
  let names = new Map();
  let order = [];
  return computed(() => {
    const managers = store.all("manager");
    const moved = managers.size !== names.size || [...managers].some(([id, manager]) => names.get(id) !== manager.title);
    if (moved) {
      names = new Map([...managers].map(([id, manager]) => [id, manager.title]));
      order = [...names.keys()].sort((a, b) => collator.compare(names.get(a), names.get(b)) || collator.compare(a, b));
    }
    return order;
  });
}

function memo(make) {
  const made = new Map();
  return (key) => {
    if (!made.has(key)) made.set(key, make(key));
    return made.get(key);
  };
}

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

function startFilters(memory) {
  return fromQuery(location.search || (recall(memory) ?? ""));
}

function remember(key, text) {
  try {
    localStorage.setItem(key, text);
  } catch {
    /* nothing to come back to, then */
  }
}

function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
