/* The month's graph apart from what draws it: which bounds to show, which days to write, what the pointer reads. */

/* The bound above the most there was, and those below it: a tier far out of reach would flatten the picture. */
export function inSight(bounds, most) {
  const next = bounds.find((bound) => bound.at >= most);
  return bounds.filter((bound) => bound.at < most || bound === next);
}

/* Days along the axis, no closer than they can be read. */
export function dayMarks(data, width) {
  const step = Math.max(1, Math.ceil(31 / Math.max(2, Math.floor(width / 34))));
  return data.days.filter((_, place) => place % step === 0);
}

export function reading(data, place) {
  if (place === null || place === undefined || !data.labels.length) return "";
  const known = Math.min(place, data.labels.length - 1);
  return `${data.labels[known]} — ${data.values[known]} ${data.word}`;
}
