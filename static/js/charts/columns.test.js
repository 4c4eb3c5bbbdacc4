import assert from "node:assert/strict";
import { test } from "node:test";
import { every, stacked } from "./columns.js";

test("columns stand on one another and nothing counts as zero", () => {
  assert.deepEqual(stacked([{ values: [1, 2] }, { values: [3, null] }]), [[1, 2], [4, 2]]);
});

test("labels leave room for one another", () => {
  assert.equal(every(30, 780), 3);
  assert.equal(every(7, 780), 1);
});
