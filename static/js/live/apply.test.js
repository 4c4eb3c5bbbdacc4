import assert from "node:assert/strict";
import { test } from "node:test";
import { KINDS, applyOps, boardFromWire, emptyBoard, replaceBoard } from "./apply.js";
import { chance, randomOp, wireOf } from "./fixtures/random-board.js";

test("any run of changes leaves the board a fresh snapshot would give", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = chance(seed);
    const server = emptyBoard();
    const browser = emptyBoard();
    for (let step = 0; step < 60; step += 1) {
      const ops = Array.from({ length: 1 + Math.floor(random() * 4) }, () => randomOp(random, server));
      applyOps(browser, ops);
    }
    assert.deepEqual(wireOf(browser), wireOf(server), `seed ${seed}`);
    assert.deepEqual(browser, boardFromWire(wireOf(server)));
  }
});

test("a resync from any state ends in the snapshot, and touches only what differs", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = chance(seed);
    const [old, fresh] = [emptyBoard(), emptyBoard()];
    for (let step = 0; step < 40; step += 1) applyOps(random() < 0.7 ? old : emptyBoard(), [randomOp(random, fresh)]);
    const before = new Map([...old.manager]);
    const touched = replaceBoard(old, JSON.parse(JSON.stringify(wireOf(fresh))));
    assert.deepEqual(wireOf(old), wireOf(fresh), `seed ${seed}`);
    for (const [id, entity] of old.manager) {
      if (!touched.manager?.has(id)) assert.equal(entity, before.get(id), "an unchanged row keeps its identity");
    }
  }
});

test("a change carries only some fields and keeps the others", () => {
  const board = boardFromWire({ manager: { a: { key: "a", activity: "free", calls: [] } } });
  const before = board.manager.get("a");
  const touched = applyOps(board, [["manager", "a", { activity: "talking" }]]);
  assert.deepEqual(board.manager.get("a"), { key: "a", activity: "talking", calls: [] });
  assert.equal(before.activity, "free", "the old entity is not mutated");
  assert.deepEqual(touched, { manager: new Set(["a"]) });
});

test("kinds this page does not know, and removals of the unknown, change nothing", () => {
  const board = emptyBoard();
  assert.deepEqual(applyOps(board, [["hologram", "1", { a: 1 }], ["call", "nobody", null]]), {});
  assert.deepEqual(board, emptyBoard());
  assert.equal(KINDS.length, 7);
});
