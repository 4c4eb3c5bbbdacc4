/* The call's way so far, as chips: number, menu key, queue, who rang, who talked.
   Long ways keep their ends; the middle is a count one can point at. */
import { phone, plain } from "../live/format.js";
import { Icon, html, usePanel } from "./view.js";

const ICON = {
  line: "line", ivr: "menu", queue: "queue", ring: "ringing", talk: "talking", hold: "held", transfer: "transfer",
  pickup: "pickup", park: "parked", dial: "dial", voicemail: "voicemail",
};
const TONE = { ring: "ringing", talk: "talking", hold: "warn", queue: "break" };
const MOST = 4;

export function stepText(step, board) {
  const manager = board.manager.get(step.what);
  const queue = board.queue.get(step.what);
  const line = board.line.get(step.what);
  const what = manager?.title ?? queue?.title ?? line?.title ?? (/^\+?\d{5,}$/.test(step.what) ? phone(step.what) : step.what);
  return plain(what, 32);
}

export function Route({ steps }) {
  const { store, t } = usePanel();
  const { board } = store;
  const whole = steps.map((step) => `${t(`step.${step.kind}`)}: ${stepText(step, board)}`);
  const hidden = steps.length > MOST ? steps.length - (MOST - 1) : 0;
  const shown = hidden ? [steps[0], null, ...steps.slice(-(MOST - 2))] : steps;
  return html`<ol class="route" aria-label=${t("route")} title=${whole.join(" → ")}>
    ${shown.map((step, place) =>
      step === null
        ? html`<li class="step step-more" key="more">+${hidden}</li>`
        : html`<li class="step" key=${`${step.at}${step.kind}${place}`} data-tone=${step.until === null ? TONE[step.kind] : undefined}>
            <${Icon} name=${ICON[step.kind] ?? "info"} label=${t(`step.${step.kind}`)} /><bdi>${stepText(step, board)}</bdi>
          </li>`,
    )}
  </ol>`;
}
