/* Keeps the board true over a connection that breaks: hello, numbered changes, gap → resync, ping with a deadline,
   reconnect with jitter. Browser things (WebSocket, timers, randomness) are given, so that tests can hold the clock. */
const PING_EVERY = 20_000;
const PONG_WITHIN = 5_000;
const SNAPSHOT_WITHIN = 10_000;
const FIRST_RETRY = 500;
const LONGEST_RETRY = 15_000;
export const CLOSE_RIGHT_LOST = 4403;
export const CLOSE_SLOW = 4008;
export const CLOSE_TOO_MANY = 4429;

export class BoardSocket {
  constructor({ open, timers = globalThis, random = Math.random, clock, onSnapshot, onChanges, onState, stillAllowed }) {
    Object.assign(this, { open, timers, random, clock, onSnapshot, onChanges, onState, stillAllowed });
    this.have = null;
    this.failures = 0;
    this.pingId = 0;
    this.socket = null;
    this.pings = new Map();
    this.awaiting = null;
    this.pingTimer = this.pongTimer = this.retryTimer = this.snapshotTimer = null;
  }

  start() {
    this.connect();
  }

  stop() {
    this.clearTimers();
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  /* Asks for the whole board again: after a gap, or when a hidden tab comes back. */
  resync() {
    if (!this.socket || this.socket.readyState !== 1) return;
    this.awaiting = "resync";
    this.timers.clearTimeout(this.snapshotTimer);
    this.snapshotTimer = this.timers.setTimeout(() => this.lost(this.socket, null), SNAPSHOT_WITHIN);
    this.say({ t: "resync" });
  }

  retryNow() {
    this.failures = 0;
    this.clearTimers();
    if (this.socket) this.lost(this.socket, null, 0);
    else this.connect();
  }

  connect() {
    this.clearTimers();
    this.onState({ phase: "connecting", failures: this.failures });
    const socket = this.open();
    this.socket = socket;
    this.awaiting = "hello";
    socket.onopen = () => {
      if (socket !== this.socket) return;
      this.say({ t: "hello", have: this.have });
      this.snapshotTimer = this.timers.setTimeout(() => this.lost(socket, null), SNAPSHOT_WITHIN);
      this.pingTimer = this.timers.setInterval(() => this.ping(), PING_EVERY);
      this.ping();
    };
    socket.onmessage = (message) => {
      if (socket === this.socket) this.hear(message.data);
    };
    socket.onclose = (event) => this.lost(socket, event.code);
    socket.onerror = () => {}; // a close always follows and says more
  }

  say(frame) {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(frame));
  }

  ping() {
    const id = ++this.pingId;
    this.pings.set(id, this.clock.local());
    this.say({ t: "ping", id });
    this.timers.clearTimeout(this.pongTimer);
    const socket = this.socket;
    this.pongTimer = this.timers.setTimeout(() => this.lost(socket, null), PONG_WITHIN);
  }

  hear(text) {
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return this.resync(); // half a frame: only the whole board can be trusted now
    }
    if (frame.t === "pong") return this.hearPong(frame);
    if (frame.t === "snapshot") return this.hearSnapshot(frame);
    if (frame.t === "changes") return this.hearChanges(frame);
    if (frame.t === "notice") this.onState({ phase: "notice", notice: frame });
  }

  hearPong(frame) {
    this.timers.clearTimeout(this.pongTimer);
    const sentAt = this.pings.get(frame.id);
    this.pings.clear();
    if (sentAt !== undefined) this.clock.fromPong(frame.now, sentAt);
    // the server answers in order: a pong and no snapshot before it means that what we have is still the board
    if (this.awaiting === "hello" && this.have !== null) this.goOn();
  }

  hearSnapshot(frame) {
    this.timers.clearTimeout(this.snapshotTimer);
    this.awaiting = null;
    this.failures = 0;
    this.have = { epoch: frame.epoch, seq: frame.seq };
    this.clock.fromSnapshot(frame.now);
    this.onSnapshot(frame);
    this.onState({ phase: "open" });
  }

  hearChanges(frame) {
    if (this.resumes(frame)) this.goOn();
    if (this.awaiting || !this.have) return; // the snapshot on its way holds these
    if (frame.epoch !== this.have.epoch) return this.resync();
    if (frame.seq <= this.have.seq) return; // said twice
    if (frame.seq !== this.have.seq + 1) return this.resync();
    this.have = { ...this.have, seq: frame.seq };
    this.onChanges(frame);
  }

  resumes(frame) {
    return this.awaiting === "hello" && frame.epoch === this.have?.epoch && frame.seq === this.have.seq + 1;
  }

  /* Our hello was good enough: no snapshot is needed. */
  goOn() {
    this.timers.clearTimeout(this.snapshotTimer);
    this.awaiting = null;
    this.failures = 0;
    this.onState({ phase: "open" });
  }

  lost(socket, code, wait) {
    if (socket !== this.socket) return;
    this.clearTimers();
    this.socket = null;
    this.pings.clear();
    socket.onclose = socket.onmessage = socket.onopen = null;
    if (code === null) socket.close();
    if (code === CLOSE_RIGHT_LOST) return this.onState({ phase: "denied" });
    this.failures += 1;
    // The other panels close when their tabs do, or when the server finds them dead: no hurry helps.
    const delay = wait ?? (code === CLOSE_TOO_MANY ? LONGEST_RETRY : this.backoff());
    this.onState({ phase: "lost", code, retryIn: delay / 1000, failures: this.failures });
    this.retryTimer = this.timers.setTimeout(() => this.tryAgain(), delay);
  }

  /* Full jitter between half and all of the doubled wait: two thousand browsers must not come back as one. */
  backoff() {
    const ceiling = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** Math.min(this.failures - 1, 10));
    return ceiling / 2 + (this.random() * ceiling) / 2;
  }

  /* A session may have ended meanwhile; a refused handshake looks like a dead network, so the page itself is asked. */
  async tryAgain() {
    if (this.failures >= 3 && this.stillAllowed) {
      const allowed = await this.stillAllowed().catch(() => true);
      if (!allowed) return this.onState({ phase: "denied" });
      if (this.socket) return undefined;
    }
    return this.connect();
  }

  clearTimers() {
    this.timers.clearInterval(this.pingTimer);
    for (const timer of [this.pongTimer, this.retryTimer, this.snapshotTimer]) this.timers.clearTimeout(timer);
  }
}
