"""How raw rows are counted, as SQL: once for reports of the last minutes and once for the sums kept of the past.

Each query gives one row for each slot ``n`` of the question and each combination of what may be asked about: queue,
line, manager, groups. Booking: a visit when its outcome came, a leg when its handling is booked, a call when it ended;
merged calls count nothing, interrupted visits are not offered. A status counts in every slot it touches, exactly cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from monitoring.domain.counts import HISTOGRAMS, UPPERS, Subject
from monitoring.domain.periods import Slot

LONGEST_LEG = "1 day"
"""A conversation is looked for among legs booked up to so much after a slot; one that lasted longer is cut there."""


@dataclass(frozen=True, slots=True)
class Places:
    """The slots of one look at the rows: ``params`` for its query, and how a moment finds its slot in it."""

    slots: Sequence[Slot]
    now: float

    @property
    def params(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "low": _moment(self.slots[0].begin),
            "high": _moment(self.slots[-1].end),
            "now": _moment(self.now),
            "begins": [_moment(slot.begin) for slot in self.slots],
            "ends": [_moment(slot.end) for slot in self.slots],
        }
        return found

    def number(self, moment: str) -> str:
        """SQL: which slot ``moment`` falls in, counted from 1."""
        return "1" if len(self.slots) == 1 else f"width_bucket({moment}, %(begins)s::timestamptz[])"

    def inside(self, moment: str, number: str) -> str:
        """SQL: whether that slot has not ended by then; there may be holes between slots."""
        if all(one.end == two.begin for one, two in pairwise(self.slots)):
            return "true"
        return f"{moment} < (%(ends)s::timestamptz[])[{number}]"


def query(subject: Subject, places: Places) -> str:
    """The SELECT that counts ``subject`` in raw rows; its parameters are ``places.params``."""
    return {"visits": _visits, "calls": _calls, "legs": _legs, "people": _people, "lost": _lost}[subject](
        places
    )


def bars() -> str:
    """SQL: the two histograms of a group of visits as arrays, a bar each."""
    edges = [None, *UPPERS, None]
    told = []
    for name, outcome in zip(HISTOGRAMS, ("answered", "abandoned"), strict=True):
        each = []
        for low, high in pairwise(edges):
            more = "" if low is None else f" AND wait > {low}"
            less = "" if high is None else f" AND wait <= {high}"
            each.append(f"count(*) FILTER (WHERE outcome = '{outcome}'{more}{less})::int")
        told.append(f"ARRAY[{', '.join(each)}] AS {name}_bars")
    return ", ".join(told)


# What one row adds to each raw count. Explanations list rows by the same words, so a figure is what is listed.
TERMS: dict[Subject, dict[str, str]] = {
    "visits": {
        "offered": "1",
        "answered": "(outcome = 'answered')::int",
        "answered_within": "(outcome = 'answered' AND wait <= answer_within)::int",
        "abandoned": "(outcome = 'abandoned')::int",
        "short_abandoned": "(outcome = 'abandoned' AND wait < short_abandon)::int",
        "flow_out": "(outcome = 'flow-out')::int",
        "wait_answered": "CASE WHEN outcome = 'answered' THEN wait ELSE 0 END",
        "wait_abandoned": "CASE WHEN outcome = 'abandoned' THEN wait ELSE 0 END",
    },
    "calls": {
        "calls_in": "(direction = 'in')::int",
        "calls_in_answered": "(direction = 'in' AND told)::int",
        "calls_in_lost": "(direction = 'in' AND NOT told AND disposition <> 'interrupted')::int",
        "calls_out": "(direction = 'out')::int",
        "calls_out_answered": "(direction = 'out' AND told)::int",
        "calls_internal": "(direction = 'internal')::int",
    },
    "legs": {
        "rung": "(direction = 'in' AND NOT origin)::int",
        "handled_in": "(direction = 'in' AND handled)::int",
        "handled_out": "(direction = 'out' AND handled)::int",
        "missed": "(direction = 'in' AND outcome = 'missed' AND available)::int",
        "outgoing": "(direction = 'out' AND origin)::int",
        "talk_in": "CASE WHEN direction = 'in' THEN talk_seconds ELSE 0 END",
        "talk_out": "CASE WHEN direction = 'out' THEN talk_seconds ELSE 0 END",
        "hold": "CASE WHEN direction <> 'internal' THEN hold_seconds ELSE 0 END",
        "wrap_up": "CASE WHEN direction <> 'internal' THEN wrap_up_seconds ELSE 0 END",
    },
    "people": {},
    "lost": {
        "lost_calls": "1",
        "called_back": "(state IN ('called_back', 'answered_later'))::int",
        "called_back_in_time": "(state IN ('called_back', 'answered_later') AND in_time IS TRUE)::int",
        "lost_closed_by_person": "(state = 'closed')::int",
        "lost_open": "(state = 'open')::int",
    },
}
OFFERED = "outcome IN ('answered', 'abandoned', 'flow-out')"
TOLD = "(c.disposition = 'answered' OR c.disposition = 'interrupted' AND c.answered IS NOT NULL)"
"""A person talked with the other side, also when the call's end was not seen."""
HANDLED = "(l.talk_seconds > 0 OR l.answered IS NOT NULL AND NOT l.origin AND c.direction = 'in')"


