/* Narrowing the view: search, group, queue, line, state; what is on is always visible and goes away in one press.
   Menus are <details>, so that they open without script and close like every menu of the page. */
import { phone, plain } from "../live/format.js";
import { TONES } from "../live/people.js";
import { Icon, html, usePanel } from "./view.js";

export function Toolbar() {
  const panel = usePanel();
  const { t, store, filtering, clear, bell, helping, words, narrow } = panel;
  const byTitle = (a, b) => a.title.localeCompare(b.title, words.language);
  const titled = (kind, key) => [...store.all(kind).values()].filter(narrow[kind]).map((row) => ({ value: String(row[key]), title: plain(row.title || phone(row[key]), 60) })).sort(byTitle);
  const states = TONES.map((tone) => ({ value: tone, title: t(`tone.${tone}`), icon: tone }));
  return html`<div class="live-tools" role="search" aria-label=${t("filters")}>
    <${Profiles} />
    <${Search} />
    <${Filter} list="groups" name=${t("filter.group")} options=${titled("group", "id")} />
    <${Filter} list="queues" name=${t("filter.queue")} options=${titled("queue", "key")} />
    <${Filter} list="lines" name=${t("filter.line")} options=${titled("line", "number")} />
    <${Filter} list="states" name=${t("filter.state")} options=${states} />
    ${filtering.value && html`<button class="btn btn-ghost" type="button" onClick=${clear}><${Icon} name="clear" />${t("filters.clear")}</button>`}
    <span class="live-tools-end">
      <button class="btn btn-ghost btn-icon" type="button" aria-pressed=${String(!bell.muted.value)} onClick=${() => bell.toggle()}
        title=${t(bell.muted.value ? "sound.off" : bell.ready.value ? "sound.on" : "sound.touch")} aria-label=${t("sound")}>
        <${Icon} name=${bell.muted.value ? "muted" : "sound"} />
      </button>
      <${Wall} />
      <button class="btn btn-ghost btn-icon wide-only" type="button" onClick=${() => (helping.value = true)} title=${t("keys")} aria-label=${t("keys")}><${Icon} name="keyboard" /></button>
    </span>
  </div>`;
}

/* The view in force and the way to another: links, so that each opens in a tab of its own as well. */
function Profiles() {
  const { config, profile, t } = usePanel();
  const { views, manage } = config;
  if (!views?.length && !manage) return null;
  return html`<details class="pop">
    <summary class="btn" data-on=${profile ? "yes" : undefined} title=${t("profile.open")}>
      <${Icon} name="profiles" /><bdi class="truncate">${profile ? plain(profile.title, 60) : t("profile.none")}</bdi><${Icon} name="down" />
    </summary>
    <div class="menu filter-menu">
      <a class="menu-item" href=${config.whole} aria-current=${profile ? undefined : "page"}><${Icon} name="board" />${t("profile.none")}</a>
      ${views.map((view) => html`<a class="menu-item" key=${view.href} href=${view.href} aria-current=${view.href === profile?.href ? "page" : undefined}><${Icon} name="profiles" /><bdi class="truncate">${plain(view.title, 60)}</bdi></a>`)}
      ${profile && html`<a class="menu-item" href=${profile.print} target="_blank"><${Icon} name="print" />${t("profile.print")}</a>`}
      ${manage && html`<a class="menu-item" href=${manage}><${Icon} name="manage" />${t("profile.manage")}</a>`}
    </div>
  </details>`;
}

function Wall() {
  const { config, t } = usePanel();
  return config.wallAt && html`<a class="btn btn-ghost btn-icon wide-only" href=${config.wallAt} target="_blank" title=${t("wall")} aria-label=${t("wall")}><${Icon} name="wall" /></a>`;
}

function Search() {
  const { t, filters, change } = usePanel();
  return html`<label class="search">
    <${Icon} name="search" /><span class="sr-only">${t("search")}</span>
    <input class="form-control" id="search" type="search" autocomplete="off" spellcheck="false" placeholder=${t("search.hint")}
      value=${filters.value.search} onInput=${(event) => change({ search: event.target.value.slice(0, 100) })} />
    <kbd aria-hidden="true">/</kbd>
  </label>`;
}

function Filter({ list, name, options }) {
  const { filters, toggle, t } = usePanel();
  const chosen = filters.value[list];
  if (options.length < 2 && chosen.size === 0) return null;
  const first = options.find((option) => chosen.has(option.value));
  return html`<details class="pop filter">
    <summary class="btn" data-on=${chosen.size > 0 ? "yes" : undefined}>${name}${chosen.size === 1 && first ? html`: <bdi class="truncate">${first.title}</bdi>` : chosen.size > 0 && html` <span class="badge">${chosen.size}</span>`}<${Icon} name="down" /></summary>
    <div class="menu filter-menu" role="group" aria-label=${name}>
      ${options.length === 0 && html`<p class="menu-title">${t("filter.nothing")}</p>`}
      ${options.map((option) => html`<label class="menu-item" key=${option.value}>
        <input type="checkbox" checked=${chosen.has(option.value)} onChange=${() => toggle(list, option.value)} />
        ${option.icon && html`<span class="tone" data-tone=${option.icon}><${Icon} name=${option.icon} /></span>`}<bdi class="truncate">${option.title}</bdi>
      </label>`)}
    </div>
  </details>`;
}
