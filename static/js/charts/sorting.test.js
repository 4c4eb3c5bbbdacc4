import assert from "node:assert/strict";
import { test } from "node:test";
import { order } from "./sorting.js";

test("numbers are ordered as numbers and what has no value stays last both ways", () => {
  const values = ["9", "", "10", "2.5"];
  assert.deepEqual(order(values, true), [2, 0, 3, 1]);
  assert.deepEqual(order(values, false), [3, 0, 2, 1]);
});
