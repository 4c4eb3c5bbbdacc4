import assert from "node:assert/strict";
import { test } from "node:test";
import { dayMarks, inSight, reading } from "./usage.js";

const BOUNDS = [{ at: 5 }, { at: 15 }, { at: 40 }];

test("bounds are shown up to the one that is not passed yet", () => {
  assert.deepEqual(inSight(BOUNDS, 0), [{ at: 5 }]);
  assert.deepEqual(inSight(BOUNDS, 5), [{ at: 5 }]);
  assert.deepEqual(inSight(BOUNDS, 6), [{ at: 5 }, { at: 15 }]);
  assert.deepEqual(inSight(BOUNDS, 41), BOUNDS);
  assert.deepEqual(inSight([], 3), []);
});

test("fewer days are written where there is less room", () => {
  const days = Array.from({ length: 31 }, (_, n) => [n * 24, n + 1]);
  assert.equal(dayMarks({ days }, 1400).length, 31);
  assert.ok(dayMarks({ days }, 340).length <= 10);
  assert.ok(dayMarks({ days }, 10).length >= 1);
});

test("the pointer reads what is there, and past the end the last", () => {
  const data = { labels: ["1 июня, 09:00", "1 июня, 10:00"], values: [2, 6], word: "одновременно" };
  assert.equal(reading(data, 0), "1 июня, 09:00 — 2 одновременно");
  assert.equal(reading(data, 2), "1 июня, 10:00 — 6 одновременно");
  assert.equal(reading(data, null), "");
  assert.equal(reading({ ...data, labels: [] }, 0), "");
});
