import assert from "node:assert/strict";
import { test } from "node:test";
import { boardFromWire } from "./apply.js";
import { countRaw, grade, valueOf, waitGrade } from "./figures.js";
import { noFilters, sight } from "./filters.js";
import { toneOf } from "./people.js";

const manager = (key, part) => ({
  key, groups: [1], queues: [], status: 1, paused: false, registration: "registered", activity: "free", calls: [], ...part,
});
const today = { offered: 10, answered: 7, answered_within: 6, abandoned: 3, short_abandoned: 1, flow_out: 0, wait_answered: 70 };
const board = boardFromWire({
  status: { 1: { id: 1, kind: "available" }, 2: { id: 2, kind: "break" }, 3: { id: 3, kind: "away" } },
  manager: {
    free: manager("free", {}),
    external: manager("external", { registration: "unknown", activity: "unknown" }),
    talks: manager("talks", { activity: "talking", calls: ["c"] }),
    holdsOnBreak: manager("holdsOnBreak", { activity: "held", status: 2, calls: ["d"], groups: [2] }),
    lunch: manager("lunch", { status: 2 }),
    away: manager("away", { status: 3, registration: "unregistered" }),
    dead: manager("dead", { registration: "unregistered", activity: "unavailable" }),
    never: manager("never", { status: null }),
    pausedByPhone: manager("pausedByPhone", { status: null, paused: true }),
  },
  queue: { a: { key: "a", groups: [1], today }, b: { key: "b", groups: [2], today } },
  call: {
    w: { key: "w", state: "waiting", joined: 100, queue: "a", groups: [1], steps: [] },
    r: { key: "r", state: "ringing", joined: 140, queue: "b", groups: [2], steps: [] },
    out: { key: "out", state: "ringing", joined: null, queue: null, groups: [1], steps: [] },
    c: { key: "c", state: "talking", joined: null, queue: "a", groups: [1], steps: [] },
  },
});
const all = { inSight: sight(noFilters()), now: 160 };

test("a ringing caller still waits; a ringing outgoing call never did", () => {
  const raw = countRaw(board, all);
  assert.equal(raw["now.waiting"], 2);
  assert.equal(raw["now.longest_wait"], 60);
});

test("people are counted by each fact on its own", () => {
  const raw = countRaw(board, all);
  assert.equal(raw["now.talking"], 2, "hold included, also while on break");
  assert.equal(raw["now.free"], 3, "registered, external and without any status; not the unregistered");
  assert.equal(raw["now.on_break"], 3);
  assert.equal(raw["now.away"], 1);
  assert.equal(raw["now.unregistered"], 1, "who is away needs no phone");
});

test("group and queue filters narrow the figures", () => {
  const raw = countRaw(board, { inSight: sight({ ...noFilters(), groups: new Set(["2"]) }), now: 160 });
  assert.equal(raw["now.waiting"], 1);
  assert.equal(raw.offered, 10);
  assert.equal(countRaw(board, all).offered, 20);
});

const level = {
  key: "service_level", direction: "higher_is_better", norm: { warn: 0.8, alarm: 0.6 },
  numerator: [[1, "answered_within"]], denominator: [[1, "answered"], [1, "abandoned"], [-1, "short_abandoned"]],
};

test("service level is computed from raw counts, short abandons left out", () => {
  assert.equal(valueOf(level, countRaw(board, all)), 12 / 18);
});

test("an empty denominator has no value and no grade", () => {
  const value = valueOf(level, {});
  assert.equal(value, null);
  assert.equal(grade(level, value), "none");
});

test("norms are read in the metric's own direction", () => {
  assert.deepEqual([0.9, 0.8, 0.79, 0.6, 0.59].map((value) => grade(level, value)), ["good", "good", "warn", "warn", "alarm"]);
  const waiting = { direction: "lower_is_better", norm: { warn: 3, alarm: 6 } };
  assert.deepEqual([2, 3, 6].map((value) => grade(waiting, value)), ["good", "warn", "alarm"]);
  assert.equal(grade({ direction: "lower_is_better", norm: { warn: null, alarm: null } }, 99), "good", "no limit, no alarm");
  assert.deepEqual([19, 20, 60].map((wait) => waitGrade(wait, { warn: 20, alarm: 60 })), ["good", "warn", "alarm"]);
});

test("a row's sign follows the live call first, then the status, then the phone", () => {
  const tone = (id) => toneOf(board.manager.get(id), board.status);
  assert.deepEqual(
    ["free", "external", "talks", "holdsOnBreak", "lunch", "away", "dead", "never", "pausedByPhone"].map(tone),
    ["free", "unknown", "talking", "held", "break", "away", "unregistered", "free", "break"],
  );
});

test("who wraps a call up is not free until that is over", () => {
  const person = manager("wraps", { wrap_until: 170 });
  const alone = boardFromWire({ status: { 1: { id: 1, kind: "available" } }, manager: { wraps: person } });
  assert.deepEqual([160, 171].map((now) => countRaw(alone, { ...all, now })["now.free"]), [0, 1]);
  assert.deepEqual([160, 171].map((now) => toneOf(person, alone.status, now)), ["wrap_up", "free"]);
  assert.equal(toneOf({ ...person, activity: "ringing" }, alone.status, 160), "ringing");
  assert.equal(toneOf({ ...person, registration: "unregistered" }, alone.status, 160), "unregistered");
});
