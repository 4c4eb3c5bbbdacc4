/* The call's way so far, as chips: number, menu key, queue, who rang, who talked.
   Long ways keep their ends; the whole way is under the pointer. */
import { phone, plain } from "../live/format.js";
import { tell } from "../live/route.js";
import { Icon, html, usePanel } from "./view.js";

const ICON = {
  line: "line", ivr: "menu", queue: "queue", ring: "ringing", talk: "talking", hold: "held", transfer: "transfer",
  pickup: "pickup", park: "parked", dial: "dial", voicemail: "voicemail",
};
const TONE = { ring: "ringing", talk: "talking", hold: "warn", queue: "break" };
const MOST = 4;

export function stepText(step, board) {
  if (step.kind === "ivr" && step.note) return plain(step.note, 12); // the key pressed says more than the menu's name
  const known = board.manager.get(step.what) ?? board.queue.get(step.what) ?? board.line.get(step.what);
  if (step.kind === "ivr" && !known) return ""; // what a PBX calls its menu are not the company's words
  const what = known?.title || (/^\+?\d{5,}$/.test(step.what) ? phone(step.what) : step.what);
  return `${plain(what, 32)}${step.others ? ` +${step.others}` : ""}${step.times > 1 ? ` ×${step.times}` : ""}`;
}

export function Route({ steps }) {
  const { store, t } = usePanel();
  const { board } = store;
  const whole = steps.map((step) => [t(`step.${step.kind}`), stepText(step, board)].filter(Boolean).join(": ")).join(" → ");
  const told = tell(steps);
  const hidden = told.length > MOST ? told.length - (MOST - 1) : 0;
  const shown = hidden ? [told[0], null, ...told.slice(-(MOST - 2))] : told;
  return html`<ol class="route" aria-label=${t("route")} title=${whole}>
    ${shown.map((step, place) =>
      step === null
        ? html`<li class="step step-more" key="more">+${hidden}</li>`
        : html`<li class="step" key=${`${step.kind}${step.what}${place}`} data-tone=${step.until === null ? TONE[step.kind] : undefined}>
            <${Icon} name=${ICON[step.kind] ?? "info"} label=${t(`step.${step.kind}`)} /><bdi>${stepText(step, board) || t(`step.${step.kind}`)}</bdi>
          </li>`,
    )}
  </ol>`;
}
