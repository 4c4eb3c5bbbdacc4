/* A list that does not move under the pointer, and of which only the part in sight is on the page.
   Order freezes while pointer or focus is inside; what left keeps its place as a ghost until they are gone. */
import { effect } from "@preact/signals";
import { useLayoutEffect, useReducer, useRef } from "preact/hooks";
import { arrange } from "../live/steady.js";
import { windowOf } from "../live/window.js";
import { html } from "./view.js";

const AROUND = 400;
const NEW_PER_FRAME = 24;

/* One scroll listener for all lists: whichever pane scrolls, each looks once per frame whether its window moved. */
const lists = new Set();
let looking = false;

function lookSoon() {
  if (looking) return;
  looking = true;
  requestAnimationFrame(() => {
    looking = false;
    for (const look of lists) look();
  });
}

globalThis.document?.addEventListener("scroll", lookSoon, { capture: true, passive: true });
globalThis.addEventListener?.("resize", lookSoon, { passive: true });

export function SteadyList({ ids, className, label, item }) {
  const box = useRef(null);
  const slots = useRef(null);
  slots.current ??= ids.peek().map((id) => ({ id, ghost: false }));
  const pointer = useRef(false);
  const [, redraw] = useReducer((n) => n + 1, 0);
  const shown = useWindow(box, slots, redraw);
  const drawn = useDrawnOnce(item);

  const settle = () => {
    const focused = box.current?.contains(document.activeElement) ?? false;
    const next = arrange(slots.current, ids.peek(), pointer.current || focused);
    if (next === slots.current) return;
    slots.current = next;
    redraw();
  };
  useLayoutEffect(() => effect(() => void (ids.value, settle())), [ids]);
  const point = (inside) => {
    pointer.current = inside;
    settle();
  };
  return html`<ul
    class=${className}
    role="list"
    aria-label=${label}
    ref=${box}
    style=${{ paddingTop: `${shown.before}px`, paddingBottom: `${shown.after}px` }}
    onPointerEnter=${(event) => event.pointerType === "mouse" && point(true)}
    onPointerLeave=${() => point(false)}
    onFocusOut=${() => setTimeout(settle)}
  >
    ${drawn(slots.current.slice(shown.from, shown.to))}
  </ul>`;
}

/* A row follows its own signal; when only its neighbours change, the very same element tells Preact to leave it. */
function useDrawnOnce(item) {
  const cache = useRef(new Map());
  return (slots) => {
    const old = cache.current;
    cache.current = new Map();
    return slots.map(({ id, ghost }) => {
      const key = `${ghost ? "ghost" : "live"} ${id}`;
      const row = old.get(key) ?? item(id, ghost);
      cache.current.set(key, row);
      return row;
    });
  };
}

/* Measures only at the start of a frame, when the layout is clean; drawing goes by what was measured last. */
function useWindow(box, slots, redraw) {
  const seen = useRef({ columns: 1, pitch: 0, gap: 0, top: 0 });
  const last = useRef(null);
  const reckon = () => {
    const count = slots.current.length;
    if (seen.current.pitch === 0) return { from: 0, to: Math.min(count, 40), before: 0, after: 0 };
    return windowOf({ count, ...seen.current, height: innerHeight, around: AROUND, last: last.current, most: NEW_PER_FRAME });
  };
  useLayoutEffect(() => {
    const element = box.current;
    const look = () => {
      seen.current.top = element.getBoundingClientRect().top;
      if (sizeOf(element, seen.current) | (keyOf(reckon()) !== keyOf(last.current))) redraw();
    };
    const observer = new ResizeObserver(lookSoon);
    observer.observe(element);
    lists.add(look);
    lookSoon();
    return () => {
      observer.disconnect();
      lists.delete(look);
    };
  }, []);
  const shown = reckon();
  last.current = shown;
  useLayoutEffect(() => {
    if (keyOf(reckon()) !== keyOf(shown)) lookSoon(); // not all of it yet: more in the next frame
  });
  return shown;
}

const keyOf = (shown) => `${shown.from}-${shown.to}-${shown.before}-${shown.after}`;

/* Reads the height of a row and the number of columns off the page into `size`; says whether they changed. */
function sizeOf(element, size) {
  const row = element.firstElementChild;
  if (!row || row.offsetHeight === 0) return false;
  const style = getComputedStyle(element);
  const gap = parseFloat(style.rowGap) || 0;
  const columns = style.gridTemplateColumns.split(" ").length;
  const pitch = row.offsetHeight + gap;
  if (size.columns === columns && size.pitch === pitch && size.gap === gap) return false;
  Object.assign(size, { columns, pitch, gap });
  return true;
}
