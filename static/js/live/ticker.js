/* One clock hand for the whole page: once a second it writes the text of the timers that can be seen, and nothing else.
   A timer off screen costs nothing; while the picture is old (`running` says no) the seconds stand still. */
import { duration } from "./format.js";

export class Ticker {
  constructor({ clock, running = () => true }) {
    this.clock = clock;
    this.running = running;
    this.timers = new Map();
    this.visible = new Set();
    this.listeners = new Set();
    this.observer = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "100px" });
  }

  start() {
    const beat = () => {
      const now = this.clock.now();
      if (this.running()) for (const element of this.visible) this.write(element, now);
      for (const listener of this.listeners) listener(now);
      setTimeout(beat, 1000 - ((this.clock.now() * 1000) % 1000) + 5);
    };
    beat();
  }

  everySecond(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /* `since`: epoch seconds; `onSecond(elapsed)`: for what else shows the time (a bar, a grade). */
  show(element, since, onSecond) {
    this.timers.set(element, { since, onSecond });
    this.write(element, this.clock.now());
    this.observer.observe(element);
  }

  hide(element) {
    this.timers.delete(element);
    this.visible.delete(element);
    this.observer.unobserve(element);
  }

  seen(entries) {
    const now = this.clock.now();
    for (const entry of entries) {
      if (!entry.isIntersecting) this.visible.delete(entry.target);
      else if (this.timers.has(entry.target)) {
        this.visible.add(entry.target);
        if (this.running()) this.write(entry.target, now);
      }
    }
  }

  write(element, now) {
    const timer = this.timers.get(element);
    const elapsed = Math.max(0, now - timer.since);
    const text = duration(elapsed);
    if (!element.firstChild) element.append(text);
    else if (element.firstChild.data !== text) element.firstChild.data = text;
    timer.onSecond?.(elapsed);
  }
}
