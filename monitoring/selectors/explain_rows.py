"""The rows behind a figure as SQL: everything of that scope and time, what it adds, and why it adds nothing.

Each SELECT gives ``id, call_id, at, queue_id, manager_id, line, groups, number, top, bottom, reason, seconds``;
a reason is empty for what is counted in. What a row adds is told by ``statistics_raw.TERMS``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from monitoring.domain.counts import Subject
from monitoring.domain.metric import Metric, Terms
from monitoring.selectors import statistics_raw
from monitoring.selectors.statistics_raw import HANDLED, OFFERED, QUEUE_ERAS, TERMS, TOLD, Places


def rows(
    metric: Metric, subject: Subject, places: Places, begin: float, end: float
) -> tuple[str, dict[str, Any]]:
    """SQL and its parameters. [``begin``, ``end``): whole days, for what hours or weekdays leave out is told too."""
    makers: dict[Subject, Callable[[Metric, Places], str]] = {
        "visits": _visits, "calls": _calls, "legs": _legs, "people": _people, "lost": _lost,
    }  # fmt: skip
    params = {
        **places.params,
        "begin": datetime.fromtimestamp(begin, UTC),
        "end": datetime.fromtimestamp(end, UTC),
    }
    return makers[subject](metric, places), params


def _adds(subject: Subject, terms: Terms) -> str:
    """SQL: what a row adds to a sum of the formula."""
    known = TERMS[subject] | ({"handled": f"{TERMS['legs']['handled_in']} + {TERMS['legs']['handled_out']}"})
    return " + ".join(f"{sign} * ({known[key]})" for sign, key in terms) or "0"


def _outside(places: Places) -> str:
    """SQL: whether ``at`` is left out by hours and weekdays, or belongs to another bucket."""
    number = places.number("at")
    return f"NOT (at >= %(low)s AND at < %(high)s AND {places.inside('at', number)} AND {number} > 0)"


def _judged(inner: str, subject: Subject, metric: Metric, reasons: str) -> str:
    """``reasons``: WHEN … THEN … of rows that are never counted; then those that happen to add nothing."""
    top, bottom = _adds(subject, metric.numerator), _adds(subject, metric.denominator)
    return f"""
SELECT id, call_id, at, queue_id, manager_id, line, groups, number, seconds,
       CASE WHEN reason = '' THEN top ELSE 0 END AS top, CASE WHEN reason = '' THEN bottom ELSE 0 END AS bottom,
       CASE WHEN reason = '' AND top = 0 AND bottom = 0 THEN plain ELSE reason END AS reason
  FROM (SELECT x.*, ({top})::float8 AS top, ({bottom})::float8 AS bottom,
               CASE {reasons} ELSE '' END AS reason
          FROM ({inner}) x) judged
"""  # noqa: S608 - every piece is a constant of this package


def _visits(metric: Metric, places: Places) -> str:
    inner = """
SELECT v.id, c.id AS call_id, coalesce(v."left", v.joined) AS at, v.queue_id, m.id AS manager_id, v.line, v.groups,
       coalesce(c.number, '') AS number, v.wait AS seconds, v.outcome, v.wait, v.answer_within, v.short_abandon,
       CASE WHEN v.outcome = 'abandoned' AND v.wait < v.short_abandon THEN 'short'
            WHEN v.outcome = 'answered' THEN 'answered' WHEN v.outcome = 'abandoned' THEN 'abandoned'
            ELSE 'flow_out' END AS plain
  FROM monitoring_queuevisit v
  LEFT JOIN monitoring_call c ON c.key = v.call_key
  LEFT JOIN monitoring_manager m ON m.pbx_name = v.manager_name AND v.manager_name <> '' AND m.archived_at IS NULL
 WHERE v."left" >= %(begin)s AND v."left" < %(end)s
    OR v."left" IS NULL AND v.joined >= %(begin)s AND v.joined < %(end)s
"""
    return _judged(
        inner,
        "visits",
        metric,
        f"WHEN outcome = 'open' THEN 'open' WHEN {_outside(places)} THEN 'outside' "
        f"WHEN NOT {OFFERED} THEN 'interrupted'",
    )


def _calls(metric: Metric, places: Places) -> str:
    inner = f"""
SELECT c.id, c.id AS call_id, coalesce(c.ended, c.started) AS at, NULL::int AS queue_id, NULL::int AS manager_id,
       c.line, c.groups, c.number, coalesce(date_part('epoch', c.ended - c.started), 0) AS seconds, c.direction,
       c.disposition, c.ended, {TOLD} AS told,
       CASE WHEN c.direction = 'internal' THEN 'internal' WHEN c.disposition = 'interrupted' THEN 'interrupted'
            ELSE c.direction || CASE WHEN {TOLD} THEN '_told' ELSE '_untold' END END AS plain
  FROM monitoring_call c
 WHERE c.ended >= %(begin)s AND c.ended < %(end)s
    OR c.ended IS NULL AND c.started >= %(begin)s AND c.started < %(end)s
