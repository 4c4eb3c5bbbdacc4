/* Where each stop of a call's route stands in its picture. Pure: steps and a moment in, columns and lanes out.

   Time runs to the right, true to scale, but nothing is narrower than one can read or touch: the picture is a grid
   whose columns are the stretches between moments at which something changed, each at least so wide, the rest of the
   room shared by seconds. What happens in a moment (a line, a transfer, hanging up) has a column of its own. */

const TOGETHER = 0.3; // seconds: what is closer happened at once (a ring ends and the talk begins)
const OF_PEOPLE = new Set(["ring", "talk", "hold", "pickup"]);
const MOST_LANES = 10;

/* route: {started, ended, steps: [{kind, what, title, at, until, note}], wraps, hungUpBy, byCustomer}; now: epoch seconds.
   Returns {columns: [{seconds, moment}], marks: [{column, at}], lanes: [{key, title, spans}], hidden}; a span is
   {kind, title, note, at, until, open, from, to, moment}, columns counted from 0, `to` not included. */
export function layOut(route, now) {
  const end = route.ended ?? Math.max(now, ...route.steps.map((step) => step.until ?? step.at), route.started);
  const spans = spansOf(route, end);
  const points = cluster([route.started, end, ...spans.flatMap((span) => [span.at, span.until])]);
  const place = (at) => nearest(points, at);
  for (const span of spans) {
    span.first = place(span.at);
    span.last = place(span.until);
    span.moment = span.first === span.last;
  }
  const { lanes, hidden } = lanesOf(spans);
  const momentsAt = points.map((_, point) =>
    Math.max(0, ...lanes.map((lane) => lane.spans.filter((span) => span.moment && span.first === point).length)),
  );
  const columns = [];
  const opens = []; // point → its first moment column
  const flows = []; // point → column of the stretch that begins at it
  points.forEach((at, point) => {
    opens.push(columns.length);
    for (let n = 0; n < momentsAt[point]; n += 1) columns.push({ moment: true, seconds: 0, at });
    flows.push(columns.length);
    if (point < points.length - 1) columns.push({ moment: false, seconds: points[point + 1] - at, at });
  });
  for (const lane of lanes) {
    const used = new Map();
    for (const span of lane.spans) {
      if (span.moment) {
        const taken = used.get(span.first) ?? 0;
        used.set(span.first, taken + 1);
        span.from = opens[span.first] + taken;
        span.to = span.from + 1;
      } else {
        span.from = flows[span.first];
        span.to = opens[span.last];
      }
    }
  }
  const marks = points.slice(0, -1).map((at, point) => ({ column: flows[point], at }));
  return { columns, marks, lanes, hidden, end };
}

/* The grid's columns as CSS: enough room to read, the rest by seconds. */
export function template({ columns }) {
  return columns.map(({ moment, seconds }) => (moment ? "30px" : `minmax(44px, ${Math.max(seconds, 0.1).toFixed(2)}fr)`)).join(" ");
}

function spansOf(route, end) {
  const spans = route.steps.map((step) => {
    const open = step.until === null && route.ended === null;
    return {
      kind: step.kind,
      who: OF_PEOPLE.has(step.kind) ? step.what : "",
      title: step.title ?? step.what,
      note: step.note ?? "",
      at: step.at,
      until: Math.max(step.at, step.until ?? end),
      open,
    };
  });
  for (const wrap of route.wraps ?? []) {
    const owner = route.steps.find((step) => OF_PEOPLE.has(step.kind) && step.title === wrap.who);
    if (!owner) continue;
    // Wrap-up comes after the call: it is shown for how long it was, at the end, and does not stretch the call.
    spans.push({ kind: "wrap", who: owner.what, title: wrap.who, note: "", at: wrap.at, until: wrap.until, open: false });
  }
  if (route.ended !== null) {
    spans.push({ kind: "hangup", who: "", title: route.hungUpBy ?? "", note: "", at: route.ended, until: route.ended, open: false });
  }
  return spans;
}

function lanesOf(spans) {
  const people = new Map();
  const way = { key: "", title: "", spans: [], talked: true };
  for (const span of spans) {
    if (!span.who) {
      way.spans.push(span);
      continue;
    }
    const lane = people.get(span.who) ?? { key: span.who, title: span.title, spans: [], talked: false };
    lane.spans.push(span);
    lane.talked ||= span.kind !== "ring";
    people.set(span.who, lane);
  }
  const all = [...people.values()];
  const room = Math.max(0, MOST_LANES - all.filter((lane) => lane.talked).length);
  let rang = 0;
  const shown = all.filter((lane) => lane.talked || (rang += 1) <= room);
  return { lanes: [way, ...shown], hidden: all.length - shown.length };
}

function cluster(moments) {
  const sorted = [...moments].sort((a, b) => a - b);
  const points = [];
  for (const at of sorted) if (points.length === 0 || at - points.at(-1) > TOGETHER) points.push(at);
  return points;
}

function nearest(points, at) {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (points[middle] <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}
