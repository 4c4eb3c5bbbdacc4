/* The sound as a picture: the customer above the line, the company below it, the route's stops as a strip underneath.
   Colours are the design's tokens, read when drawn, so that a change of theme is one more drawing. */
import { bars } from "./player-time.js";

const BAR = 3;
const STRIP = 5;
const TONES = ["away", "ringing", "talking", "break", "free"];

export function draw(canvas, { peaks, seconds, marks }, at) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return 0;
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const colours = paints(canvas);
  const room = height - STRIP - 3;
  const middle = peaks.length > 1 ? room / 2 : room;
  const played = seconds ? (at / seconds) * width : 0;
  let drawn = 0;
  peaks.slice(0, 2).forEach((channel, side) => {
    bars(channel, Math.floor(width / BAR)).forEach((peak, n) => {
      const tall = Math.max(1, (peak / 100) * (middle - 2));
      const x = n * BAR;
      pen.fillStyle = x <= played ? colours.played[side] : colours.ahead;
      pen.fillRect(x, side === 0 ? middle - tall : middle + 1, BAR - 1, tall);
      drawn += peak > 3 ? 1 : 0;
    });
  });
  for (const mark of marks) {
    const x = (mark.at / seconds) * width;
    pen.fillStyle = colours[mark.tone] ?? colours.away;
    if (mark.until > mark.at) pen.fillRect(x, height - STRIP, Math.max(2, ((mark.until - mark.at) / seconds) * width - 1), STRIP);
    pen.globalAlpha = 0.55;
    pen.fillRect(x, 0, 1, height - STRIP);
    pen.globalAlpha = 1;
  }
  pen.fillStyle = colours.hand;
  pen.fillRect(Math.min(width - 2, Math.max(0, played - 1)), 0, 2, room);
  return drawn;
}

function paints(element) {
  const style = getComputedStyle(element);
  // a light-dark() in a custom property is text until it is a colour of something
  const real = (name) => {
    element.style.color = `var(${name})`;
    return style.color;
  };
  const made = Object.fromEntries(TONES.map((tone) => [tone, real(`--${tone}`)]));
  made.played = [real("--accent"), real("--talking")];
  made.ahead = real("--line-strong");
  made.hand = real("--ink");
  element.style.color = "";
  return made;
}
