/* The bell: two soft tones made on the spot, no file. Browsers allow sound only after a person touched the page,
   so until then it says that it cannot ring yet. */
import { signal } from "@preact/signals";

const KEY = "live.sound";

export class Bell {
  constructor() {
    this.context = null;
    this.muted = signal(read() === "off");
    this.ready = signal(false);
    const wake = () => this.wake();
    for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, wake, { passive: true });
  }

  async wake() {
    if (this.ready.value) return;
    this.context ??= new AudioContext();
    await this.context.resume().catch(() => {});
    this.ready.value = this.context.state === "running";
  }

  toggle() {
    this.muted.value = !this.muted.value;
    try {
      localStorage.setItem(KEY, this.muted.value ? "off" : "on");
    } catch {
      /* the choice still holds for this page */
    }
    if (!this.muted.value) this.wake().then(() => this.ring());
  }

  ring() {
    if (this.muted.value || !this.ready.value) return;
    const start = this.context.currentTime;
    for (const [at, pitch] of [[0, 660], [0.18, 880]]) {
      const tone = this.context.createOscillator();
      const volume = this.context.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0, start + at);
      volume.gain.linearRampToValueAtTime(0.16, start + at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.001, start + at + 0.5);
      tone.connect(volume).connect(this.context.destination);
      tone.start(start + at);
      tone.stop(start + at + 0.55);
    }
  }
}

function read() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
