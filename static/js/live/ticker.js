/* One clock hand for the whole page: once a second it writes the text of the timers there are, and nothing else.
   Lists keep only what is in sight on the page, so these are few; while the picture is old the seconds stand still. */
import { duration } from "./format.js";

export class Ticker {
  constructor({ clock, running = () => true, wait = (beat, ms) => setTimeout(beat, ms) }) {
    this.clock = clock;
    this.running = running;
    this.wait = wait;
    this.timers = new Map();
    this.listeners = new Set();
  }

  start() {
    const now = this.clock.now();
    if (this.running()) for (const [element, timer] of this.timers) write(element, timer, now);
    for (const listener of this.listeners) listener(now);
    this.wait(() => this.start(), 1000 - ((this.clock.now() * 1000) % 1000) + 5);
  }

  everySecond(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /* `since`: epoch seconds; `onSecond(elapsed)`: for what else shows the time (a bar, a grade).
     `until`: what is left is shown instead of what has passed. */
  show(element, since, onSecond, until = null) {
    const timer = { since, until, onSecond };
    this.timers.set(element, timer);
    write(element, timer, this.clock.now());
  }

  hide(element) {
    this.timers.delete(element);
  }
}

function write(element, timer, now) {
  const elapsed = Math.max(0, now - timer.since);
  const text = duration(timer.until === null ? elapsed : Math.max(0, timer.until - now));
  if (!element.firstChild) element.append(text);
  else if (element.firstChild.data !== text) element.firstChild.data = text;
  timer.onSecond?.(elapsed);
}
