/* What the player counts, without a page: clocks, what was really heard, where a mark lies, what a key means. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/* Seconds played, as spans: time that was skipped was not heard. A step larger than what passes between two looks
   (at double speed, in a busy tab) is a jump. */
export class Heard {
  static JUMP = 3;

  constructor() {
    this.spans = [];
    this.last = null;
    this.changed = false;
  }

  at(second, playing) {
    const from = this.last;
    this.last = playing ? second : null;
    if (from === null || second <= from || second - from > Heard.JUMP) return;
    const open = this.spans.at(-1);
    if (open && Math.abs(open[1] - from) < 0.05) open[1] = second;
    else this.spans.push([from, second]);
    this.changed = true;
  }

  jumped() {
    this.last = null;
  }

  take() {
    this.changed = false;
    return this.spans.map(([from, to]) => [Math.round(from * 10) / 10, Math.round(to * 10) / 10]);
  }
}

export const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

/* One of: "toggle", a number of seconds to go by, or null when the key is not the player's. */
export function meaning(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  // By place, not by letter: the Russian layout has other letters on the same keys.
  return { KeyK: "toggle", KeyJ: -10, KeyL: 10 }[event.code] ?? null;
}

/* Heights of `bars` bars from any number of peaks: each the loudest of its share. */
export function bars(peaks, count) {
  if (!peaks?.length) return Array.from({ length: count }, () => 0);
  return Array.from({ length: count }, (_, n) => {
    const from = Math.floor((n * peaks.length) / count);
    const to = Math.max(from + 1, Math.floor(((n + 1) * peaks.length) / count));
    let most = 0;
    for (let i = from; i < to && i < peaks.length; i++) most = Math.max(most, peaks[i]);
    return most;
  });
}
