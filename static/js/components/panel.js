/* The live panel's layout: bands, figures, filters, three panes side by side, or one at a time on a narrow screen.
   Also what it says to screen readers: a short summary now and then, never every tick. */
import { useEffect, useRef, useState } from "preact/hooks";
import { duration } from "../live/format.js";
import { isOld } from "../live/notices.js";
import { Bands } from "./bands.js";
import { Calls } from "./calls.js";
import { Dialog, Explain } from "./explain.js";
import { Strip } from "./figures.js";
import { People } from "./people.js";
import { RouteDialog } from "./route-dialog.js";
import { Queues } from "./queues.js";
import { Toolbar } from "./toolbar.js";
import { Count, PanelContext, html, usePanel } from "./view.js";
import { Waiting } from "./waiting.js";

const SAY_EVERY = 15_000;

export function Panel({ panel }) {
  return html`<${PanelContext.Provider} value=${panel}><${Layout} /></${PanelContext.Provider}>`;
}

function Layout() {
  const { config, connection, links, pane, store, helping } = usePanel();
  const old = store.loaded.value && isOld({ connection: connection.value, links: links.value });
  if (config.wall) return html`<${Bands} /><${Strip} old=${old} /><${Queues} old=${old} /><${Summary} />`;
  return html`<${Bands} />
    <${Strip} old=${old} />
    <${Queues} old=${old} />
    <${Toolbar} />
    <${Tabs} />
    <div class="panes" data-shown=${pane.value} data-old=${old ? "yes" : undefined} aria-busy=${String(!store.loaded.value)}>
      <${Waiting} /><${Calls} /><${People} />
    </div>
    <${Explain} />
    <${RouteDialog} />
    ${helping.value && html`<${Keys} />`}
    <${Summary} />`;
}

function Tabs() {
  const { t, pane, waiting, calls, seenManagers } = usePanel();
  const tab = (name, list) => html`<button class="tab" role="tab" type="button" aria-selected=${String(pane.value === name)} onClick=${() => (pane.value = name)}>
    ${t(`tab.${name}`)}<${Count} of=${list} />
  </button>`;
  return html`<div class="tabs pane-tabs" role="tablist">
    ${tab("waiting", waiting)}${tab("calls", calls)}${tab("people", seenManagers)}
  </div>`;
}

function Keys() {
  const { t, helping } = usePanel();
  const keys = [["/", "keys.search"], ["J K ↓ ↑", "keys.move"], ["Enter", "keys.open"], ["S", "keys.past"], ["1 2 3", "keys.pane"], ["M", "keys.sound"], ["D", "keys.density"], ["Esc", "keys.escape"], ["?", "keys.help"]];
  return html`<${Dialog} title=${t("keys")} onClose=${() => (helping.value = false)}>
    <dl class="keys">${keys.map(([key, text]) => html`<div key=${key}><dt>${key.split(" ").map((one) => html`<kbd>${one}</kbd> `)}</dt><dd>${t(text)}</dd></div>`)}</dl>
  </${Dialog}>`;
}

function Summary() {
  const { t, counts, store } = usePanel();
  const [text, setText] = useState("");
  const last = useRef("");
  useEffect(() => {
    const timer = setInterval(() => {
      if (!store.loaded.peek()) return;
      const raw = counts.peek();
      const waiting = raw["now.waiting"];
      const key = `${waiting}`;
      if (key === last.current) return;
      last.current = key;
      setText(waiting ? t("say.waiting", { n: waiting, time: duration(raw["now.longest_wait"]) }) : t("say.nobody"));
    }, SAY_EVERY);
    return () => clearInterval(timer);
  }, []);
  return html`<p class="sr-only" role="status" aria-live="polite">${text}</p>`;
}
