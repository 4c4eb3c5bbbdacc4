import assert from "node:assert/strict";
import { test } from "node:test";
import { queueOf, tell } from "./route.js";

const step = (kind, what, until = 1, note = "") => ({ kind, what, at: 0, until, note });
const said = (steps) => tell(steps).map((one) => `${one.kind}:${one.what}${one.others ? `+${one.others}` : ""}${one.times > 1 ? `×${one.times}` : ""}`);

test("phones that rang along and were not picked up are left out", () => {
  const steps = [
    step("queue", "q", 9, "answered"), step("ring", "a", 9, "cancelled"), step("ring", "b", 9, "answered"), step("talk", "b", null),
  ];
  assert.deepEqual(said(steps), ["queue:q", "talk:b"]);
});

test("phones ringing together now are one stop", () => {
  assert.deepEqual(said([step("ring", "a", null), step("ring", "b", null), step("ring", "c", null)]), ["ring:a+2"]);
});

test("who did not answer stays told, however often", () => {
  const steps = [step("ring", "a", 1, "missed"), step("ring", "a", 2, "missed"), step("ring", "b", 3, "missed"), step("ring", "a", null)];
  assert.deepEqual(said(steps), ["ring:a+1×2", "ring:a"]);
});

test("a crowd of phones that rings again and again in vain is one stop", () => {
  const round = (until) => ["a", "b", "c"].map((who) => step("ring", who, until, until === null ? "" : "missed"));
  assert.deepEqual(said([step("queue", "q", null), ...round(1), ...round(2), ...round(null)]), ["queue:q", "ring:a+2×2", "ring:a+2"]);
});

test("the whole way of a transferred call is told in order", () => {
  const steps = [
    step("line", "7495"), step("ivr", "main", 2, "1"), step("queue", "q"), step("ring", "a", 3, "answered"), step("talk", "a", 5),
    step("transfer", "102"), step("ring", "b", 7, "answered"), step("talk", "b", null),
  ];
  assert.deepEqual(said(steps), ["line:7495", "ivr:main", "queue:q", "talk:a", "transfer:102", "talk:b"]);
  assert.equal(steps.length, 8, "the call's own steps are untouched");
});

test("a talk belongs to the queue that brought it", () => {
  assert.equal(queueOf({ queue: null, steps: [step("queue", "a"), step("talk", "m", null), step("queue", "b"), step("talk", "n", null)] }), "b");
  assert.equal(queueOf({ queue: "now", steps: [step("queue", "a")] }), "now");
  assert.equal(queueOf({ queue: null, steps: [] }), null);
});
