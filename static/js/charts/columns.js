/* The arithmetic of stacked columns, apart from what draws them. */

/* Sums from below: each series' columns reach from 0 to its sum, drawn highest first. */
export function stacked(series) {
  const sums = [];
  let under = null;
  for (const one of series) {
    under = one.values.map((value, place) => (value ?? 0) + (under ? under[place] : 0));
    sums.push(under);
  }
  return sums;
}

export function every(count, width) {
  return Math.max(1, Math.ceil(count / Math.max(2, Math.floor(width / 78))));
}
