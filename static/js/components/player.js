/* One recording to hear: plain audio under quiet controls. The sound's address lives for minutes and for this session,
   so it is asked for when first needed and once more when it has ended. */
import { Heard, clamp, clock, meaning } from "./player-time.js";
import { draw } from "./waveform.js";

const TELL_EVERY = 5_000;

export class Player {
  constructor(root, { ask = (...what) => fetch(...what), audio = new Audio() } = {}) {
    this.root = root;
    this.config = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    this.ask = ask;
    this.audio = audio;
    this.heard = new Heard();
    this.listening = "";
    this.renewed = false;
    this.canvas = root.querySelector("canvas");
    this.slider = root.querySelector("input[type=range]");
    this.now = root.querySelector("[data-at]");
    this.trouble = root.querySelector(".player-trouble");
    this.playButton = root.querySelector("[data-do=play]");
    audio.preload = "none";
    this.wire();
    this.show();
  }

  get at() {
    return this.audio.src ? this.audio.currentTime : Number(this.slider.value);
  }

  wire() {
    const { audio, root } = this;
    this.playButton.addEventListener("click", () => this.toggle());
    root.querySelector("[data-do=back]").addEventListener("click", () => this.go(this.at - 10));
    root.querySelector("[data-do=forth]").addEventListener("click", () => this.go(this.at + 10));
    root.querySelector("[data-do=speed]").addEventListener("change", (event) => {
      audio.defaultPlaybackRate = audio.playbackRate = Number(event.target.value);
    });
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    for (const mark of root.querySelectorAll("[data-second]")) this.wireMark(mark);
    root.addEventListener("keydown", (event) => this.key(event));
    audio.addEventListener("timeupdate", () => {
      this.heard.at(audio.currentTime, !audio.paused && !audio.seeking);
      this.show();
    });
    audio.addEventListener("seeking", () => this.heard.jumped());
    for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, () => this.turned());
    audio.addEventListener("error", () => this.failed());
    setInterval(() => this.tell(), TELL_EVERY);
    addEventListener("pagehide", () => this.tell());
    document.addEventListener("visibilitychange", () => document.hidden && this.tell());
    new ResizeObserver(() => this.show()).observe(this.canvas);
    new MutationObserver(() => this.show()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.show());
  }

  wireMark(mark) {
    const second = Number(mark.dataset.second);
    const label = mark.querySelector("[data-clock]");
    if (label) label.textContent = clock(second);
    mark.addEventListener("click", () => this.go(second, { play: true }));
  }

  key(event) {
    if (event.target.matches("select, textarea, input:not([type=range])")) return;
    const means = event.code === "Space" && event.target === this.slider ? "toggle" : meaning(event);
    if (means === null) return;
    event.preventDefault();
    if (means === "toggle") this.toggle();
    else this.go(this.at + means);
  }

  async toggle() {
    if (!this.audio.paused) return this.audio.pause();
    await this.play();
  }

  async play() {
    this.say("");
    if (!this.audio.src && !(await this.open())) return;
    await this.audio.play().catch(() => {}); // a sound that does not come says so by its own event as well
  }

  go(second, { play = false } = {}) {
    const to = clamp(second, 0, this.config.seconds);
    this.slider.value = String(to);
    this.heard.jumped();
    if (this.audio.src) this.audio.currentTime = Math.min(to, this.audio.duration || to);
    this.show();
    if (play && this.audio.paused) this.play();
  }

  /* Get an address and begin where the hand stands. */
  async open() {
    const from = Number(this.slider.value);
    this.playButton.setAttribute("aria-busy", "true");
    try {
      const answer = await this.post(this.config.link, {});
      if (!answer.ok) {
        this.say(answer.status === 404 || answer.status === 403 ? this.config.texts.refused : this.config.texts.gone);
        return false;
      }
      const { sound, listening } = await answer.json();
      this.listening = listening;
      this.audio.src = sound;
      this.audio.currentTime = from;
      return true;
    } catch {
      this.say(this.config.texts.gone);
      return false;
    } finally {
      this.playButton.removeAttribute("aria-busy");
    }
  }

  /* The address has ended, or the file is gone: a new address tells which. */
  async failed() {
    if (this.renewed) return this.say(this.config.texts.gone);
    this.renewed = true;
    this.tell();
    const stood = this.at;
    this.audio.removeAttribute("src");
    this.slider.value = String(stood);
    this.heard = new Heard();
    if (await this.open()) {
      this.audio.addEventListener("playing", () => (this.renewed = false), { once: true });
      await this.audio.play().catch(() => {});
    }
  }

  post(address, body) {
    const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"] ?? "";
    return this.ask(address, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      keepalive: true,
    });
  }

  tell() {
    if (!this.listening || !this.heard.changed) return;
    this.post(this.config.heard, { listening: this.listening, spans: this.heard.take() }).catch(() => {
      this.heard.changed = true; // said again with the next
    });
  }

  turned() {
    const { audio, config, playButton } = this;
    this.heard.at(audio.currentTime, !audio.paused);
    this.root.toggleAttribute("data-playing", !audio.paused);
    const name = audio.paused ? config.texts.play : config.texts.pause;
    playButton.setAttribute("aria-label", name);
    playButton.title = `${name} (K)`;
    if (audio.paused) this.tell();
    else for (const other of document.querySelectorAll("[data-playing]")) other !== this.root && other.player?.audio.pause();
    this.show();
  }

  show() {
    const at = this.at;
    if (document.activeElement !== this.slider || !this.audio.paused) this.slider.value = String(at);
    const text = clock(at);
    if (this.now.textContent !== text) {
      this.now.textContent = text;
      const { position } = this.config.texts;
      this.slider.setAttribute("aria-valuetext", position.replace("{at}", text).replace("{all}", clock(this.config.seconds)));
    }
    this.root.dataset.drawn = String(draw(this.canvas, this.config, at));
    let here = null;
    for (const mark of this.root.querySelectorAll(".player-mark")) if (Number(mark.dataset.second) <= at + 0.05) here = mark;
    for (const mark of this.root.querySelectorAll(".player-mark")) mark.toggleAttribute("data-here", mark === here && at > 0);
  }

  say(text) {
    this.trouble.textContent = text;
    this.trouble.hidden = !text;
  }
}

export function wake(within = document) {
  for (const root of within.querySelectorAll("[data-player]")) {
    if (!root.player && root.querySelector("canvas")) root.player = new Player(root);
  }
}