def _sums(subject: Subject) -> str:
    return ",\n       ".join(f"sum({term}) AS {name}" for name, term in TERMS[subject].items())


def _visits(places: Places) -> str:
    return f"""
SELECT n, queue_id, line, groups, {_sums("visits")},
       {bars()}
  FROM (SELECT v.*, {places.number('v."left"')} AS n FROM monitoring_queuevisit v
         WHERE v."left" >= %(low)s AND v."left" < %(high)s AND v.{OFFERED}) v
 WHERE {places.inside('"left"', "n")}
 GROUP BY n, queue_id, line, groups
"""  # noqa: S608 - every piece is a constant of this module


def _calls(places: Places) -> str:
    return f"""
SELECT n, line, groups, {_sums("calls")}
  FROM (SELECT c.line, c.groups, c.direction, c.disposition, c.ended, {TOLD} AS told,
               {places.number("c.ended")} AS n
          FROM monitoring_call c
         WHERE c.ended >= %(low)s AND c.ended < %(high)s AND c.disposition <> 'merged') c
 WHERE {places.inside("ended", "n")}
 GROUP BY n, line, groups
"""  # noqa: S608 - every piece is a constant of this module


# A name on the PBX passes on to the next queue when its first one is archived: the leg is the one's of its time.
QUEUE_ERAS = """
  SELECT id, pbx_name, coalesce(lag(archived_at) OVER era, '-infinity') AS since,
         coalesce(archived_at, 'infinity') AS until
    FROM monitoring_queue WINDOW era AS (PARTITION BY pbx_name ORDER BY archived_at NULLS LAST, id)
"""


def _legs(places: Places) -> str:
    return f"""
SELECT n, manager_id, queue_id, groups, {_sums("legs")}
  FROM (SELECT l.manager_id, q.id AS queue_id, l.groups, l.origin, l.outcome, l.available, l.talk_seconds,
               l.hold_seconds, l.wrap_up_seconds, l.booked, c.direction, {HANDLED} AS handled,
               {places.number("l.booked")} AS n
          FROM monitoring_leg l
          JOIN monitoring_call c ON c.id = l.call_id AND c.disposition <> 'merged'
          LEFT JOIN ({QUEUE_ERAS}) q
            ON q.pbx_name = l.queue_name AND l.rang >= q.since AND l.rang < q.until
         WHERE l.booked >= %(low)s AND l.booked < %(high)s) l
 WHERE {places.inside("booked", "n")}
 GROUP BY n, manager_id, queue_id, groups
"""  # noqa: S608 - every piece is a constant of this module


def pieces(begin: str, end: str) -> str:
    """SQL: the slots that [``begin``, ``end``) touches as rows ``n, low, high``, each cut to its slot."""
    return f"""
  (SELECT n, greatest({begin}, (%(begins)s::timestamptz[])[n]) AS low,
          least({end}, (%(ends)s::timestamptz[])[n]) AS high
     FROM generate_series(greatest(1, width_bucket({begin}, %(begins)s::timestamptz[])),
                          width_bucket(least({end}, %(high)s), %(begins)s::timestamptz[])) n)
"""  # noqa: S608 - column names of this module


