/* The board as signals: one per entity, so a change redraws one row; one version per kind for what is summed over all.
   Incoming ops wait for the next frame and are applied together. */
import { batch, signal } from "@preact/signals";
import { KINDS, applyOps, emptyBoard, replaceBoard } from "./apply.js";

export class Store {
  /* `schedule(fn)` runs fn before the next paint; when nobody looks (hidden tab) it may run it at once. */
  constructor({ schedule }) {
    this.board = emptyBoard();
    this.loaded = signal(false);
    this.versions = Object.fromEntries(KINDS.map((kind) => [kind, signal(0)]));
    this.rows = Object.fromEntries(KINDS.map((kind) => [kind, new Map()]));
    this.schedule = schedule;
    this.pending = [];
    this.scheduled = false;
    this.afterFlush = [];
  }

  /* The signal of one entity. It outlives the entity: its last value stays for the ghost a removed row leaves. */
  row(kind, id) {
    let row = this.rows[kind].get(id);
    if (!row) {
      row = signal(this.board[kind].get(id) ?? null);
      this.rows[kind].set(id, row);
    }
    return row;
  }

  all(kind) {
    this.versions[kind].value; // subscribes the reader to any change of this kind
    return this.board[kind];
  }

  load(wire) {
    this.pending.length = 0; // ops of before the snapshot are in it
    this.publish(replaceBoard(this.board, wire));
    this.loaded.value = true;
  }

  queue(ops) {
    this.pending.push(...ops);
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  flush() {
    if (!this.pending.length) return;
    const ops = this.pending;
    this.pending = [];
    this.publish(applyOps(this.board, ops));
  }

  publish(touched) {
    batch(() => {
      for (const [kind, ids] of Object.entries(touched)) {
        for (const id of ids) {
          const entity = this.board[kind].get(id);
          const row = this.rows[kind].get(id);
          if (entity && row) row.value = entity;
        }
        this.versions[kind].value += 1;
      }
    });
    this.forgetGone();
    for (const listener of this.afterFlush) listener(touched);
  }

  /* Hours of calls must not pile up: signals of entities long gone are let go (a ghost holds its own reference). */
  forgetGone() {
    for (const kind of KINDS) {
      if (this.rows[kind].size <= this.board[kind].size + 500) continue;
      for (const id of this.rows[kind].keys()) {
        if (!this.board[kind].has(id)) this.rows[kind].delete(id);
      }
    }
  }
}
