// Made by `manage.py live_types` from monitoring/domain/wire.py and monitoring/live/protocol.py; do not edit.
// Times are epoch seconds (UTC).

/** One stop of the route. `what`: number, key, queue or manager key; `until` is null while it lasts. */
export interface StepWire {
  kind: "line" | "ivr" | "queue" | "ring" | "talk" | "hold" | "transfer" | "pickup" | "park" | "dial" | "voicemail";
  what: string;
  at: number;
  until: number | null;
  note?: string;
}

/** A manager's part in a live call. */
export interface PartyWire {
  manager: string;
  state: "ringing" | "talking" | "held";
  since: number;
}

export interface ListenerWire {
  who: string;
  mode: "listen" | "whisper" | "join";
  since: number;
}

export interface CallWire {
  key: string;
  direction: "in" | "out" | "internal";
  number: string;
  name: string;
  line: string;
  state: "ivr" | "waiting" | "ringing" | "talking" | "held" | "parked" | "ended";
  since: number;
  started: number;
  answered: number | null;
  queue: string | null;
  joined: number | null;
  position: number | null;
  managers: PartyWire[];
  steps: StepWire[];
  listeners: ListenerWire[];
  groups: number[];
}

/** Raw counts of the company's day so far; ratios are the metric registry's business. */
export interface QueueCounts {
  offered: number;
  answered: number;
  answered_within: number;
  abandoned: number;
  short_abandoned: number;
  flow_out: number;
  wait_answered: number;
}

export interface QueueWire {
  key: string;
  title: string;
  groups: number[];
  answer_within: number;
  short_abandon: number;
  managers: string[];
  waiting: number;
  earliest: number | null;
  today: QueueCounts;
}

/** `missed`: rang while available and was not answered. Times in seconds, settled legs only. */
export interface ManagerCounts {
  answered: number;
  missed: number;
  outgoing: number;
  talk_in: number;
  talk_out: number;
  hold: number;
}

/** Declared status, registration and live channels are three facts, kept apart; `flags` names contradictions. */
export interface ManagerWire {
  key: string;
  title: string;
  extension: string;
  groups: number[];
  queues: string[];
  status: number | null;
  status_since: number | null;
  paused: boolean;
  pause_reason: string;
  registration: "registered" | "unregistered" | "unknown";
  activity: "free" | "ringing" | "talking" | "held" | "unavailable" | "unknown";
  activity_since: number | null;
  calls: string[];
  missed_in_row: number;
  wrap_until: number | null;
  flags: ("missing_calls" | "unregistered" | "pause_differs")[];
  today: ManagerCounts;
}

export interface GroupWire {
  id: number;
  title: string;
  groups: number[];
}

export interface StatusWire {
  id: number;
  label: string;
  kind: "available" | "break" | "away";
  colour: string;
}

export interface LineWire {
  number: string;
  title: string;
  groups: number[];
}

/** The PBX link as the collector sees it. `lag` in seconds (event time against receipt); times are epoch UTC. `blind`: [from, until] for each window of today in which it was not heard, [from, until, 1] once it is filled. */
export interface LinkWire {
  pbx: string;
  state: "connecting" | "connected" | "stale" | "down" | "refused" | "orphaned";
  simulated: boolean;
  since: number;
  lag: number;
  error: string;
  next_try: number | null;
  blind: number[][];
}

/** Keyed by entity id as text; `at` is the PBX time of the last event applied. */
export interface BoardWire {
  at: number;
  call: { [key: string]: CallWire };
  queue: { [key: string]: QueueWire };
  manager: { [key: string]: ManagerWire };
  group: { [key: string]: GroupWire };
  status: { [key: string]: StatusWire };
  line: { [key: string]: LineWire };
  link: { [key: string]: LinkWire };
}

/** The last frame a reconnecting browser has applied. */
export interface Have {
  epoch: string;
  seq: number;
}

/** The whole board as this audience sees it. `now`: the server's clock, epoch seconds (UTC). */
export interface SnapshotFrame {
  t: "snapshot";
  now: number;
  epoch: string;
  seq: number;
  board: BoardWire;
}

/** What changed. `seq` follows the last frame's by one; otherwise ask for a resync. */
export interface ChangesFrame {
  t: "changes";
  epoch: string;
  seq: number;
  ops: Op[];
}

export interface PongFrame {
  t: "pong";
  id: number;
  now: number;
}

/** `rights`: which groups you see has changed; a snapshot follows. */
export interface NoticeFrame {
  t: "notice";
  code: "rights";
}

/** First frame of a browser. With `have` the server goes on from there when it still can. */
export interface HelloFrame {
  t: "hello";
  have?: Have | null;
}

export interface ResyncFrame {
  t: "resync";
}

export interface PingFrame {
  t: "ping";
  id: number;
}

export type Kind = "call" | "queue" | "manager" | "group" | "status" | "line" | "link";
export type Op = [Kind, string, { [field: string]: unknown } | null];
export type ServerFrame = SnapshotFrame | ChangesFrame | PongFrame | NoticeFrame;
export type ClientFrame = HelloFrame | ResyncFrame | PingFrame;
export declare const CLOSE_GOING_AWAY: 1001;
export declare const CLOSE_JUNK: 4400;
export declare const CLOSE_RIGHT_LOST: 4403;
export declare const CLOSE_SLOW: 4008;
export declare const CLOSE_TOO_MANY: 4429;