# Stretches of one person do not overlap: besides those begun in the period, only the last one before it can reach in.
STATUSES = """
  SELECT m.id AS manager_id, i.groups, i.status_id, s.kind, i.id, i.started,
         least(coalesce(i.ended, %(now)s), %(now)s) AS ended
    FROM monitoring_manager m
    CROSS JOIN LATERAL (
      (SELECT * FROM monitoring_statusinterval a
        WHERE a.manager_id = m.id AND a.started >= %(low)s AND a.started < %(high)s)
      UNION ALL
      (SELECT * FROM monitoring_statusinterval a
        WHERE a.manager_id = m.id AND a.started < %(low)s ORDER BY a.started DESC, a.id DESC LIMIT 1)
    ) i
    JOIN monitoring_status s ON s.id = i.status_id
"""
AUTOMATIC = """
  SELECT m.id AS manager_id, i.groups, k.kind, i.id, i.started,
         least(coalesce(i.ended, %(now)s), %(now)s) AS ended
    FROM monitoring_manager m
    CROSS JOIN (VALUES ('unregistered'), ('missing_calls'), ('wrap_up')) k (kind)
    CROSS JOIN LATERAL (
      (SELECT * FROM monitoring_autointerval a
        WHERE a.manager_id = m.id AND a.kind = k.kind AND a.started >= %(low)s AND a.started < %(high)s)
      UNION ALL
      (SELECT * FROM monitoring_autointerval a
        WHERE a.manager_id = m.id AND a.kind = k.kind AND a.started < %(low)s
        ORDER BY a.started DESC, a.id DESC LIMIT 1)
    ) i
"""
# Settled legs only, as on the panel: a conversation going on counts once it has ended, in all its slots. OFFSET 0: the
# legs are found by their time before they are told apart by manager, or a year of each manager's legs would be read.
CONVERSATIONS = f"""
  SELECT l.manager_id, l.groups, l.id, t.started, t.ended
    FROM (
      SELECT l.manager_id, l.groups, l.id, l.talk, l.hold, l.booked, l.wrap_up_seconds
        FROM monitoring_leg l
        JOIN monitoring_call c ON c.id = l.call_id AND c.disposition <> 'merged'
       WHERE l.booked >= %(low)s AND l.booked < %(high)s + interval '{LONGEST_LEG}' AND l.rang < %(high)s
         AND l.manager_id IS NOT NULL
      OFFSET 0
    ) l
    CROSS JOIN LATERAL (
      SELECT to_timestamp((span ->> 0)::float8) AS started, to_timestamp((span ->> 1)::float8) AS ended
        FROM jsonb_array_elements(l.talk || l.hold) span WHERE span ->> 1 IS NOT NULL
      UNION ALL
      SELECT l.booked - make_interval(secs => l.wrap_up_seconds), l.booked WHERE l.wrap_up_seconds > 0
    ) t
"""  # noqa: S608 - a constant of this module


def _people(places: Places) -> str:
    def cut(source: str, *columns: str) -> str:
        return f"""
  SELECT i.manager_id, i.groups, {"".join(f"i.{column}, " for column in columns)}p.n, p.low, p.high
    FROM ({source}) i CROSS JOIN LATERAL {pieces("i.started", "i.ended")} p WHERE p.low < p.high
"""  # noqa: S608 - column names of this module

    return f"""
WITH status AS MATERIALIZED ({cut(STATUSES, "status_id", "kind")}),
automatic AS ({cut(AUTOMATIC, "kind")}),
talked AS (
  SELECT n, manager_id, groups, range_agg(tstzrange(low, high)) AS busy FROM ({cut(CONVERSATIONS)}) c
   GROUP BY n, manager_id, groups
),
once AS MATERIALIZED (
  -- A moment is busy once: what two legs share goes to the first by groups.
  SELECT n, manager_id, groups, busy - coalesce(range_agg(busy) OVER earlier, '{{}}') AS busy,
         busy AS whole
    FROM talked
  WINDOW earlier AS (PARTITION BY n, manager_id ORDER BY groups
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
free AS (
  SELECT s.n, s.manager_id, s.groups, s.open - coalesce(b.busy, '{{}}') AS idle
    FROM (SELECT n, manager_id, groups, range_agg(tstzrange(low, high)) AS open FROM status
           WHERE kind = 'available' GROUP BY n, manager_id, groups) s
    LEFT JOIN (SELECT n, manager_id, range_agg(whole) AS busy FROM once GROUP BY n, manager_id) b
           USING (n, manager_id)
)
SELECT n, manager_id, groups, kind AS what, sum(date_part('epoch', high - low)) AS seconds
  FROM status GROUP BY n, manager_id, groups, kind
UNION ALL
SELECT n, manager_id, groups, 'status:' || status_id, sum(date_part('epoch', high - low))
  FROM status GROUP BY n, manager_id, groups, status_id
UNION ALL
SELECT n, manager_id, groups, CASE kind WHEN 'wrap_up' THEN 'wrap_up_time' ELSE kind END,
       sum(date_part('epoch', high - low))
  FROM automatic GROUP BY n, manager_id, groups, kind
UNION ALL
SELECT n, manager_id, groups, 'busy', sum(date_part('epoch', upper(r) - lower(r)))
  FROM once CROSS JOIN LATERAL unnest(busy) r GROUP BY n, manager_id, groups
UNION ALL
SELECT n, manager_id, groups, 'idle', sum(date_part('epoch', upper(r) - lower(r)))
  FROM free CROSS JOIN LATERAL unnest(idle) r GROUP BY n, manager_id, groups
"""  # noqa: S608 - every piece is a constant of this module


def _lost(places: Places) -> str:
    return f"""
SELECT n, queue_id, line, groups, {_sums("lost")}
  FROM (SELECT l.*, {places.number("l.lost_at")} AS n FROM monitoring_lostcall l
         WHERE l.lost_at >= %(low)s AND l.lost_at < %(high)s) l
 WHERE {places.inside("lost_at", "n")}
 GROUP BY n, queue_id, line, groups
"""  # noqa: S608 - every piece is a constant of this module


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
