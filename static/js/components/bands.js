/* The band under the top bar: what is wrong with the picture, in words; quiet when nothing is.
   Read out politely; retry and sign-in are buttons, not advice. */
import { notices } from "../live/notices.js";
import { Icon, html, usePanel } from "./view.js";

export function Bands() {
  const { connection, links, second, store, words, t, clock, retry, config } = usePanel();
  second.value; // "next try" passes, lag grows
  const said = notices({ connection: connection.value, links: links.value, now: clock.now(), loaded: store.loaded.value, words });
  return html`<div class="bands" role="status" aria-live="polite">
    ${said.map((notice) => html`<div class="band" key=${notice.key} data-tone=${notice.tone} data-notice=${notice.key.split(":")[0]}>
      <${Icon} name=${notice.icon} /><strong>${notice.text}</strong>
      ${notice.note && html`<span class="band-note"><bdi>${notice.note}</bdi></span>`}
      ${notice.action === "retry" && html`<button class="btn btn-sm" type="button" onClick=${retry}>${t("band.retry")}</button>`}
      ${notice.action === "signin" && html`<a class="btn btn-sm" href=${config.signIn}>${t("band.signin")}</a>`}
    </div>`)}
  </div>`;
}
