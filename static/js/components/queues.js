/* A row of figures for each queue in sight: the columns a monitoring profile asks for, each against the queue's norm. */
import { countRaw, grade, valueOf } from "../live/figures.js";
import { plain } from "../live/format.js";
import { withinQueue } from "../live/narrow.js";
import { show } from "./figures.js";
import { Icon, html, usePanel } from "./view.js";

const FOLDED = "live.queues";

export function Queues({ old }) {
  const { config, t } = usePanel();
  const columns = config.columns ?? [];
  if (!columns.length) return null;
  if (config.wall) return html`<section class="live-queues" data-old=${old ? "yes" : undefined}><${Table} columns=${columns} /></section>`;
  return html`<details class="live-queues" open=${localStorage.getItem(FOLDED) !== "yes"} data-old=${old ? "yes" : undefined}
      onToggle=${(event) => localStorage.setItem(FOLDED, event.target.open ? "no" : "yes")}>
    <summary><${Icon} name="queue" />${t("explain.queues")}</summary>
    <${Table} columns=${columns} />
  </details>`;
}

function Table({ columns }) {
  const { store, inSight, metrics, words, t } = usePanel();
  const queues = [...store.all("queue").values()].filter(inSight.value.queue).sort((a, b) => a.title.localeCompare(b.title, words.language));
  if (!queues.length) return store.loaded.value && html`<p class="quiet live-queues-none">${t("queues.none")}</p>`;
  return html`<div class="table-responsive"><table class="table">
    <thead><tr><th scope="col">${t("filter.queue")}</th>${columns.map((key) => html`<th scope="col" class="num" key=${key} title=${metrics.get(key).meaning}>${metrics.get(key).title}</th>`)}</tr></thead>
    <tbody>${queues.map((queue) => html`<${Row} key=${queue.key} queue=${queue} columns=${columns} />`)}</tbody>
  </table></div>`;
}

function Row({ queue, columns }) {
  const { store, inSight, clock, second, metrics, normOf, words, past, t } = usePanel();
  const href = past("queue", queue.key);
  for (const kind of ["call", "manager", "queue", "status"]) store.versions[kind].value;
  second.value;
  const raw = countRaw(store.board, { inSight: withinQueue(inSight.value, queue.key), now: clock.now() });
  return html`<tr data-queue=${queue.key}><th scope="row">${href ? html`<a href=${href} title=${t("past")}><bdi>${plain(queue.title, 80)}</bdi></a>` : html`<bdi>${plain(queue.title, 80)}</bdi>`}</th>
    ${columns.map((key) => {
      const metric = metrics.get(key);
      const value = valueOf(metric, raw);
      const level = grade({ ...metric, norm: normOf(key, queue.key) }, value);
      const bad = level === "warn" || level === "alarm";
      return html`<td class="num" key=${key} data-grade=${level}>${bad && html`<${Icon} name=${level} label=${t(`grade.${level}`)} /> `}${show(metric, value, words)}</td>`;
    })}
  </tr>`;
}