"""  # noqa: S608 - constants
    return _judged(
        inner,
        "calls",
        metric,
        f"WHEN ended IS NULL THEN 'open' WHEN {_outside(places)} THEN 'outside' "
        "WHEN disposition = 'merged' THEN 'merged'",
    )


def _legs(metric: Metric, places: Places) -> str:
    """Who listened took no part: told among those left out, as a leg that never was."""
    inner = f"""
SELECT l.id, l.call_id, coalesce(l.booked, l.rang) AS at, q.id AS queue_id, l.manager_id, c.line, l.groups, c.number,
       l.talk_seconds + l.hold_seconds + l.wrap_up_seconds AS seconds, l.origin, l.outcome, l.available,
       l.talk_seconds, l.hold_seconds, l.wrap_up_seconds, c.direction, c.disposition, l.booked, {HANDLED} AS handled,
       CASE WHEN c.direction = 'internal' THEN 'internal'
            WHEN {HANDLED} THEN 'handled_' || c.direction
            WHEN l.outcome = 'missed' AND NOT l.available THEN 'missed_away'
            WHEN l.outcome IN ('missed', 'cancelled', 'busy', 'interrupted') THEN l.outcome
            ELSE 'unanswered' END AS plain
  FROM monitoring_leg l
  JOIN monitoring_call c ON c.id = l.call_id
  LEFT JOIN ({QUEUE_ERAS}) q ON q.pbx_name = l.queue_name AND l.rang >= q.since AND l.rang < q.until
 WHERE l.booked >= %(begin)s AND l.booked < %(end)s
    OR l.booked IS NULL AND l.rang >= %(begin)s AND l.rang < %(end)s
UNION ALL
SELECT -a.id, c.id, a.at, NULL, m.id, c.line, c.groups, c.number, 0, false, 'spying', false, 0, 0, 0, c.direction,
       c.disposition, a.at, false, 'spying'
  FROM monitoring_auditentry a
  JOIN monitoring_call c ON c.key = a.what
  LEFT JOIN monitoring_manager m ON m.pbx_name = a.who AND m.archived_at IS NULL
 WHERE a.verb = 'listen' AND a.kind = 'call' AND a.at >= %(begin)s AND a.at < %(end)s
"""  # noqa: S608 - constants
    return _judged(
        inner,
        "legs",
        metric,
        "WHEN outcome = 'spying' THEN 'spying' WHEN booked IS NULL THEN 'open' "
        f"WHEN {_outside(places)} THEN 'outside' WHEN disposition = 'merged' THEN 'merged'",
    )


def _people(metric: Metric, places: Places) -> str:
    """Time of one person on one day; ``places`` are cut by days. Statuses the formula does not know are left out."""

    def adds(terms: Terms) -> str:
        each = [f"WHEN what = '{key}' THEN {sign} * seconds" for sign, key in terms if key != "logged_in"]
        each += [
            f"WHEN what IN ('available', 'break', 'away') THEN {sign} * seconds"
            for sign, key in terms
            if key == "logged_in"
        ]
        return f"CASE {' '.join(each)} ELSE 0 END" if each else "0"

    wanted = metric.counts() - {"logged_in"}
    if "logged_in" in metric.counts():
        wanted |= {"available", "break", "away"}
    elif not any(key.startswith("status:") for key in wanted):
        wanted |= {"break", "away"}
    named = ", ".join(f"'{key}'" for key in sorted(wanted))
    inner = statistics_raw.query("people", places)
    return f"""
SELECT row_number() OVER (ORDER BY at, manager_id, groups, reason) AS id, NULL::bigint AS call_id, at,
       NULL::int AS queue_id, manager_id, '' AS line, groups, '' AS number, sum(seconds) AS seconds,
       sum(top) AS top, sum(bottom) AS bottom, reason
  FROM (SELECT p.manager_id, p.groups, p.seconds, p.top, p.bottom, (%(begins)s::timestamptz[])[p.n] AS at,
               CASE WHEN p.top <> 0 OR p.bottom <> 0 THEN '' ELSE 'time_' || p.what END AS reason
          FROM (SELECT r.*, ({adds(metric.numerator)})::float8 AS top, ({adds(metric.denominator)})::float8 AS bottom
                  FROM ({inner}) r WHERE what IN ({named})) p) d
 GROUP BY at, manager_id, groups, reason
"""  # noqa: S608 - every piece is a constant of this package


def _lost(metric: Metric, places: Places) -> str:
    inner = """
SELECT l.id, l.call_id, l.lost_at AS at, l.queue_id, l.owner_id AS manager_id, l.line, l.groups, l.number,
       0::float8 AS seconds, l.state, l.in_time,
       CASE WHEN l.state = 'not_needed' THEN 'excused_' || l.excuse ELSE 'lost_' || l.state END AS plain
  FROM monitoring_lostcall l WHERE l.lost_at >= %(begin)s AND l.lost_at < %(end)s
"""
    return _judged(inner, "lost", metric, f"WHEN {_outside(places)} THEN 'outside'")
