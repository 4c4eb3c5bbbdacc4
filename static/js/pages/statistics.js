/* The statistics pages: charts that answer the pointer, tables one can order, figures that tell how they were counted.
   Without it the pages show the same numbers: drawings, tables and links are there already. */
import { draw } from "../charts/bars_and_line.js";
import { whenLooksChange } from "../charts/redrawing.js";
import { sortable } from "../charts/sorting.js";

const drawings = new Map();

function show(figure) {
  const box = figure.querySelector(".stats-canvas");
  const reading = figure.querySelector(".stats-reading");
  const data = JSON.parse(figure.querySelector("script").textContent);
  drawings.get(figure)?.destroy();
  const told = (place) => {
    reading.textContent =
      place === null || place === undefined ? "" : `${data.labels[place]} — ${data.series.map((one) => `${one.title}: ${one.texts[place]}`).join(", ")}`;
  };
  drawings.set(figure, draw(box, data, told));
  figure.dataset.drawn = "yes";
}

const figures = [...document.querySelectorAll("[data-chart]")];
whenLooksChange(() => figures.forEach(show));

for (const table of document.querySelectorAll("[data-sortable]")) sortable(table);

/* "How was this counted" in a dialog; with a modifier key, or when it fails, on its own page */
const dialog = document.getElementById("explain");
const body = document.getElementById("explain-body");
let from = null;
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-explain]");
  if (!link || !dialog || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (!dialog.contains(link)) from = link;
  link.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    // Our own server's markup, made by the same templates as the page; strangers' text in it is escaped there.
    body.innerHTML = await answer.text();
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  } catch {
    location.assign(link.href);
  } finally {
    link.removeAttribute("aria-busy");
  }
});
dialog?.addEventListener("click", (event) => event.target === dialog && dialog.close());
dialog?.addEventListener("close", () => from?.focus());
