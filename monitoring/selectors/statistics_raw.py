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


def _visits(places: Places) -> str:
    return f"""
SELECT n, queue_id, line, groups,
       count(*) AS offered,
       count(*) FILTER (WHERE outcome = 'answered') AS answered,
       count(*) FILTER (WHERE outcome = 'answered' AND wait <= answer_within) AS answered_within,
       count(*) FILTER (WHERE outcome = 'abandoned') AS abandoned,
       count(*) FILTER (WHERE outcome = 'abandoned' AND wait < short_abandon) AS short_abandoned,
       count(*) FILTER (WHERE outcome = 'flow-out') AS flow_out,
       coalesce(sum(wait) FILTER (WHERE outcome = 'answered'), 0) AS wait_answered,
       coalesce(sum(wait) FILTER (WHERE outcome = 'abandoned'), 0) AS wait_abandoned,
       {bars()}
  FROM (SELECT v.*, {places.number('v."left"')} AS n FROM monitoring_queuevisit v
         WHERE v."left" >= %(low)s AND v."left" < %(high)s
           AND v.outcome IN ('answered', 'abandoned', 'flow-out')) v
 WHERE {places.inside('"left"', "n")}
 GROUP BY n, queue_id, line, groups
"""  # noqa: S608 - every piece is a constant of this module


def _calls(places: Places) -> str:
    return f"""
SELECT n, line, groups,
       count(*) FILTER (WHERE direction = 'in') AS calls_in,
       count(*) FILTER (WHERE direction = 'in' AND told) AS calls_in_answered,
       count(*) FILTER (WHERE direction = 'in' AND NOT told AND disposition <> 'interrupted') AS calls_in_lost,
       count(*) FILTER (WHERE direction = 'out') AS calls_out,
       count(*) FILTER (WHERE direction = 'out' AND told) AS calls_out_answered,
       count(*) FILTER (WHERE direction = 'internal') AS calls_internal
  FROM (SELECT c.line, c.groups, c.direction, c.disposition, c.ended,
               c.disposition = 'answered' OR c.disposition = 'interrupted' AND c.answered IS NOT NULL AS told,
               {places.number("c.ended")} AS n
          FROM monitoring_call c
         WHERE c.ended >= %(low)s AND c.ended < %(high)s AND c.disposition <> 'merged') c
 WHERE {places.inside("ended", "n")}
 GROUP BY n, line, groups
"""  # noqa: S608 - every piece is a constant of this module


# A name on the PBX passes on to the next queue when its first one is archived: the leg is the one's of its time.
_QUEUE_ERAS = """
  SELECT id, pbx_name, coalesce(lag(archived_at) OVER era, '-infinity') AS since,
         coalesce(archived_at, 'infinity') AS until
    FROM monitoring_queue WINDOW era AS (PARTITION BY pbx_name ORDER BY archived_at NULLS LAST, id)
"""


def _legs(places: Places) -> str:
    return f"""
SELECT n, manager_id, queue_id, groups,
       count(*) FILTER (WHERE direction = 'in' AND NOT origin) AS rung,
       count(*) FILTER (WHERE direction = 'in' AND handled) AS handled_in,
       count(*) FILTER (WHERE direction = 'out' AND handled) AS handled_out,
       count(*) FILTER (WHERE direction = 'in' AND outcome = 'missed' AND available) AS missed,
       count(*) FILTER (WHERE direction = 'out' AND origin) AS outgoing,
       coalesce(sum(talk_seconds) FILTER (WHERE direction = 'in'), 0) AS talk_in,
       coalesce(sum(talk_seconds) FILTER (WHERE direction = 'out'), 0) AS talk_out,
       coalesce(sum(hold_seconds) FILTER (WHERE direction <> 'internal'), 0) AS hold,
       coalesce(sum(wrap_up_seconds) FILTER (WHERE direction <> 'internal'), 0) AS wrap_up
  FROM (SELECT l.manager_id, q.id AS queue_id, l.groups, l.origin, l.outcome, l.available, l.talk_seconds,
               l.hold_seconds, l.wrap_up_seconds, l.booked, c.direction,
               l.talk_seconds > 0 OR l.answered IS NOT NULL AND NOT l.origin AND c.direction = 'in' AS handled,
               {places.number("l.booked")} AS n
          FROM monitoring_leg l
          JOIN monitoring_call c ON c.id = l.call_id AND c.disposition <> 'merged'
          LEFT JOIN ({_QUEUE_ERAS}) q
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
# Settled legs only, as on the panel: a conversation going on counts once it has ended, in all its slots.
CONVERSATIONS = f"""
  SELECT l.manager_id, l.groups, l.id, t.started, t.ended
    FROM monitoring_leg l
    JOIN monitoring_call c ON c.id = l.call_id AND c.disposition <> 'merged'
    CROSS JOIN LATERAL (
      SELECT to_timestamp((span ->> 0)::float8) AS started, to_timestamp((span ->> 1)::float8) AS ended
        FROM jsonb_array_elements(l.talk || l.hold) span WHERE span ->> 1 IS NOT NULL
      UNION ALL
      SELECT l.booked - make_interval(secs => l.wrap_up_seconds), l.booked WHERE l.wrap_up_seconds > 0
    ) t
   WHERE l.booked >= %(low)s AND l.booked < %(high)s + interval '{LONGEST_LEG}' AND l.rang < %(high)s
     AND l.manager_id IS NOT NULL
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
SELECT n, queue_id, line, groups,
       count(*) AS lost_calls,
       count(*) FILTER (WHERE state IN ('called_back', 'answered_later')) AS called_back,
       count(*) FILTER (WHERE state IN ('called_back', 'answered_later') AND in_time) AS called_back_in_time,
       count(*) FILTER (WHERE state = 'closed') AS lost_closed_by_person,
       count(*) FILTER (WHERE state = 'open') AS lost_open
  FROM (SELECT l.*, {places.number("l.lost_at")} AS n FROM monitoring_lostcall l
         WHERE l.lost_at >= %(low)s AND l.lost_at < %(high)s) l
 WHERE {places.inside("lost_at", "n")}
 GROUP BY n, queue_id, line, groups
"""  # noqa: S608 - every piece is a constant of this module


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
