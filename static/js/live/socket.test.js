import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "./clock.js";
import { FakeSocket, Timers } from "./fixtures/stage.js";
import { BoardSocket } from "./socket.js";

function stage({ random = () => 0.5, stillAllowed } = {}) {
  const timers = new Timers();
  const sockets = [];
  const heard = { snapshots: [], ops: [], states: [] };
  const board = new BoardSocket({
    open: () => {
      sockets.push(new FakeSocket());
      return sockets.at(-1);
    },
    timers,
    random,
    stillAllowed,
    clock: new Clock({ local: () => timers.now / 1000 }),
    onSnapshot: (frame) => heard.snapshots.push(frame),
    onChanges: (frame) => heard.ops.push(...frame.ops),
    onState: (state) => heard.states.push(state),
  });
  board.start();
  return { board, timers, sockets, heard, last: () => sockets.at(-1) };
}

const snapshot = (epoch, seq, board = {}) => ({ t: "snapshot", epoch, seq, now: 1000, board });
const changes = (seq, op, epoch = "e1") => ({ t: "changes", epoch, seq, ops: [op] });

function opened(options) {
  const scene = stage(options);
  scene.last().accept();
  scene.last().hear(snapshot("e1", 10));
  return scene;
}

test("says hello with nothing, then takes the snapshot and the changes after it", () => {
  const { last, heard } = opened();
  assert.deepEqual(last().said("hello"), [{ t: "hello", have: null }]);
  last().hear(changes(11, ["call", "a", {}]));
  last().hear(changes(12, ["call", "b", {}]));
  assert.equal(heard.snapshots.length, 1);
  assert.deepEqual(heard.ops.map((op) => op[1]), ["a", "b"]);
  assert.equal(heard.states.at(-1).phase, "open");
});

test("a gap asks for a snapshot and trusts nothing until it comes", () => {
  const { last, heard } = opened();
  last().hear(changes(12, ["call", "lost-one-before", {}]));
  assert.equal(last().said("resync").length, 1);
  last().hear(changes(13, ["call", "after-the-gap", {}]));
  assert.deepEqual(heard.ops, []);
  assert.equal(last().said("resync").length, 1, "asked once");
  last().hear(snapshot("e1", 13));
  last().hear(changes(14, ["call", "c", {}]));
  assert.deepEqual(heard.ops.map((op) => op[1]), ["c"]);
});

test("a frame said twice is applied once", () => {
  const { last, heard } = opened();
  last().hear(changes(11, ["call", "a", {}]));
  last().hear(changes(11, ["call", "a", {}]));
  assert.equal(heard.ops.length, 1);
  assert.equal(last().said("resync").length, 0);
});

test("a snapshot of a new epoch starts counting anew", () => {
  const { last, heard } = opened();
  last().hear(snapshot("e2", 1));
  last().hear(changes(2, ["call", "a", {}], "e2"));
  assert.equal(heard.snapshots.length, 2);
  assert.equal(heard.ops.length, 1);
});

test("changes of an epoch we have no snapshot of ask for one", () => {
  const { last, heard } = opened();
  last().hear(changes(11, ["call", "a", {}], "e2"));
  assert.deepEqual(heard.ops, []);
  assert.equal(last().said("resync").length, 1);
});

test("half a frame asks for a snapshot instead of failing", () => {
  const { last } = opened();
  last().hear('{"t":"changes","seq":11,"op');
  assert.equal(last().said("resync").length, 1);
});

test("an unasked snapshot that never comes ends the connection", async () => {
  const { board, timers, sockets } = opened();
  board.resync();
  sockets[0].said("ping").forEach((ping) => sockets[0].hear({ t: "pong", id: ping.id, now: 1 }));
  await timers.pass(10_500);
  assert.equal(sockets.length, 2);
});

test("an unanswered ping is a dead connection after five seconds", async () => {
  const { timers, sockets, last, heard } = opened();
  last().hear({ t: "pong", id: 1, now: 1000 });
  await timers.pass(19_000);
  assert.equal(heard.states.at(-1).phase, "open");
  await timers.pass(1_000);
  assert.equal(last().said("ping").length, 2);
  await timers.pass(4_900);
  assert.equal(sockets.length, 1);
  await timers.pass(600);
  assert.equal(sockets.length, 2);
  assert.ok(heard.states.some((state) => state.phase === "lost"));
});

