/* Calls in progress: who talks with whom, in which state, for how long, by which way it came.
   Direction, state and listeners each have a sign and a word. */
import { useComputed } from "@preact/signals";
import { phone, plain } from "../live/format.js";
import { queueOf } from "../live/route.js";
import { Route } from "./route.js";
import { SteadyList } from "./steady-list.js";
import { Timer } from "./timer.js";
import { Chip, Count, Empty, Icon, html, usePanel } from "./view.js";

const STATE = {
  ivr: ["menu", "away"], waiting: ["waiting", "break"], ringing: ["ringing", "ringing"], talking: ["talking", "talking"],
  held: ["held", "warn"], parked: ["parked", "warn"], ended: ["ended", "away"],
};

export function Calls() {
  const { t, calls, filtering, store } = usePanel();
  const none = useComputed(() => calls.value.length === 0 && store.loaded.value);
  const item = (id, ghost) => html`<${CallCard} key=${id} id=${id} ghost=${ghost} />`;
  return html`<section class="pane pane-calls" data-pane="calls" aria-labelledby="pane-calls">
    <header class="pane-head"><h2 id="pane-calls">${t("pane.calls")}</h2><${Count} of=${calls} tone="talking" /></header>
    <div class="pane-body">
      <${SteadyList} ids=${calls} className="cards" label=${t("pane.calls")} item=${item} />
      ${none.value && html`<div class="pane-empty">
        <${Empty} icon=${filtering.value ? "filter" : "ended"} title=${t(filtering.value ? "empty.filtered" : "empty.calls")} text=${t(filtering.value ? "empty.filtered_hint" : "empty.calls_hint")} />
      </div>`}
    </div>
  </section>`;
}

function CallCard({ id, ghost }) {
  const { t, store } = usePanel();
  const call = store.row("call", id).value;
  if (!call) return null;
  const { board } = store;
  const [icon, tone] = STATE[call.state] ?? STATE.ended;
  const people = call.managers.map((party) => ({ ...party, title: board.manager.get(party.manager)?.title ?? party.manager }));
  const key = queueOf(call);
  const queue = key && (board.queue.get(key)?.title ?? key);
  return html`<li class=${ghost ? "call ghost" : "call"} data-row data-call=${ghost ? undefined : id} tabindex="-1">
    <div class="call-top">
      <span class="call-way" data-way=${call.direction}><${Icon} name=${call.direction} label=${t(`direction.${call.direction}`)} /></span>
      <bdi class="call-number num">${phone(call.number) || t("number.hidden")}</bdi>
      ${ghost
        ? html`<${Chip} icon="ended" tone="away">${t("state.ended")}</${Chip}>`
        : html`<${Chip} icon=${icon} tone=${tone}>${t(`state.${call.state}`)}</${Chip}><${Timer} since=${call.since} className="call-timer" label=${t("call.time")} />`}
    </div>
    <div class="call-sub">
      ${people.length > 0 && html`<span class="call-who truncate"><${Icon} name="person" /> <bdi>${people.map((party) => plain(party.title, 40)).join(", ")}</bdi></span>`}
      ${call.name && html`<bdi class="call-name truncate" title=${plain(call.name, 200)}>${plain(call.name)}</bdi>`}
      ${queue && html`<span class="truncate"><${Icon} name="queue" /> ${plain(queue)}</span>`}
      ${call.listeners.map((listener) => html`<${Chip} key=${listener.who} icon="listen" tone="warn">${t(`listen.${listener.mode}`)}</${Chip}>`)}
    </div>
    ${!ghost && html`<${Route} steps=${call.steps} />`}
  </li>`;
}
