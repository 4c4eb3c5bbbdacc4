/* Stacked columns with a share as a line over them, drawn by uPlot: the same numbers as the SVG on paper.
   Colours come from the page's tokens, so a change of theme draws anew; patterns tell the parts apart without colour. */
import uPlot from "uplot";
import { every, stacked } from "./columns.js";

const TOKENS = { calm: "--stats-calm", good: "--stats-good", lost: "--stats-lost", away: "--stats-away", line: "--ink" };
export const HEIGHT = 260;

export function colour(element, token) {
  // light-dark() is only settled where it is used
  const probe = document.createElement("i");
  probe.style.color = `var(${token})`;
  element.append(probe);
  const settled = getComputedStyle(probe).color;
  probe.remove();
  return settled;
}

function hatch(context, ink) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.globalAlpha = 0.25;
  pen.fillStyle = ink;
  pen.fillRect(0, 0, 8, 8);
  pen.globalAlpha = 1;
  pen.strokeStyle = ink;
  pen.lineWidth = 2;
  pen.beginPath();
  for (const shift of [-8, 0, 8]) {
    pen.moveTo(shift - 1, 9);
    pen.lineTo(shift + 9, -1);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

export function draw(box, data, onReading) {
  const columns = data.series.filter((one) => !one.line);
  const lines = data.series.filter((one) => one.line);
  const sums = stacked(columns).reverse();
  const drawn = [...columns].reverse();
  const xs = data.labels.map((_, place) => place);
  const ink = colour(box, "--ink-2");
  const grid = { stroke: colour(box, "--line"), width: 1 };
  const font = `11px ${getComputedStyle(box).fontFamily}`;
  const context = document.createElement("canvas").getContext("2d");
  const axis = { stroke: ink, font, grid, ticks: { show: false } };
  const top = Math.max(4, ...sums.flat()) * 1.05;
  const plot = new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { time: false, range: [-0.5, xs.length - 0.5] },
        y: { range: [0, top] },
        share: { range: [0, 1.02] },
      },
      axes: [
        {
          ...axis,
          size: 26,
          grid: { show: false },
          splits: (u) => xs.filter((x) => x % every(xs.length, u.bbox.width / devicePixelRatio) === 0),
          values: (_, splits) => splits.map((x) => data.labels[x] ?? ""),
        },
        { ...axis, size: 44 },
        ...(lines.length ? [{ ...axis, scale: "share", side: 1, size: 46, grid: { show: false }, values: (_, splits) => splits.map((v) => `${Math.round(v * 100)} %`) }] : []),
      ],
      series: [
        {},
        ...drawn.map((one) => {
          const fill = colour(box, TOKENS[one.look]);
          return { label: one.title, scale: "y", paths: uPlot.paths.bars({ size: [0.72, 56] }), points: { show: false }, width: 0, fill: one.look === "lost" ? hatch(context, fill) : fill };
        }),
        ...lines.map((one) => {
          const stroke = colour(box, TOKENS.line);
          return { label: one.title, scale: "share", stroke, width: 2, points: { show: xs.length <= 62, size: 6, fill: colour(box, "--surface"), stroke, width: 1.6 } };
        }),
      ],
      hooks: {
        setCursor: [(u) => onReading(u.cursor.idx)],
        drawAxes: [(u) => data.norm !== null && lines.length && across(u, data.norm, colour(box, "--warn"))],
      },
    },
    [xs, ...sums, ...lines.map((one) => one.values)],
    box,
  );
  return plot;
}

/* The norm of the line: a dashed stroke from side to side */
export function across(u, norm, stroke, scale = "share") {
  const y = u.valToPos(norm, scale, true);
  const { ctx } = u;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(u.bbox.left, y);
  ctx.lineTo(u.bbox.left + u.bbox.width, y);
  ctx.stroke();
  ctx.restore();
}
