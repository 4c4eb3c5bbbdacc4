/* A live call's whole way in a dialog, its clocks ticking: opened by a click, a touch or Enter on its card, or on the
   manager who has it. The board beneath goes on and nothing on it moves; a call that ends stays until one closes it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { duration, phone, plain } from "../live/format.js";
import { Dialog } from "./explain.js";
import { stepText } from "./route.js";
import { RouteTimeline } from "./route-timeline.js";
import { Chip, Icon, html, usePanel } from "./view.js";

export function RouteDialog() {
  const [opened, open] = useState(null);
  useEffect(() => {
    const onClick = (event) => {
      if (event.target.closest("button, a, input, dialog")) return;
      const row = event.target.closest("[data-call]");
      if (row && String(getSelection()) === "") open(row.dataset.call);
    };
    const onKey = (event) => {
      if (event.key !== "Enter" || event.target.closest("button, a, input, textarea, select, dialog")) return;
      const row = document.activeElement?.closest("[data-call]");
      if (!row) return;
      event.preventDefault();
      open(row.dataset.call);
    };
    document.addEventListener("click", onClick);
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("click", onClick);
      document.removeEventListener("keydown", onKey);
    };
  }, []);
  return opened && html`<${LiveRoute} id=${opened} key=${opened} onClose=${() => open(null)} />`;
}

function LiveRoute({ id, onClose }) {
  const { t, store, clock, second } = usePanel();
  const kept = useRef({ call: null, endedAt: null });
  const now = Math.max(second.value, clock.now());
  const live = store.row("call", id).value;
  store.versions.call.value; // a call that is gone leaves its last state behind: only the board knows
  if (live && live.state !== "ended" && store.board.call.has(id)) kept.current = { call: live, endedAt: null };
  else if (kept.current.endedAt === null) kept.current = { call: live ?? kept.current.call, endedAt: now };
  const { call, endedAt } = kept.current;
  if (!call) return null;
  const until = endedAt ?? now;
  const { board } = store;
  const route = {
    started: call.started,
    ended: endedAt,
    steps: call.steps.map((step) => ({ ...step, title: stepText({ ...step, note: "" }, board) })),
  };
  const people = call.managers.map((party) => plain(board.manager.get(party.manager)?.title ?? party.manager, 40));
  const title = html`<${Icon} name=${call.direction} label=${t(`direction.${call.direction}`)} /> <bdi class="num">${phone(call.number) || t("number.hidden")}</bdi>`;
  return html`<${Dialog} title=${title} className="route-dialog" onClose=${onClose}>
    <div class="route-facts">
      <${Chip} icon=${endedAt === null ? undefined : "ended"} tone=${endedAt === null ? "talking" : "away"}>${t(endedAt === null ? `state.${call.state}` : "state.ended")}</${Chip}>
      <span class="num" data-route-clock>${duration(until - call.started)} <span class="quiet">${t("timeline.from_start")}</span></span>
      ${call.name && html`<bdi class="truncate">${plain(call.name)}</bdi>`}
      ${people.length > 0 && html`<span><${Icon} name="person" /> <bdi>${people.join(", ")}</bdi></span>`}
    </div>
    <${RouteTimeline} route=${route} now=${until} t=${t} />
    <ol class="call-stops">
      ${call.steps.map((step, place) => html`<li key=${place}><span class="num">${duration(step.at - call.started)}</span>
        <span>${t(`step.${step.kind}`)} <bdi>${stepText({ ...step, note: "" }, board)}</bdi>${step.kind === "ivr" && step.note ? html` <span class="quiet">${t("timeline.key", { key: plain(step.note, 12) })}</span>` : null}</span>
        <span class="num">${step.until === null || step.until > step.at ? duration((step.until ?? until) - step.at) : ""}</span></li>`)}
    </ol>
  </${Dialog}>`;
}
