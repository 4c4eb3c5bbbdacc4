/* Where each stop of a call's route stands in its picture. Pure: steps and a moment in, columns and lanes out.

   Time runs to the right. The whole call is seen at a glance: the picture is a grid whose columns are the stretches
   between moments at which something changed, each as wide as the root of its seconds, so that an hour's talk leaves
   room for the three seconds before it; how long each stop really was stands written in it. What happens in a moment
   (a line, a transfer, hanging up) has a column of its own. People whose phones only rang share one lane. */

const TOGETHER = 0.3; // seconds: what is closer happened at once (a ring ends and the talk begins)
const OF_PEOPLE = new Set(["ring", "talk", "hold", "pickup"]);
const FEW = 2; // so many who only rang have lanes of their own

/* route: {started, ended, steps: [{kind, what, title, at, until, note}], wraps, hungUpBy, byCustomer}; now: epoch seconds.
   `apart`: those who only rang each have a lane.
   Returns {columns: [{seconds, moment}], marks: [{column, at}], lanes: [{key, title, spans, rang}], together}; a span is
   {kind, title, note, at, until, open, from, to, moment}, columns counted from 0, `to` not included. `together`: how
   many only rang, when they are too many for a lane each; their shared lane's `rang` says it too. */
export function layOut(route, now, { apart = false } = {}) {
  const end = route.ended ?? Math.max(now, ...route.steps.map((step) => step.until ?? step.at), route.started);
  const { lanes, together } = lanesOf(spansOf(route, end), apart);
  const spans = lanes.flatMap((lane) => lane.spans);
  const points = cluster([route.started, end, ...spans.flatMap((span) => [span.at, span.until])]);
  const place = (at) => nearest(points, at);
  for (const span of spans) {
    span.first = place(span.at);
    span.last = place(span.until);
    span.moment = span.first === span.last;
  }
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
  return { columns, marks, lanes, together, end };
}

/* The grid's columns as CSS: as wide as there is room, longer ones wider. */
export function template({ columns }) {
  return columns.map(({ moment, seconds }) => (moment ? "28px" : `minmax(16px, ${Math.sqrt(Math.max(seconds, 1)).toFixed(2)}fr)`)).join(" ");
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

function lanesOf(spans, apart) {
  const people = new Map();
  const way = { key: "", title: "", spans: [], talked: true, rang: 0 };
  for (const span of spans) {
    if (!span.who) {
      way.spans.push(span);
      continue;
    }
    const lane = people.get(span.who) ?? { key: span.who, title: span.title, spans: [], talked: false, rang: 0 };
    lane.spans.push(span);
    lane.talked ||= span.kind !== "ring";
    people.set(span.who, lane);
  }
  const all = [...people.values()];
  const rang = all.filter((lane) => !lane.talked);
  if (rang.length <= FEW) return { lanes: [way, ...all], together: 0 };
  if (apart) return { lanes: [way, ...all.filter((lane) => lane.talked), ...rang], together: rang.length };
  const shared = { key: "rang", title: "", spans: merged(rang.flatMap((lane) => lane.spans)), talked: false, rang: rang.length };
  return { lanes: [way, ...all.filter((lane) => lane.talked), shared], together: rang.length };
}

/* Phones that rang at the same time as one stretch; called off, if any of them was: somebody else answered. */
function merged(spans) {
  const stretches = [];
  for (const span of [...spans].sort((a, b) => a.at - b.at)) {
    const last = stretches.at(-1);
    // What ends in a moment belongs to what rings then, or both would want the same column.
    if (last && span.at <= last.until + TOGETHER) {
      last.until = Math.max(last.until, span.until);
      last.open ||= span.open;
      last.phones.add(span.who);
      if (span.note !== last.note) last.note = [last.note, span.note].includes("cancelled") ? "cancelled" : last.note || span.note;
    } else {
      stretches.push({ ...span, title: "", phones: new Set([span.who]) });
    }
  }
  return stretches.map(({ phones, ...span }) => ({ ...span, many: phones.size }));
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
