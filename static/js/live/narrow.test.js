/* A profile only narrows, and an empty choice leaves nothing: the panel must never open wider than the profile says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { both, narrowing, withinQueue } from "./narrow.js";

const call = (fields) => ({ groups: [1], queue: "q1", line: "100", steps: [], managers: [], joined: 1, state: "waiting", ...fields });
const manager = (fields) => ({ key: "m1", groups: [1], queues: ["q1"], ...fields });
const queue = (fields) => ({ key: "q1", groups: [1], ...fields });
const rows = [["call", call()], ["manager", manager()], ["queue", queue()]];

test("without a profile everything is let through", () => {
  for (const [kind, row] of rows) assert.ok(narrowing(null)[kind](row), kind);
  assert.ok(narrowing({ groups: null, queues: null, lines: null, managers: null }).group({ id: 5 }));
});

test("an empty list leaves nothing, it does not mean all", () => {
  for (const name of ["groups", "queues"]) {
    const narrow = narrowing({ groups: null, queues: null, lines: null, managers: null, [name]: [] });
    for (const [kind, row] of rows) assert.ok(!narrow[kind](row), `${name} ${kind}`);
  }
});

test("lines narrow calls, managers narrow talks and people but never who waits", () => {
  const narrow = narrowing({ groups: null, queues: null, lines: ["100"], managers: ["m1"] });
  assert.ok(narrow.call(call()));
  assert.ok(!narrow.call(call({ line: "200" })));
  assert.ok(!narrow.call(call({ state: "talking", managers: [{ manager: "m2" }] })));
  assert.ok(narrow.call(call({ state: "talking", managers: [{ manager: "m1" }] })));
  assert.ok(!narrow.manager(manager({ key: "m2" })));
});

test("filters narrow what the profile has left, and a queue's row counts its own only", () => {
  const sight = both(narrowing({ groups: [1, 2], queues: null, lines: null, managers: null }), narrowing({ groups: [2, 3], queues: null, lines: null, managers: null }));
  assert.ok(sight.queue(queue({ groups: [2] })));
  assert.ok(!sight.queue(queue({ groups: [1] })));
  assert.ok(!sight.queue(queue({ groups: [3] })));
  const inside = withinQueue(sight, "q1");
  assert.ok(!inside.queue(queue({ key: "q2", groups: [2] })));
  assert.ok(inside.manager(manager({ groups: [2] })));
});