test("answered pings keep the connection for hours", async () => {
  const { timers, sockets, last } = opened();
  for (let minute = 0; minute < 180; minute += 1) {
    const id = last().said("ping").at(-1).id;
    last().hear({ t: "pong", id, now: 1000 + timers.now / 1000 });
    await timers.pass(20_000);
  }
  assert.equal(sockets.length, 1);
});

test("reconnects with growing, jittered waits and says what it has", async () => {
  const { timers, sockets, heard, last } = opened({ random: () => 1 });
  last().drop();
  const waits = [];
  for (let n = 0; n < 8; n += 1) {
    waits.push(heard.states.filter((state) => state.phase === "lost").at(-1).retryIn);
    await timers.pass(waits.at(-1) * 1000);
    last().drop();
  }
  assert.deepEqual(waits, [0.5, 1, 2, 4, 8, 15, 15, 15]);
  await timers.pass(15_000);
  last().accept();
  assert.deepEqual(last().said("hello"), [{ t: "hello", have: { epoch: "e1", seq: 10 } }]);
  assert.equal(sockets.length, 10);
});

test("two browsers do not come back at the same moment", () => {
  const wait = (random) => {
    const scene = opened({ random: () => random });
    scene.last().drop();
    return scene.heard.states.at(-1).retryIn;
  };
  assert.ok(wait(0.9) - wait(0.1) > 0.15);
});

test("a server that simply goes on after hello is followed without a snapshot", async () => {
  const { timers, last, heard } = opened();
  last().drop();
  await timers.pass(1000);
  last().accept();
  last().hear(changes(11, ["call", "a", {}]));
  assert.equal(heard.ops.length, 1);
  assert.equal(heard.states.at(-1).phase, "open");
});

test("a pong without a snapshot before it means that what we have still stands", async () => {
  const { timers, sockets, last, heard } = opened();
  last().drop();
  await timers.pass(1000);
  last().accept();
  last().hear({ t: "pong", id: last().said("ping")[0].id, now: 1001 });
  assert.equal(heard.states.at(-1).phase, "open");
  await timers.pass(15_000);
  assert.equal(sockets.length, 2, "no snapshot is waited for");
  last().hear(changes(11, ["call", "a", {}]));
  assert.equal(heard.ops.length, 1);
});

test("a first visit is not open before its snapshot", () => {
  const { last, heard } = stage();
  last().accept();
  last().hear({ t: "pong", id: 1, now: 1 });
  assert.equal(heard.states.at(-1).phase, "connecting");
});

test("a lost right is final: no reconnect", async () => {
  const { timers, sockets, last, heard } = opened();
  last().drop(4403);
  await timers.pass(600_000);
  assert.equal(sockets.length, 1);
  assert.equal(heard.states.at(-1).phase, "denied");
});

test("an ended session is noticed by asking the page after repeated refusals", async () => {
  let asked = 0;
  const scene = stage({ random: () => 1, stillAllowed: async () => ((asked += 1), false) });
  for (let n = 0; n < 3; n += 1) {
    scene.last().drop();
    await scene.timers.pass(20_000);
  }
  assert.equal(asked, 1);
  assert.equal(scene.heard.states.at(-1).phase, "denied");
  assert.equal(scene.sockets.length, 3);
});

test("frames of a connection already given up are not heard", async () => {
  const { timers, sockets, heard } = opened();
  const old = sockets[0];
  const ear = old.onmessage;
  old.drop();
  await timers.pass(1000);
  ear({ data: JSON.stringify(changes(11, ["call", "ghost", {}])) });
  assert.deepEqual(heard.ops, []);
});

test("a slow browser that was cut off comes back by itself", async () => {
  const { timers, sockets, last } = opened();
  last().drop(4008);
  await timers.pass(1000);
  assert.equal(sockets.length, 2);
});

test("one panel too many says so and asks again without haste", async () => {
  const { timers, sockets, last, heard } = opened();
  last().drop(4429);
  assert.deepEqual([heard.states.at(-1).phase, heard.states.at(-1).code], ["lost", 4429]);
  await timers.pass(14_000);
  assert.equal(sockets.length, 1);
  await timers.pass(2000);
  assert.equal(sockets.length, 2);
});
