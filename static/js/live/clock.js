/* The server's time as this browser can know it: an offset learnt from snapshots and pongs.
   The quickest round trip of late is the best witness; a snapshot counts only until the first pong. */
export class Clock {
  constructor({ local = () => Date.now() / 1000 } = {}) {
    this.local = local;
    this.offset = 0;
    this.best = Infinity;
    this.learntAt = -Infinity;
  }

  now() {
    return this.local() + this.offset;
  }

  fromSnapshot(serverNow) {
    if (this.best === Infinity) this.offset = serverNow - this.local();
  }

  fromPong(serverNow, sentAt) {
    const here = this.local();
    const roundTrip = here - sentAt;
    const old = here - this.learntAt > 300; // clocks drift: an old witness gives way
    if (roundTrip > this.best * 1.5 && !old) return;
    this.best = old ? roundTrip : Math.min(this.best, roundTrip);
    this.learntAt = here;
    this.offset = serverNow + roundTrip / 2 - here;
  }
}
