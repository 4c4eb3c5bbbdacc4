/* Keeps a list still under the pointer: order holds, newcomers go to the end, the gone leave a ghost in their place.
   Pure: slots in, slots out. */
const MOST_GHOSTS = 12;

/* slots: [{id, ghost}]; ids: the list as it should be; frozen: somebody's pointer or focus is inside. */
export function arrange(slots, ids, frozen) {
  if (!frozen) return keep(slots, ids.map((id) => ({ id, ghost: false })));
  const present = new Set(ids);
  const known = new Set(slots.map((slot) => slot.id));
  const next = slots.map((slot) => ({ id: slot.id, ghost: !present.has(slot.id) }));
  for (const id of ids) if (!known.has(id)) next.push({ id, ghost: false });
  let ghosts = next.filter((slot) => slot.ghost).length - MOST_GHOSTS;
  return keep(slots, ghosts > 0 ? next.filter((slot) => !slot.ghost || ghosts-- <= 0) : next);
}

/* The same array when nothing moved, so that a reader may compare by identity. */
function keep(before, after) {
  const still =
    before.length === after.length &&
    before.every((slot, place) => slot.id === after[place].id && slot.ghost === after[place].ghost);
  return still ? before : after;
}
