/* The call card: draws the route, and lets j and k go to the next call of the journal one came from. */
import { h, render } from "preact";
import { RouteTimeline } from "../components/route-timeline.js";
import { takeIcons } from "../components/view.js";

const { call, texts } = JSON.parse(document.getElementById("route-data").textContent);
const t = (key, values = {}) => (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
const frame = document.getElementById("route");

function draw() {
  render(h(RouteTimeline, { route: call, now: Date.now() / 1000, t }), frame);
}
draw();
takeIcons().catch(() => {}); // the words are there without icons
if (call.ended === null) setInterval(draw, 1000);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select") || document.querySelector("dialog[open]")) return;
  const key = { KeyJ: "j", KeyK: "k" }[event.code];
  if (key) document.querySelector(`[data-key="${key}"]`)?.click();
});
