import assert from "node:assert/strict";
import { test } from "node:test";
import { effect } from "@preact/signals";
import { emptyBoard } from "./apply.js";
import { chance, randomOp, wireOf } from "./fixtures/random-board.js";
import { Store } from "./store.js";

function storeWithFrames() {
  const frames = [];
  return { store: new Store({ schedule: (flush) => frames.push(flush) }), frames };
}

test("changes wait for the next frame and are applied together", () => {
  const { store, frames } = storeWithFrames();
  store.load({ manager: { a: { key: "a", activity: "free" } } });
  let drawn = 0;
  effect(() => void (store.row("manager", "a").value, (drawn += 1)));
  store.queue([["manager", "a", { activity: "ringing" }]]);
  store.queue([["manager", "a", { activity: "talking" }]]);
  assert.equal(frames.length, 1);
  assert.equal(drawn, 1, "nothing is drawn before the frame");
  frames[0]();
  assert.equal(store.row("manager", "a").value.activity, "talking");
  assert.equal(drawn, 2, "two changes, one drawing");
});

test("a change redraws its own row only", () => {
  const { store, frames } = storeWithFrames();
  store.load({ manager: { a: { key: "a" }, b: { key: "b" } } });
  let drawn = 0;
  effect(() => void (store.row("manager", "b").value, (drawn += 1)));
  store.queue([["manager", "a", { activity: "talking" }]]);
  frames[0]();
  assert.equal(drawn, 1);
});

test("a snapshot drops the changes that were waiting, they are in it", () => {
  const { store, frames } = storeWithFrames();
  store.load({});
  store.queue([["call", "old", { key: "old" }]]);
  store.load({ call: { new: { key: "new" } } });
  frames[0]();
  assert.deepEqual([...store.board.call.keys()], ["new"]);
});

test("signals show the board after any run of changes and snapshots", () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = chance(seed);
    const { store, frames } = storeWithFrames();
    const server = emptyBoard();
    store.load({});
    const watched = ["0", "1", "2"].map((id) => [id, store.row("call", id)]);
    for (let step = 0; step < 80; step += 1) {
      store.queue([randomOp(random, server)]);
      if (random() < 0.3) frames.splice(0).forEach((frame) => frame());
      if (random() < 0.05) store.load(JSON.parse(JSON.stringify(wireOf(server))));
    }
    frames.splice(0).forEach((frame) => frame());
    assert.deepEqual(wireOf(store.board), wireOf(server));
    for (const [id, row] of watched) {
      if (server.call.has(id)) assert.deepEqual(row.value, server.call.get(id));
    }
  }
});

test("hours of calls leave no signals behind", () => {
  const { store, frames } = storeWithFrames();
  store.load({});
  for (let n = 0; n < 5000; n += 1) {
    store.queue([["call", `c${n}`, { key: `c${n}` }]]);
    frames.splice(0).forEach((frame) => frame());
    store.row("call", `c${n}`);
    store.queue([["call", `c${n}`, null]]);
    frames.splice(0).forEach((frame) => frame());
  }
  assert.ok(store.rows.call.size <= 501, `${store.rows.call.size} kept`);
});
