/* The few things every component needs: templates without a compiler, icons of the sprite, the panel they belong to.
   htm keeps markup readable and evaluates no strings, as the content policy demands. */
import htm from "htm";
import { createContext, h } from "preact";
import { useContext } from "preact/hooks";

export const html = htm.bind(h);
export const PanelContext = createContext(null);
export const usePanel = () => useContext(PanelContext);

const sprite = globalThis.document?.documentElement.dataset.icons ?? "";

export function Icon({ name, label }) {
  return html`<svg class="icon" role=${label ? "img" : undefined} aria-label=${label} aria-hidden=${label ? undefined : "true"}>
    <use href=${`${sprite}#${name}`} />
  </svg>`;
}

export function Chip({ icon, tone, children, title }) {
  return html`<span class="chip" data-tone=${tone} title=${title}>
    ${icon && html`<${Icon} name=${icon} />`}<span>${children}</span>
  </span>`;
}

export function Empty({ icon, title, text, children }) {
  return html`<div class="empty">
    <${Icon} name=${icon} />
    <p class="empty-title">${title}</p>
    ${text && html`<p>${text}</p>`}
    ${children}
  </div>`;
}
