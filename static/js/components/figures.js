/* The strip: the moment and the day in eleven numbers, each against its norm by colour, sign and word.
   Each is a button: it tells how it was counted. */
import { duration, share } from "../live/format.js";
import { Icon, html, usePanel } from "./view.js";

export function show(metric, value, words) {
  if (value === null) return "—";
  if (metric.unit === "seconds") return duration(value);
  return metric.unit === "share" ? share(value) : words.number(value);
}

export function Strip({ old }) {
  const { config, t } = usePanel();
  return html`<section class="strip" data-own=${config.profile ? "yes" : undefined} data-old=${old ? "yes" : undefined} aria-label=${t("strip")}>
    ${config.strip.map((key) => html`<${Tile} key=${key} name=${key} />`)}
  </section>`;
}

function Tile({ name }) {
  const { figures, metrics, words, explained, t, store } = usePanel();
  const metric = metrics.get(name);
  const { value, grade } = figures.get(name).value;
  const shown = store.loaded.value ? show(metric, value, words) : "—";
  const bad = grade === "warn" || grade === "alarm";
  return html`<button class="tile" type="button" data-metric=${name} data-grade=${grade} onClick=${() => (explained.value = name)}
      title=${t("figure.explain")} aria-haspopup="dialog">
    <span class="tile-name">${metric.title}</span>
    <span class="tile-value num">${shown}${bad && html`<span class="tile-sign"><${Icon} name=${grade} label=${t(`grade.${grade}`)} /></span>`}</span>
    ${metric.variant && html`<span class="tile-note">${metric.variant}</span>`}
  </button>`;
}
