/* A list that does not move under the pointer, and that comes onto the page a little per frame when it is long.
   Order freezes while pointer or focus is inside; what left keeps its place as a ghost until they are gone. */
import { effect } from "@preact/signals";
import { useEffect, useLayoutEffect, useReducer, useRef } from "preact/hooks";
import { arrange } from "../live/steady.js";
import { html } from "./view.js";

const AT_ONCE = 24;
const PER_FRAME = 16;

/* Lists on the page take turns: one of them grows per frame, so no frame is long. */
const growing = new Set();
let growthScheduled = false;

function growOne() {
  growthScheduled = false;
  const [next] = growing;
  if (!next) return;
  growing.delete(next);
  next();
  if (growing.size) scheduleGrowth();
}

function scheduleGrowth() {
  if (growthScheduled) return;
  growthScheduled = true;
  requestAnimationFrame(growOne);
}

function useGrowth(length) {
  const limit = useRef(AT_ONCE);
  const [, redraw] = useReducer((n) => n + 1, 0);
  useEffect(() => {
    if (limit.current >= length) return undefined;
    const grow = () => {
      limit.current += PER_FRAME;
      redraw();
    };
    growing.add(grow);
    scheduleGrowth();
    return () => growing.delete(grow);
  });
  return limit.current;
}

export function SteadyList({ ids, className, label, item }) {
  const box = useRef(null);
  const slots = useRef(ids.peek().map((id) => ({ id, ghost: false })));
  const inside = useRef({ pointer: false, focus: false });
  const [, redraw] = useReducer((n) => n + 1, 0);
  const settle = () => {
    const { pointer, focus } = inside.current;
    const next = arrange(slots.current, ids.peek(), pointer || focus);
    if (next === slots.current) return;
    slots.current = next;
    redraw();
  };
  useLayoutEffect(() => effect(() => void (ids.value, settle())), [ids]);
  const mark = (what, value) => {
    inside.current[what] = value;
    settle();
  };
  const limit = useGrowth(slots.current.length);
  return html`<ul
    class=${className}
    role="list"
    aria-label=${label}
    ref=${box}
    onPointerEnter=${(event) => event.pointerType === "mouse" && mark("pointer", true)}
    onPointerLeave=${() => mark("pointer", false)}
    onFocusIn=${() => mark("focus", true)}
    onFocusOut=${(event) => !box.current.contains(event.relatedTarget) && mark("focus", false)}
  >
    ${slots.current.slice(0, limit).map((slot) => item(slot.id, slot.ghost))}
  </ul>`;
}
