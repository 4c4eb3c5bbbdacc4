/* Which rows of a long list are worth having on the page: those in sight and a little around.
   Pure arithmetic over equal rows in columns; the caller measures. */

/* All in pixels except `count` and `columns`; `top`: where the list begins, seen from the top of the screen.
   Returns {from, to, before, after}: items [from, to), and the space the others would take. */
export function windowOf({ count, columns, pitch, gap, top, height, around }) {
  const rows = Math.ceil(count / columns);
  if (rows === 0 || pitch <= 0) return { from: 0, to: count, before: 0, after: 0 };
  // steps of four rows, so that scrolling a line does not redraw
  const first = clamp(Math.floor((-top - around) / pitch / 4) * 4, 0, rows);
  const last = clamp(Math.ceil((height - top + around) / pitch / 4) * 4, first, rows);
  return {
    from: Math.min(count, first * columns),
    to: Math.min(count, last * columns),
    before: space(first, pitch, gap, last > first),
    after: space(rows - last, pitch, gap, last > first),
  };
}

/* Rows that are absent still keep their gaps; when nothing is shown one gap less is drawn. */
function space(rows, pitch, gap, besideShown) {
  if (rows === 0) return 0;
  return rows * pitch - (besideShown ? 0 : gap);
}

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
