/* Who waits: a card per caller, oldest first, its time against the norm in colour, sign and words.
   The ghost a caller leaves says how it ended, so that nobody clicks into a stranger. */
import { useComputed } from "@preact/signals";
import { useRef, useState } from "preact/hooks";
import { phone, plain } from "../live/format.js";
import { waitGrade } from "../live/figures.js";
import { Route } from "./route.js";
import { SteadyList } from "./steady-list.js";
import { Timer } from "./timer.js";
import { Count, Empty, Icon, html, usePanel } from "./view.js";

export function Waiting() {
  const panel = usePanel();
  const { t, waiting, filtering, store } = panel;
  const item = (id, ghost) => html`<${WaitingCard} key=${id} id=${id} ghost=${ghost} />`;
  const none = useComputed(() => waiting.value.length === 0 && store.loaded.value);
  return html`<section class="pane pane-waiting" data-pane="waiting" aria-labelledby="pane-waiting">
    <header class="pane-head">
      <h2 id="pane-waiting">${t("pane.waiting")}</h2><${Count} of=${waiting} tone="break" />
    </header>
    <div class="pane-body">
      <${SteadyList} ids=${waiting} className="cards" label=${t("pane.waiting")} item=${item} />
      ${none.value && html`<div class="pane-empty"><${NobodyWaits} filtering=${filtering.value} /></div>`}
    </div>
  </section>`;
}

function NobodyWaits({ filtering }) {
  const { t } = usePanel();
  return html`<${Empty} icon=${filtering ? "filter" : "good"} title=${t(filtering ? "empty.filtered" : "empty.waiting")} text=${t(filtering ? "empty.filtered_hint" : "empty.waiting_hint")} />`;
}

function WaitingCard({ id, ghost }) {
  const panel = usePanel();
  const { t, store, normOf } = panel;
  const call = store.row("call", id).value;
  const bar = useRef(null);
  const [level, setLevel] = useState("good");
  if (!call) return null;
  const norm = normOf("longest_wait", call.queue);
  if (ghost) return html`<${Ghost} id=${id} call=${call} />`;
  const onSecond = (elapsed) => {
    setLevel(waitGrade(elapsed, norm));
    const full = norm?.alarm || 60;
    if (bar.current) bar.current.style.transform = `scaleX(${Math.min(1, elapsed / full).toFixed(3)})`;
  };
  const queue = store.board.queue.get(call.queue);
  const line = store.board.line.get(call.line);
  return html`<li class="call wait" data-row data-call=${id} data-level=${level} tabindex="-1">
    <div class="call-top">
      <bdi class="call-number num">${phone(call.number) || t("number.hidden")}</bdi>
      ${level !== "good" && level !== "none" && html`<span class="level"><${Icon} name=${level} label=${t(`wait.${level}`)} /></span>`}
      <${Timer} since=${call.joined} onSecond=${onSecond} className="call-timer" label=${t("wait.time")} />
    </div>
    <div class="call-sub">
      ${call.name && html`<bdi class="call-name truncate" title=${plain(call.name, 200)}>${plain(call.name)}</bdi>`}
      <span class="truncate"><${Icon} name="queue" /> ${plain(queue?.title ?? call.queue)}</span>
      ${call.line && html`<span class="call-line truncate" data-told=${call.steps[0]?.what === call.line ? "yes" : undefined}><${Icon} name="line" /> ${plain(line?.title ?? phone(call.line))}</span>`}
      ${call.position > 1 && html`<span class="num">${t("wait.position", { n: call.position })}</span>`}
    </div>
    <${Route} steps=${call.steps} />
    <div class="wait-bar" aria-hidden="true"><i ref=${bar}></i></div>
  </li>`;
}

function Ghost({ id, call }) {
  const { t, store } = usePanel();
  const live = store.board.call.get(id);
  const talker = live?.managers.find((party) => party.state !== "ringing");
  const who = talker && (store.board.manager.get(talker.manager)?.title ?? talker.manager);
  const word = who ? t("ghost.answered", { who: plain(who, 40) }) : live && live.state !== "ended" ? t("ghost.moved") : t("ghost.gone");
  return html`<li class="call wait ghost" data-row tabindex="-1">
    <div class="call-top">
      <bdi class="call-number num">${phone(call.number) || t("number.hidden")}</bdi>
    </div>
    <div class="call-sub"><${Icon} name=${who ? "talking" : "ended"} /> ${word}</div>
  </li>`;
}
