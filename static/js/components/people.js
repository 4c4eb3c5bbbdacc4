/* Every manager of the supervisor's groups: declared status and since, phone, the call and its time, contradictions.
   Rows stay in the order of names: what changes is the row's sign, never its place. */
import { useComputed } from "@preact/signals";
import { useState } from "preact/hooks";
import { phone, plain } from "../live/format.js";
import { declaredKind, toneOf } from "../live/people.js";
import { queueOf } from "../live/route.js";
import { UNGROUPED } from "../live/panel.js";
import { SteadyList } from "./steady-list.js";
import { Timer } from "./timer.js";
import { Chip, Count, Empty, Icon, html, usePanel } from "./view.js";

const FLAG_ICON = { missing_calls: "missed", unregistered: "unregistered", pause_differs: "differs" };

export function People() {
  const panel = usePanel();
  const { t, groupIds, seenManagers, store } = panel;
  return html`<section class="pane pane-people" data-pane="people" aria-labelledby="pane-people">
    <header class="pane-head">
      <h2 id="pane-people">${t("pane.people")}</h2><${Count} of=${seenManagers} />
      <span class="pane-tools">
        <button class="btn btn-ghost btn-sm" type="button" onClick=${() => foldAll(panel, true)} title=${t("groups.collapse")} aria-label=${t("groups.collapse")}><${Icon} name="collapse" /></button>
        <button class="btn btn-ghost btn-sm" type="button" onClick=${() => foldAll(panel, false)} title=${t("groups.expand")} aria-label=${t("groups.expand")}><${Icon} name="expand" /></button>
      </span>
    </header>
    <div class="pane-body">
      ${groupIds.value.map((id) => html`<${Group} key=${id} id=${id} />`)}
      ${store.loaded.value && html`<${NoPeople} />`}
    </div>
  </section>`;
}

function foldAll(panel, folded) {
  for (const id of panel.groupIds.value) panel.fold(id, folded);
}

function NoPeople() {
  const { t, groupIds, seenManagers, store, filtering, clear } = usePanel();
  const some = useComputed(() => seenManagers.value.length > 0);
  if (some.value) return null;
  if (filtering.value && store.all("manager").size > 0) {
    return html`<${Empty} icon="filter" title=${t("empty.filtered")} text=${t("empty.filtered_people")}>
      <button class="btn" type="button" onClick=${clear}><${Icon} name="clear" />${t("filters.clear")}</button>
    </${Empty}>`;
  }
  if (groupIds.value.length === 0) return html`<${Empty} icon="people" title=${t("empty.groups")} text=${t("empty.groups_hint")} />`;
  return html`<${Empty} icon="people" title=${t("empty.people")} text=${t("empty.people_hint")} />`;
}

function Group({ id }) {
  const panel = usePanel();
  const { t, store, collapsed, membersOf, tally, filtering, past } = panel;
  const members = membersOf(id);
  const folded = collapsed.value.has(id);
  const hidden = useComputed(() => members.value.length === 0 && filtering.value);
  const title = id === UNGROUPED ? t("group.none") : plain(store.row("group", id).value?.title);
  if (hidden.value) return null;
  const item = (key, ghost) => html`<${Person} key=${key} id=${key} ghost=${ghost} />`;
  return html`<section class="group" aria-label=${title}>
    <h3 class="group-head">
      <button class="group-fold" type="button" aria-expanded=${String(!folded)} onClick=${() => panel.fold(id, !folded)}>
        <${Icon} name=${folded ? "right" : "down"} /><bdi>${title}</bdi><${Tally} of=${tally(id)} />
      </button>
      ${id !== UNGROUPED && past("group", id) && html`<a class="btn btn-ghost btn-icon btn-sm group-past" href=${past("group", id)} title=${t("past")} aria-label=${`${t("past")}: ${title}`}><${Icon} name="statistics" /></a>`}
    </h3>
    ${!folded && html`<${SteadyList} ids=${members} className="people" label=${title} item=${item} />`}
  </section>`;
}

function Tally({ of }) {
  const { t } = usePanel();
  const { total, free, talking } = of.value;
  return html`<span class="tally num">
    <span>${t("tally.total", { n: total })}</span>
    <span data-tone="free"><${Icon} name="free" label=${t("tone.free")} />${free}</span>
    <span data-tone="talking"><${Icon} name="talking" label=${t("tone.talking")} />${talking}</span>
  </span>`;
}

