/* The board as this browser holds it: plain entities by kind and id, and the one rule that changes them.
   Pure: the same ops on the same board give the same board; what was touched is returned, so that only that is drawn. */
export const KINDS = ["call", "queue", "manager", "group", "status", "line", "link"];

export function emptyBoard() {
  return Object.fromEntries(KINDS.map((kind) => [kind, new Map()]));
}

export function boardFromWire(wire) {
  const board = emptyBoard();
  for (const kind of KINDS) {
    for (const [id, entity] of Object.entries(wire[kind] ?? {})) board[kind].set(id, entity);
  }
  return board;
}

/* Applies [kind, id, fields|null] ops in place; returns {kind: Set of ids} of what changed.
   An entity is replaced, never mutated, so that a reader may compare by identity. */
export function applyOps(board, ops) {
  const touched = {};
  for (const [kind, id, fields] of ops) {
    const entities = board[kind];
    if (!entities) continue; // a newer server may know kinds this page does not
    if (fields === null) {
      if (!entities.delete(id)) continue;
    } else {
      entities.set(id, { ...entities.get(id), ...fields });
    }
    (touched[kind] ??= new Set()).add(id);
  }
  return touched;
}

/* What must change to turn `board` into the snapshot: unchanged rows keep their identity, so a resync draws little. */
export function replaceBoard(board, wire) {
  const touched = {};
  for (const kind of KINDS) {
    const fresh = wire[kind] ?? {};
    for (const id of board[kind].keys()) {
      if (!Object.hasOwn(fresh, id)) {
        board[kind].delete(id);
        (touched[kind] ??= new Set()).add(id);
      }
    }
    for (const [id, entity] of Object.entries(fresh)) {
      if (same(board[kind].get(id), entity)) continue;
      board[kind].set(id, entity);
      (touched[kind] ??= new Set()).add(id);
    }
  }
  return touched;
}

export function same(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}
