/* A running time: the ticker writes its text; the component only says since when, or until when.
   Re-drawing a row never touches the text, so seconds do not flicker. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { html, usePanel } from "./view.js";

export function Timer({ since, until = null, onSecond, label, className = "" }) {
  const { ticker } = usePanel();
  const element = useRef(null);
  const latest = useRef(onSecond);
  latest.current = onSecond;
  useLayoutEffect(() => {
    const shown = element.current;
    ticker.show(shown, since, (elapsed) => latest.current?.(elapsed), until);
    return () => ticker.hide(shown);
  }, [since, until]);
  return html`<time class=${`timer ${className}`} ref=${element} aria-label=${label}></time>`;
}
