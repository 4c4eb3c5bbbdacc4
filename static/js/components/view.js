/* The few things every component needs: templates without a compiler, icons of the sprite, the panel they belong to.
   htm keeps markup readable and evaluates no strings, as the content policy demands. */
import htm from "htm";
import { createContext, h } from "preact";
import { useContext } from "preact/hooks";

export const html = htm.bind(h);
export const PanelContext = createContext(null);
export const usePanel = () => useContext(PanelContext);

/* The sprite becomes part of the page: an icon that is needed when the connection is lost cannot be fetched then. */
export async function takeIcons() {
  const answer = await fetch(document.documentElement.dataset.icons);
  const sprite = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
  sprite.setAttribute("class", "sr-only");
  sprite.setAttribute("aria-hidden", "true");
  document.body.append(document.adoptNode(sprite));
}

export function Icon({ name, label }) {
  return html`<svg class="icon" role=${label ? "img" : undefined} aria-label=${label} aria-hidden=${label ? undefined : "true"}>
    <use href=${`#i-${name}`} />
  </svg>`;
}

export function Chip({ icon, tone, children, title }) {
  return html`<span class="chip" data-tone=${tone} title=${title}>
    ${icon && html`<${Icon} name=${icon} />`}<span>${children}</span>
  </span>`;
}

/* A number that redraws itself and nothing around it. */
export function Count({ of, tone }) {
  const n = of.value.length;
  return html`<span class="badge" data-tone=${n ? tone : undefined}>${n}</span>`;
}

export function Empty({ icon, title, text, children }) {
  return html`<div class="empty">
    <${Icon} name=${icon} />
    <p class="empty-title">${title}</p>
    ${text && html`<p>${text}</p>`}
    ${children}
  </div>`;
}
