/* Which rows of a long list are worth having on the page: those in sight and a little around.
   Pure arithmetic over equal rows in columns; the caller measures. */

/* All in pixels except `count` and `columns`; `top`: where the list begins, seen from the top of the screen.
   Returns {from, to, before, after}: items [from, to), and the space the others would take.
   `last`: what is shown now; of what adjoins it at most `most` items a side are new, so that no frame is long. */
export function windowOf({ count, columns, pitch, gap, top, height, around, last = null, most = Infinity }) {
  const rows = Math.ceil(count / columns);
  if (rows === 0 || pitch <= 0) return { from: 0, to: count, before: 0, after: 0 };
  // steps of four rows, so that scrolling a line does not redraw
  let first = clamp(Math.floor((-top - around) / pitch / 4) * 4, 0, rows);
  let end = clamp(Math.ceil((height - top + around) / pitch / 4) * 4, first, rows);
  const [shownFirst, shownEnd] = last ? [Math.floor(last.from / columns), Math.ceil(last.to / columns)] : [0, 0];
  if (shownFirst < end && first < shownEnd) {
    const step = Math.ceil(most / columns);
    first = Math.max(first, shownFirst - step);
    end = Math.min(end, shownEnd + step);
  }
  return {
    from: Math.min(count, first * columns),
    to: Math.min(count, end * columns),
    before: space(first, pitch, gap, end > first),
    after: space(rows - end, pitch, gap, end > first),
  };
}

/* Rows that are absent still keep their gaps; when nothing is shown one gap less is drawn. */
function space(rows, pitch, gap, besideShown) {
  if (rows === 0) return 0;
  return rows * pitch - (besideShown ? 0 : gap);
}

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
