import assert from "node:assert/strict";
import { test } from "node:test";
import { Heard, bars, clamp, clock, meaning } from "./player-time.js";

test("a clock shows hours only when there are any", () => {
  assert.equal(clock(0), "0:00");
  assert.equal(clock(71.9), "1:11");
  assert.equal(clock(3671), "1:01:11");
  assert.equal(clock(-3), "0:00");
});

test("what was played is one span, what was skipped is none", () => {
  const heard = new Heard();
  for (const second of [0, 0.25, 0.5, 0.75, 1]) heard.at(second, true);
  heard.jumped();
  for (const second of [60, 60.25, 60.5]) heard.at(second, true);
  assert.deepEqual(heard.take(), [
    [0, 1],
    [60, 60.5],
  ]);
});

test("a jump nobody announced is no hearing, and neither is going back", () => {
  const heard = new Heard();
  heard.at(0, true);
  heard.at(30, true);
  heard.at(10, true);
  heard.at(11, true);
  assert.deepEqual(heard.take(), [[10, 11]]);
});

test("standing still is not hearing, and nothing new is not told again", () => {
  const heard = new Heard();
  heard.at(0, true);
  heard.at(2, false);
  heard.at(2.5, false);
  assert.deepEqual(heard.take(), [[0, 2]]);
  heard.at(3, false);
  assert.equal(heard.changed, false);
});

test("keys are places on the keyboard, and those of the browser stay the browser's", () => {
  assert.equal(meaning({ code: "KeyK", key: "л" }), "toggle");
  assert.equal(meaning({ code: "KeyJ" }), -10);
  assert.equal(meaning({ code: "KeyL" }), 10);
  assert.equal(meaning({ code: "KeyL", ctrlKey: true }), null);
  assert.equal(meaning({ code: "KeyA" }), null);
});

test("fewer bars show the loudest of their share, more repeat it, none is silence", () => {
  assert.deepEqual(bars([1, 9, 2, 3], 2), [9, 3]);
  assert.deepEqual(bars([5, 7], 4), [5, 5, 7, 7]);
  assert.deepEqual(bars([], 2), [0, 0]);
});

test("a position stays within the recording", () => {
  assert.equal(clamp(-1, 0, 10), 0);
  assert.equal(clamp(99, 0, 10), 10);
});
