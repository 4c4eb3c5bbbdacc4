/* When to ring: a norm of this very moment is broken, was not yet rung for, and the trouble is still there.
   Pure: it looks at the board of now, so what already ended (late events, a tab asleep) can never ring. */
export const RING_AGAIN = 30;

/* `urgent` breaches (callers who wait now) ring again; the day's figures ring once when they fall. */
export const URGENT = new Set(["waiting", "longest_wait"]);

export const quiet = () => ({ known: new Set(), rangAt: null, begun: false });

/* breaches: [{key, grade}] of the board at `now` (seconds). `settled`: false right after a snapshot, which may be
   minutes newer than what was shown before: one more look before shouting. */
export function watch(state, breaches, now, { settled = true } = {}) {
  const broken = breaches.filter((breach) => breach.grade === "alarm").map((breach) => breach.key);
  if (!settled) {
    const known = new Set(broken.filter((key) => state.known.has(key) || (!state.begun && !URGENT.has(key))));
    return { state: { ...state, known, begun: true }, ring: false, broken };
  }
  const fresh = broken.some((key) => !state.known.has(key));
  const pressing = broken.some((key) => URGENT.has(key));
  const again = pressing && state.rangAt !== null && now - state.rangAt >= RING_AGAIN;
  const ring = fresh || again;
  const rangAt = ring ? now : pressing ? state.rangAt : null;
  return { state: { known: new Set(broken), rangAt, begun: true }, ring, broken };
}
