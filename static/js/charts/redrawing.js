/* Draws again what has another size or other colours now: a turned phone, another theme, fonts that have come. */

/** Calls `draw` now and after every such change; many changes in one frame are one drawing. */
export function whenLooksChange(draw) {
  draw();
  let due = 0;
  const again = () => {
    cancelAnimationFrame(due);
    due = requestAnimationFrame(draw);
  };
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    again();
  });
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  document.fonts?.ready.then(again);
}
