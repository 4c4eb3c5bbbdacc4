/* "How was this counted": the metric's words, its formula with today's raw counts in it, its norm, and per queue.
   Lives while it is open: the numbers move as the board does. */
import { useEffect, useRef } from "preact/hooks";
import { countRaw, valueOf } from "../live/figures.js";
import { duration, plain } from "../live/format.js";
import { show } from "./figures.js";
import { Icon, html, usePanel } from "./view.js";

export function Explain() {
  const { explained } = usePanel();
  return explained.value && html`<${Explanation} name=${explained.value} />`;
}

export function Dialog({ title, onClose, className, children }) {
  const dialog = useRef(null);
  const { t } = usePanel();
  useEffect(() => {
    const from = document.activeElement;
    dialog.current.showModal();
    return () => from?.focus?.();
  }, []);
  return html`<dialog class=${className} ref=${dialog} onClose=${onClose} onClick=${(event) => event.target === dialog.current && dialog.current.close()} aria-labelledby="dialog-title">
    <div class="dialog-head"><h2 id="dialog-title">${title}</h2>
      <button class="btn btn-ghost btn-icon" type="button" onClick=${() => dialog.current.close()} aria-label=${t("close")}><${Icon} name="close" /></button>
    </div>
    <div class="dialog-body">${children}</div>
  </dialog>`;
}

function Explanation({ name }) {
  const panel = usePanel();
  const { explained, metrics, figures, counts, words, filtering, past, t } = panel;
  const metric = metrics.get(name);
  const { value, grade } = figures.get(name).value;
  const raw = counts.value;
  return html`<${Dialog} title=${metric.title} onClose=${() => (explained.value = null)}>
    <p class="explain-value num" data-grade=${grade}>${show(metric, value, words)}
      ${grade !== "none" && html`<span class="explain-grade"><${Icon} name=${grade} />${t(`grade.${grade}`)}</span>`}</p>
    <p>${metric.meaning}</p>
    <h3>${t("explain.formula")}</h3>
    <div class="formula">
      <${Terms} terms=${metric.numerator} raw=${raw} seconds=${metric.unit === "seconds"} />
      ${metric.denominator.length > 0 && html`<hr /><${Terms} terms=${metric.denominator} raw=${raw} />`}
    </div>
    ${value === null && metric.denominator.length > 0 && html`<p class="quiet">${t("explain.empty")}</p>`}
    ${metric.norm && html`<h3>${t("explain.norm")}</h3><p>${normText(metric, panel)}</p>`}
    <${PerQueue} metric=${metric} />
    ${past() && html`<p><a class="btn" href=${past()}><${Icon} name="statistics" />${t("explain.past")}</a></p>`}
    <p class="quiet">${t(filtering.value ? "explain.filtered" : "explain.unfiltered")}</p>
  </${Dialog}>`;
}

function normText(metric, { t, words }) {
  const limit = (value) => (value === null ? "—" : show(metric, value, words));
  const way = metric.direction === "lower_is_better" ? "explain.norm_above" : "explain.norm_below";
  return t(way, { warn: limit(metric.norm.warn), alarm: limit(metric.norm.alarm) });
}

function Terms({ terms, raw, seconds }) {
  const { t, words } = usePanel();
  const value = (key) => (seconds && (key.startsWith("now.") || key === "wait_answered") ? duration(raw[key] ?? 0) : words.number(raw[key] ?? 0));
  return html`<div class="terms">
    ${terms.map(([sign, key], place) => html`<span class="term" key=${key}>
      ${(place > 0 || sign < 0) && html`<span class="term-sign">${sign < 0 ? "−" : "+"}</span>`}<b class="num">${value(key)}</b> ${t(`count.${key}`)}
    </span>`)}
  </div>`;
}

function PerQueue({ metric }) {
  const { store, clock, inSight, words, past, t } = usePanel();
  const ofQueues = [...metric.numerator, ...metric.denominator].every(([, key]) => !key.startsWith("now."));
  const queues = [...store.all("queue").values()].filter((queue) => inSight.value.queue(queue));
  if (!ofQueues || queues.length < 2) return null;
  const of = (queue) => countRaw({ call: new Map(), manager: new Map(), status: new Map(), queue: new Map([[queue.key, queue]]) },
    { inSight: inSight.value, now: clock.now() });
  return html`<h3>${t("explain.queues")}</h3>
    <table class="table explain-queues"><tbody>
      ${queues.slice(0, 20).map((queue) => html`<tr key=${queue.key}><td>${past("queue", queue.key) ? html`<a href=${past("queue", queue.key)}><bdi>${plain(queue.title)}</bdi></a>` : html`<bdi>${plain(queue.title)}</bdi>`}</td><td class="num">${show(metric, valueOf(metric, of(queue)), words)}</td></tr>`)}
    </tbody></table>`;
}