function Person({ id, ghost }) {
  const { t, store, clock } = usePanel();
  const [, over] = useState(0);
  const manager = store.row("manager", id).value;
  store.versions.status.value;
  if (!manager) return null;
  const tone = toneOf(manager, store.board.status, clock.now());
  const busy = tone === "talking" || tone === "ringing" || tone === "held";
  const wrapping = tone === "wrap_up";
  const ends = wrapping ? manager.wrap_until : null;
  const look = () => wrapping && clock.now() >= ends && over(ends);
  const since = busy || wrapping ? manager.activity_since : (manager.status_since ?? manager.activity_since);
  return html`<li class="person" data-row data-call=${ghost ? undefined : manager.calls.at(-1)} data-tone=${tone} data-ghost=${ghost ? "yes" : undefined} tabindex="-1">
    <span class="person-sign"><${Icon} name=${tone} label=${t(`tone.${tone}`)} /></span>
    <span class="person-name"><${Name} manager=${manager} /><span class="person-ext num">${plain(manager.extension, 12)}</span></span>
    ${since !== null && html`<${Timer} since=${since} until=${ends} onSecond=${look} className="person-timer" label=${t(wrapping ? "person.left" : "person.since")} />`}
    <span class="person-doing">
      ${busy ? html`<${Talk} manager=${manager} tone=${tone} />` : html`<${Declared} manager=${manager} tone=${tone} />`}
      ${manager.flags.map((flag) => html`<${Flag} key=${flag} flag=${flag} manager=${manager} tone=${tone} />`)}
    </span>
  </li>`;
}

/* Reached by the key S from its row: a stop of its own for everybody would double the way through the list. */
function Name({ manager }) {
  const { t, past } = usePanel();
  const name = html`<bdi class="truncate" title=${plain(manager.title, 200)}>${plain(manager.title)}</bdi>`;
  const href = past("manager", manager.key);
  return href ? html`<a class="person-past" href=${href} data-past tabindex="-1" title=${t("past")}>${name}</a>` : name;
}

function Declared({ manager, tone }) {
  const { t, store } = usePanel();
  const status = manager.status === null ? null : store.board.status.get(String(manager.status));
  const label = status ? plain(status.label, 40) : manager.pause_reason ? plain(manager.pause_reason, 40) : t(manager.paused ? "status.paused" : "status.none");
  return html`${tone === "wrap_up" && html`<span class="person-phone">${t("tone.wrap_up")}</span>`}
    ${status && html`<span class="mark-dot" data-colour=${status.colour} />`}<span class="truncate person-status">${label}</span>${tone === "unregistered" && html`<span class="person-phone">${t("tone.unregistered")}</span>`}
    ${tone === "unknown" && html`<span class="person-phone">${t("tone.unknown")}</span>`}`;
}

function Talk({ manager, tone }) {
  const { t, store } = usePanel();
  const key = manager.calls[manager.calls.length - 1];
  const call = key ? store.row("call", key).value : null;
  const queue = call && queueOf(call);
  const kind = declaredKind(manager, store.board.status);
  const status = store.board.status.get(String(manager.status));
  return html`<span class="person-call truncate" title=${call ? plain(call.name, 120) : undefined}>
      ${call ? html`<${Icon} name=${call.direction} label=${t(`direction.${call.direction}`)} /> <bdi class="num">${phone(call.number) || t("number.hidden")}</bdi>` : t(`tone.${tone}`)}
      ${queue && html` · ${plain(store.board.queue.get(queue)?.title ?? queue, 40)}`}
    </span>
    ${manager.calls.length > 1 && html`<span class="badge" title=${t("person.calls", { n: manager.calls.length })}>×${manager.calls.length}</span>`}
    ${kind !== "available" && status && html`<${Chip} icon=${kind} tone=${kind}><span class="mark-dot" data-colour=${status.colour} /> ${plain(status.label, 24)}</${Chip}>`}`;
}

function Flag({ flag, manager, tone }) {
  const { t } = usePanel();
  if (flag === "unregistered" && tone === "unregistered") return null; // the row already says so
  const text = flag === "missing_calls" ? t("flag.missing_calls", { n: manager.missed_in_row }) : t(`flag.${flag}`);
  const short = flag === "missing_calls" ? manager.missed_in_row : "";
  return html`<${Chip} icon=${FLAG_ICON[flag] ?? "warn"} tone="alarm" title=${`${text}. ${t(`flag.${flag}.why`)}`}>
    <span class="flag-long">${text}</span><span class="flag-short num" aria-hidden="true">${short}</span>
  </${Chip}>`;
}
