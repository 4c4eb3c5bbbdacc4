/* The month so far against the bounds of the plan: a stepped line that answers the pointer and leads to its calls.
   Without it the page has the same numbers in a table. */
import { across, colour } from "../charts/bars_and_line.js";
import { whenLooksChange } from "../charts/redrawing.js";
import { dayMarks, inSight, reading } from "../charts/usage.js";
import uPlot from "uplot";

const HEIGHT = 240;
const plots = new Map();

function title(u, bound, ink) {
  const { ctx } = u;
  ctx.save();
  ctx.fillStyle = ink;
  ctx.font = `${11 * devicePixelRatio}px ${getComputedStyle(u.root).fontFamily}`;
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(bound.title, u.bbox.left + u.bbox.width - 4 * devicePixelRatio, u.valToPos(bound.at, "y", true) - 2 * devicePixelRatio);
  ctx.restore();
}

function mark(u, place, value, ink) {
  const { ctx } = u;
  ctx.save();
  ctx.fillStyle = ink;
  ctx.beginPath();
  ctx.arc(u.valToPos(place + 0.5, "x", true), u.valToPos(value, "y", true), 4.5 * devicePixelRatio, 0, 2 * Math.PI);
  ctx.fill();
  ctx.restore();
}

function draw(figure) {
  const box = figure.querySelector(".tariff-canvas");
  const said = figure.querySelector(".tariff-reading");
  const data = JSON.parse(figure.querySelector("script").textContent);
  plots.get(figure)?.destroy();
  const top = Math.max(4, ...data.values) * 1.2;
  const bounds = inSight(data.bounds, Math.max(...data.values));
  const most = Math.max(top, ...bounds.map((bound) => bound.at * 1.15));
  const ink = colour(box, "--ink-2");
  const axis = { stroke: ink, font: `11px ${getComputedStyle(box).fontFamily}`, ticks: { show: false } };
  const grid = { stroke: colour(box, "--line"), width: 1 };
  const accent = colour(box, "--accent");
  const marks = dayMarks(data, box.clientWidth);
  const plot = new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { x: { time: false, range: [0, data.whole] }, y: { range: [0, most] } },
      axes: [
        { ...axis, grid, size: 26, splits: () => marks.map(([place]) => place), values: () => marks.map(([, day]) => day) },
        { ...axis, grid, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
      ],
      series: [
        {},
        { stroke: accent, fill: colour(box, "--accent-soft"), width: 1.6, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } },
      ],
      hooks: {
        setCursor: [(u) => (said.textContent = reading(data, u.cursor.idx))],
        draw: [
          (u) => {
            for (const bound of bounds) {
              across(u, bound.at, colour(box, "--warn"), "y");
              title(u, bound, ink);
            }
            if (data.peak !== null) mark(u, data.peak, data.values[data.peak], accent);
          },
        ],
      },
    },
    // a step reaches to the next part: the last one needs an end
    [[...data.values.keys(), data.values.length], [...data.values, data.values.at(-1)]],
    box,
  );
  plot.over.addEventListener("click", () => {
    const link = data.links[Math.min(plot.cursor.idx ?? -1, data.links.length - 1)];
    if (link) location.assign(link);
  });
  plot.over.classList.toggle("tariff-leads", data.links.length > 0);
  said.textContent = reading(data, data.peak);
  plots.set(figure, plot);
}

const figures = [...document.querySelectorAll("[data-usage]")];
whenLooksChange(() => figures.forEach(draw));
