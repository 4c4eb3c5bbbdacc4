import assert from "node:assert/strict";
import { test } from "node:test";
import { RING_AGAIN, quiet, watch } from "./alarms.js";
import { Clock } from "./clock.js";
import { chance } from "./fixtures/random-board.js";
import { arrange } from "./steady.js";
import { windowOf } from "./window.js";

const alarm = (...keys) => keys.map((key) => ({ key, grade: "alarm" }));

test("a norm that breaks rings once, and again only while callers still wait", () => {
  let { state, ring } = watch(quiet(), alarm("longest_wait"), 100);
  assert.equal(ring, true);
  ({ state, ring } = watch(state, alarm("longest_wait"), 101));
  assert.equal(ring, false);
  ({ state, ring } = watch(state, alarm("longest_wait"), 100 + RING_AGAIN));
  assert.equal(ring, true);
});

test("the bell does not ring for what already ended", () => {
  let { state } = watch(quiet(), alarm("longest_wait"), 100);
  let ring;
  ({ state, ring } = watch(state, [], 110));
  assert.equal(ring, false);
  ({ state, ring } = watch(state, [], 100 + RING_AGAIN));
  assert.equal(ring, false, "the second ring of an ended wait is not given");
});

test("a snapshot full of old trouble is looked at twice before it rings", () => {
  const first = watch(quiet(), alarm("waiting"), 100, { settled: false });
  assert.equal(first.ring, false);
  assert.equal(watch(first.state, [], 101).ring, false, "gone at the second look");
  assert.equal(watch(first.state, alarm("waiting"), 101).ring, true, "still there at the second look");
});

test("the day's figures that were bad before the page opened do not ring", () => {
  const first = watch(quiet(), alarm("service_level"), 100, { settled: false });
  const next = watch(first.state, alarm("service_level"), 101);
  assert.equal(next.ring, false);
  assert.deepEqual(next.broken, ["service_level"]);
  assert.equal(watch(next.state, alarm("service_level"), 1000).ring, false, "and do not ring all day");
  assert.equal(watch(next.state, alarm("service_level", "lost"), 102).ring, true, "a new one does");
});

test("a norm that heals and breaks again rings again", () => {
  let { state } = watch(quiet(), alarm("lost"), 1);
  ({ state } = watch(state, [], 2));
  assert.equal(watch(state, alarm("lost"), 3).ring, true);
});

const ids = (slots) => slots.map((slot) => (slot.ghost ? `(${slot.id})` : slot.id)).join(" ");
const slotsOf = (...names) => names.map((id) => ({ id, ghost: false }));

test("nothing moves under the pointer: the gone leave ghosts, newcomers go to the end", () => {
  const slots = arrange(slotsOf("a", "b", "c"), ["new", "c", "a"], true);
  assert.equal(ids(slots), "a (b) c new");
  assert.equal(ids(arrange(slots, ["new", "c", "a"], false)), "new c a", "when the pointer leaves, order returns");
});

test("one who comes back while the pointer is inside takes their old place", () => {
  const slots = arrange(arrange(slotsOf("a", "b"), ["a"], true), ["a", "b"], true);
  assert.equal(ids(slots), "a b");
});

test("a list in which nothing changed stays the very same list", () => {
  const slots = slotsOf("a", "b");
  assert.equal(arrange(slots, ["a", "b"], false), slots);
  assert.equal(arrange(slots, ["b", "a"], true), slots);
});

test("frozen lists keep the order of all they showed, whatever happens", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = chance(seed);
    let live = ["a", "b", "c", "d"];
    let slots = slotsOf(...live);
    for (let step = 0; step < 15; step += 1) {
      live = random() < 0.5 ? live.filter(() => random() < 0.8) : [`n${step}`, ...live];
      const next = arrange(slots, live, true);
      const kept = next.filter((slot) => slots.some((old) => old.id === slot.id)).map((slot) => slot.id);
      assert.deepEqual(kept, slots.map((slot) => slot.id).filter((id) => kept.includes(id)));
      assert.deepEqual(new Set(next.filter((slot) => !slot.ghost).map((slot) => slot.id)), new Set(live));
      slots = next;
    }
  }
});

test("a window keeps the list as high as all its rows would be", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = chance(seed);
    const count = Math.floor(random() * 400);
    const columns = 1 + Math.floor(random() * 4);
    const [pitch, gap, height, around] = [68, 8, 900, 400];
    const top = 300 - Math.floor(random() * 9000);
    const shown = windowOf({ count, columns, pitch, gap, top, height, around });
    const rows = Math.ceil(count / columns);
    const drawn = Math.ceil((shown.to - shown.from) / columns);
    const total = shown.before + shown.after + (drawn ? drawn * pitch - gap : 0);
    assert.ok((shown.from % columns === 0 || shown.from === count) && shown.from <= shown.to && shown.to <= count);
    if (rows) assert.equal(total, rows * pitch - gap, `seed ${seed}: ${JSON.stringify(shown)}`);
    for (let row = 0; row < rows; row += 1) {
      const y = top + row * pitch;
      if (y + pitch > 0 && y < height) assert.ok(shown.from <= row * columns && row * columns < shown.to, "in sight, so drawn");
    }
  }
});

test("a window that moves takes on a few rows a frame and arrives", () => {
  const list = { count: 500, columns: 3, pitch: 31, gap: 1, height: 900, around: 400 };
  let shown = windowOf({ ...list, top: 0 });
  for (const top of [-400, -800, -500, -9000]) {
    const target = windowOf({ ...list, top });
    for (let frame = 0; frame < 40; frame += 1) {
      const next = windowOf({ ...list, top, last: shown, most: 24 });
      const jump = next.from >= shown.to || next.to <= shown.from;
      if (!jump) assert.ok(shown.from - next.from <= 24 && next.to - shown.to <= 24);
      const rows = Math.ceil((next.to - next.from) / 3);
      assert.equal(next.before + next.after + (rows ? rows * 31 - 1 : 0), Math.ceil(500 / 3) * 31 - 1);
      shown = next;
    }
    assert.deepEqual(shown, target);
  }
});

test("the clock follows the server, and the quickest answer most", () => {
  let local = 500;
  const clock = new Clock({ local: () => local });
  clock.fromSnapshot(1000);
  assert.equal(clock.now(), 1000);
  local = 501;
  clock.fromPong(1001.55, 500.9);
  assert.ok(Math.abs(clock.now() - 1001.6) < 1e-6);
  local = 510;
  clock.fromPong(1017, 506);
  assert.ok(Math.abs(clock.now() - 1010.6) < 1e-6, "a slow answer does not spoil a good one");
  local = 900;
  clock.fromPong(1405, 899);
  assert.ok(Math.abs(clock.now() - 1405.5) < 1e-6, "an old witness gives way");
});
