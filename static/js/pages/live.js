/* Puts the live panel together: the page's settings, the socket, the store, the clock, the bell, and draws it.
   The only file of the panel that touches the browser's globals for wiring. */
import { effect } from "@preact/signals";
import { h, render } from "preact";
import { Panel } from "../components/panel.js";
import { takeIcons } from "../components/view.js";
import { quiet, watch } from "../live/alarms.js";
import { Clock } from "../live/clock.js";
import { duration } from "../live/format.js";
import { listenToKeys } from "../live/keyboard.js";
import { isOld } from "../live/notices.js";
import { makePanel } from "../live/panel.js";
import { BoardSocket } from "../live/socket.js";
import { Bell } from "../live/sound.js";
import { Store } from "../live/store.js";
import { Ticker } from "../live/ticker.js";
import { makeWords } from "../live/words.js";

const HIDDEN_TOO_LONG = 5_000;

const config = JSON.parse(document.getElementById("live-config").textContent);
const words = makeWords(config);
const clock = new Clock();
const store = new Store({
  // a hidden tab gets no frames, yet its bell must still hear
  schedule: (flush) => (document.hidden ? flush() : requestAnimationFrame(flush)),
});
const bell = new Bell();
const panel = makePanel({ config, store, clock, words });
const old = () => isOld({ connection: panel.connection.peek(), links: panel.links.peek() });
const ticker = new Ticker({ clock, running: () => !old() });

const address = new URL(config.socket, location.href);
address.protocol = location.protocol === "https:" ? "wss:" : "ws:";

let settled = false;
const socket = new BoardSocket({
  open: () => new WebSocket(address),
  clock,
  onSnapshot: (frame) => {
    settled = false;
    store.load(frame.board);
  },
  onChanges: (frame) => store.queue(frame.ops),
  onState: (state) => {
    if (state.phase === "notice") return;
    const before = panel.connection.peek();
    const lostAt = state.phase === "open" ? null : (before.lostAt ?? clock.now());
    panel.connection.value = { failures: 0, ...state, lostAt };
  },
  stillAllowed: async () => {
    const answer = await fetch(location.pathname, { method: "HEAD", redirect: "manual", cache: "no-store" });
    return answer.type !== "opaqueredirect" && answer.status !== 403 && answer.status !== 404;
  },
});

Object.assign(panel, { ticker, bell, retry: () => socket.retryNow() });

/* Alarms: looked at once a second and after every change, always on the board of now */
let alarm = quiet();
const pageTitle = document.title;
function lookForAlarms() {
  if (!store.loaded.peek() || old()) return;
  const breaches = config.strip.map((key) => ({ key, grade: panel.figures.get(key).peek().grade }));
  const seen = watch(alarm, breaches, clock.now(), { settled });
  alarm = seen.state;
  settled = true;
  if (seen.ring) bell.ring();
  document.title = titleFor(seen.broken);
}

function titleFor(broken) {
  const raw = panel.counts.peek();
  const waiting = raw["now.waiting"];
  if (broken.includes("waiting") || broken.includes("longest_wait")) {
    return `‼ ${words.t("title.waiting", { n: waiting })} ${duration(raw["now.longest_wait"])} · ${pageTitle}`;
  }
  if (broken.length > 0) return `‼ ${panel.metrics.get(broken[0]).title} · ${pageTitle}`;
  return waiting ? `(${waiting}) ${pageTitle}` : pageTitle;
}
ticker.everySecond((now) => {
  panel.second.value = Math.floor(now);
  lookForAlarms();
});

let hiddenAt = null;
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    hiddenAt = Date.now();
    return;
  }
  store.flush();
  if (hiddenAt !== null && Date.now() - hiddenAt > HIDDEN_TOO_LONG) socket.resync();
  hiddenAt = null;
});
document.addEventListener("resume", () => socket.resync());
addEventListener("online", () => panel.connection.peek().phase === "lost" && socket.retryNow());
addEventListener("pagehide", () => socket.stop());
addEventListener("pageshow", (event) => event.persisted && socket.start());

effect(() => void (document.documentElement.dataset.live = panel.connection.value.phase));
const root = document.getElementById("live");
root.textContent = "";
render(h(Panel, { panel }), root);
setTimeout(() => document.querySelector(".messages")?.remove(), 6_000);
takeIcons().catch(() => {}); // without icons every state still has its word
listenToKeys(panel);
// A wall has no controls: one click fills the screen, Escape gives it back.
if (config.wall) root.addEventListener("click", () => document.documentElement.requestFullscreen?.().catch(() => {}));
ticker.start();
socket.start();
