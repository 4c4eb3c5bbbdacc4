/* The route's picture: nothing overlaps in a lane, time only goes to the right, moments have room of their own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { layOut, template } from "./route-layout.js";

const step = (kind, what, at, until, note = "") => ({ kind, what, title: what, at, until, note });
const ended = {
  started: 0, ended: 60, byCustomer: true, wraps: [{ who: "a", at: 60, until: 75 }],
  steps: [
    step("line", "7495", 0, 0), step("ivr", "main", 0.5, 5, "1"), step("queue", "sales", 5, 20.01, "answered"),
    step("ring", "a", 6, 20, "answered"), step("ring", "b", 6, 6.002, "busy"), step("talk", "a", 20.02, 40),
    step("hold", "a", 40, 45), step("talk", "a", 45, 60), step("transfer", "", 45, 45, "blind:a"),
  ],
};

function checked(picture) {
  for (const lane of picture.lanes) {
    const taken = [];
    for (const span of lane.spans) {
      assert.ok(span.from < span.to, `${span.kind} has a width`);
      assert.ok(span.to <= picture.columns.length, `${span.kind} lies within`);
      for (const other of taken) assert.ok(span.from >= other.to || span.to <= other.from, `${span.kind} and ${other.kind} overlap`);
      taken.push(span);
    }
  }
  const times = picture.columns.map((column) => column.at);
  assert.deepEqual(times, [...times].sort((a, b) => a - b));
  assert.equal(template(picture).split(/ (?=minmax|28px)/).length, picture.columns.length);
  return picture;
}

test("a call that was: lanes of the way and of people, wrap-up after the end", () => {
  const picture = checked(layOut(ended, 100));
  assert.deepEqual(picture.lanes.map((lane) => lane.key), ["", "a", "b"]);
  const way = picture.lanes[0].spans;
  assert.deepEqual(way.filter((span) => span.moment).map((span) => span.kind), ["line", "transfer", "hangup"]);
  assert.equal(picture.lanes[2].spans[0].moment, true, "a phone that was busy rang for a moment");
  assert.equal(picture.lanes[1].spans.at(-1).kind, "wrap");
});

test("a call that is: open stops reach to now and grow with it", () => {
  const live = { started: 100, ended: null, steps: [step("queue", "sales", 100, null), step("ring", "a", 110, null)] };
  const [soon, later] = [115, 130].map((now) => checked(layOut(live, now)));
  assert.equal(soon.columns.at(-1).seconds, 5);
  assert.equal(later.columns.at(-1).seconds, 20);
  assert.ok(later.lanes.every((lane) => lane.spans.every((span) => span.open)));
});

const ringall = Array.from({ length: 30 }, (_, n) => step("ring", `m${n}`, 1 + n / 50, 9, "cancelled"));

test("phones that only rang share a lane, and have one each when asked", () => {
  const route = { started: 0, ended: 20, steps: [...ringall, step("talk", "m29", 9, 20)] };
  const picture = checked(layOut(route, 0));
  assert.deepEqual(picture.lanes.map((lane) => lane.key), ["", "m29", "rang"]);
  assert.equal(picture.together, 29);
  const [stretch, ...more] = picture.lanes[2].spans;
  assert.deepEqual([stretch.at, stretch.until, stretch.note, stretch.many, more.length], [1, 9, "cancelled", 29, 0]);
  const apart = checked(layOut(route, 0, { apart: true }));
  assert.equal(apart.lanes.length, 31);
  assert.equal(apart.together, 29);
});

test("a second round of ringing is a stretch of its own", () => {
  const again = ringall.map((one) => ({ ...one, at: one.at + 15, until: 25, note: "missed" }));
  const { lanes } = checked(layOut({ started: 0, ended: 26, steps: [...ringall, ...again] }, 0));
  assert.deepEqual(lanes[1].spans.map((span) => span.note), ["cancelled", "missed"]);
});

test("an hour's talk leaves room for what came before it", () => {
  const route = { started: 0, ended: 3618, steps: [step("ivr", "main", 0, 9), step("queue", "q", 9, 18), step("talk", "a", 18, 3618)] };
  const shares = [...template(layOut(route, 0)).matchAll(/([\d.]+)fr/g)].map((found) => Number(found[1]));
  assert.deepEqual(shares, [3, 3, 60]);
});

test("random routes never overlap", () => {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let round = 0; round < 500; round += 1) {
    const steps = [];
    const free = { a: 0, b: 0, "": 0 };
    for (let n = 0; n < 12; n += 1) {
      const who = ["a", "b", ""][Math.floor(random() * 3)];
      const at = free[who] + random() * 5;
      const until = random() < 0.3 ? at : at + random() * 30;
      free[who] = until;
      steps.push(step(who ? ["ring", "talk", "hold"][Math.floor(random() * 3)] : "queue", who || "q", at, until));
    }
    checked(layOut({ started: 0, ended: Math.max(...steps.map((one) => one.until)) + 1, steps }, 0));
  }
});

test("a route without steps is a way from start to end", () => {
  assert.equal(checked(layOut({ started: 5, ended: 5, steps: [] }, 5)).lanes.length, 1);
  assert.equal(checked(layOut({ started: 5, ended: null, steps: [] }, 6)).lanes[0].spans.length, 0);
});
