/* A call's route as a picture: one lane for the way, one for each person, time to the right. The same for a call that
   was and for one that is: `now` makes the open stops grow. Screen readers get the words beside it instead. */
import htm from "htm";
import { h } from "preact";
import { useState } from "preact/hooks";
import { duration, phone, plain } from "../live/format.js";
import { layOut, template } from "./route-layout.js";

const html = htm.bind(h);
const ICON = {
  line: "line", ivr: "menu", queue: "queue", ring: "ringing", talk: "talking", hold: "held", transfer: "transfer",
  pickup: "pickup", park: "parked", dial: "dial", voicemail: "voicemail", wrap: "status", hangup: "ended",
};
const NOTES = new Set(["answered", "missed", "busy", "cancelled"]);

export function RouteTimeline({ route, now, t }) {
  const [apart, setApart] = useState(false);
  const picture = layOut(route, now, { apart });
  const { lanes, together } = picture;
  const times = picture.marks.map(({ column, at }) => ({ column, text: duration(at - route.started) }));
  const marks = times.filter(({ text }, place) => text !== times[place - 1]?.text);
  const firstRang = lanes.findIndex((lane) => !lane.talked);
  return html`<figure class="timeline" aria-label=${t("timeline.way")} tabindex="0">
    <div class="timeline-grid" style=${{ gridTemplateColumns: `minmax(64px, max-content) ${template(picture)}` }}>
      ${lanes.map((lane, row) => html`
        ${together > 0 && row === firstRang
          ? html`<button class="timeline-name timeline-more" type="button" key="together" aria-expanded=${apart} onClick=${() => setApart(!apart)} style=${{ gridRow: row + 1 }}>
              <svg class="icon" aria-hidden="true"><use href="#i-${apart ? "down" : "right"}" /></svg><span class="truncate">${apart ? plain(lane.title, 40) : t("timeline.more", { n: together })}</span>
            </button>`
          : html`<div class="timeline-name truncate" aria-hidden="true" key=${`name ${lane.key}`} style=${{ gridRow: row + 1 }}>${row === 0 ? t("timeline.way") : plain(lane.title, 40)}</div>`}
        <div class="timeline-rail" key=${`rail ${lane.key}`} style=${{ gridRow: row + 1 }}></div>
        ${lane.spans.map((span, place) => html`<${Span} key=${`${lane.key} ${place}`} span=${span} row=${row} t=${t} byCustomer=${route.byCustomer} />`)}`)}
      ${marks.map(({ column, text }) => html`<span class="timeline-time num" aria-hidden="true" key=${`at ${column}`} style=${{ gridRow: lanes.length + 1, gridColumn: column + 2 }}><span>${text}</span></span>`)}
    </div>
  </figure>`;
}

function Span({ span, row, t, byCustomer }) {
  const title = wordsOf(span, t, byCustomer);
  const seconds = span.moment ? "" : duration(span.until - span.at);
  return html`<div aria-hidden="true" class=${span.moment ? "timeline-moment" : "timeline-span"} data-kind=${span.kind} data-note=${span.note || undefined} data-open=${span.open ? "yes" : undefined}
    title=${seconds ? `${title} · ${seconds}` : title} style=${{ gridRow: row + 1, gridColumn: `${span.from + 2} / ${span.to + 2}` }}>
    <svg class="icon"><use href=${`#i-${ICON[span.kind] ?? "info"}`} /></svg>
    ${!span.moment && html`<span class="timeline-what">${label(span, t)}${span.many > 1 ? ` × ${span.many}` : ""}</span><span class="timeline-long num">${seconds}</span>`}
  </div>`;
}

function label(span, t) {
  if (span.kind === "ivr") return span.note ? t("timeline.key", { key: plain(span.note, 12) }) : plain(span.title, 24) || t("step.ivr");
  if (span.kind === "queue" || span.kind === "park") return plain(span.title, 32);
  return t(span.kind === "wrap" ? "timeline.wrap" : `step.${span.kind}`);
}

export function wordsOf(span, t, byCustomer) {
  if (span.kind === "hangup") {
    if (byCustomer) return t("timeline.by_customer");
    return span.title ? t("timeline.by", { who: plain(span.title, 40) }) : t("timeline.hangup");
  }
  const what = /^\+?\d{5,}$/.test(span.title) ? phone(span.title) : plain(span.title, 40);
  const word = t(span.kind === "wrap" ? "timeline.wrap" : `step.${span.kind}`);
  const note = span.kind === "ivr" && span.note ? t("timeline.key", { key: plain(span.note, 12) }) : NOTES.has(span.note) ? t(`timeline.${span.note}`) : "";
  return [what ? `${word}: ${what}` : word, note].filter(Boolean).join(", ");
}
