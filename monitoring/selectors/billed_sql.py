"""Sweeps over half-open intervals in PostgreSQL: how many calls were handled at once, when, and by whom.

Times are integer microseconds since 1970, so that one of them can make a sixth call and no rounding adds one.
"""

from __future__ import annotations


def _micros(seconds: str) -> str:
    """Epoch seconds of a column as Python's ``datetime.fromtimestamp`` rounds them: halves to even."""
    return f"floor({seconds})::bigint * 1000000 + round(({seconds} - floor({seconds})) * 1000000)::bigint"


# Calls of the window that count; a merged one is told by the call it went into. ``sure``: no call lasts longer.
CALLS = """
calls AS MATERIALIZED (
    SELECT id, ended, direction, talk_seconds FROM monitoring_call
     WHERE started >= %(sure)s AND started < %(until)s AND (ended IS NULL OR ended > %(begin)s)
       AND merged_into = '' AND disposition <> 'merged' AND (%(internal)s OR direction <> 'internal')
)"""
# Legs are stored nearly in the order of their calls: one walk over a range of the index instead of one way to each,
# or of all legs there ever were, which is what PostgreSQL would choose.
_EDGES = "l.call_id BETWEEN (SELECT min(id) FROM calls) AND (SELECT max(id) FROM calls)"
LEGS = f"""
legs AS MATERIALIZED (
    SELECT l.call_id AS call, l.id, coalesce(l.ended, calls.ended, %(until)s) AS over,
           CASE WHEN l.hold = '[]' THEN l.talk ELSE l.talk || l.hold END AS spans
      FROM calls JOIN monitoring_leg l ON l.call_id = calls.id
     WHERE {_EDGES} AND (l.talk <> '[]' OR l.hold <> '[]')
)"""  # noqa: S608 - our own text
# Most legs have one span: taking that out is twice as fast as unfolding a list. What nobody saw the end of lasts to
# the leg's end, else the call's, else it goes on. OFFSET 0: each number is read once, not wherever it is used.
SPANS = f"""
spans AS (
    SELECT call, id, greatest(low, %(low)s) AS low, least(high, %(high)s) AS high FROM (
        SELECT call, id, {_micros("since")} AS low,
               CASE WHEN till IS NULL THEN (extract(epoch FROM over) * 1000000)::bigint
                    ELSE {_micros("till")} END AS high
          FROM (
            SELECT call, id, over, (span ->> 0)::float8 AS since, (span ->> 1)::float8 AS till FROM (
                SELECT call, id, over, spans -> 0 AS span FROM legs WHERE jsonb_array_length(spans) = 1
                UNION ALL
                SELECT call, id, over, span FROM legs CROSS JOIN jsonb_array_elements(spans) AS span
                 WHERE jsonb_array_length(spans) > 1
            ) AS one OFFSET 0
        ) AS read OFFSET 0
    ) AS told
    WHERE low < high AND low < %(high)s AND high > %(low)s
)"""  # noqa: S608 - our own text
# A call counts once however many talked in it: what an earlier span of the call covers is cut off.
ONCE = """
once AS (
    SELECT call, greatest(low, before) AS low, high FROM (
        SELECT call, low, high, max(high) OVER (
            PARTITION BY call ORDER BY low ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before FROM spans
    ) AS ordered
    WHERE before IS NULL OR high > before
)"""
_WINDOW = f"WITH {CALLS}, {LEGS}, {SPANS}"
# Ends come before starts: within one moment the sum is right after its last start, and never above that before.
PEAK = f"""
{_WINDOW}, {ONCE},
running AS (
    SELECT at, sum(step) OVER (ORDER BY at, step ROWS UNBOUNDED PRECEDING) AS there
      FROM (SELECT low AS at, 1 AS step FROM once UNION ALL SELECT high, -1 FROM once) AS changes
),
top AS (SELECT at, there FROM running ORDER BY there DESC, at LIMIT 1)
SELECT at, there, ARRAY(
    SELECT key FROM once JOIN monitoring_call ON monitoring_call.id = once.call
     WHERE once.low <= top.at AND once.high > top.at ORDER BY key COLLATE "C" LIMIT %(keys)s
) FROM top
"""  # noqa: S608 - our own text
# A part's most is reached at its begin or at a start in it; the rows of ends are on the way down.
OVER_TIME = f"""
{_WINDOW}, {ONCE},
running AS (
    SELECT at, step, sum(step) OVER (ORDER BY at, step ROWS UNBOUNDED PRECEDING) AS there
      FROM (
        SELECT low AS at, 1 AS step FROM once UNION ALL SELECT high, -1 FROM once
        UNION ALL SELECT unnest(%(parts)s::bigint[]), 0
      ) AS changes
)
SELECT width_bucket(at, %(parts)s::bigint[]) AS part, max(there) FROM running
 WHERE step >= 0 GROUP BY part ORDER BY part
"""  # noqa: S608 - our own text
HANDLERS = f"""
{_WINDOW}
SELECT DISTINCT leg.manager_id, coalesce(manager.pbx_name, leg.manager_name)
  FROM (SELECT DISTINCT id FROM spans) AS took
  JOIN monitoring_leg AS leg ON leg.id = took.id
  LEFT JOIN monitoring_manager AS manager ON manager.id = leg.manager_id
"""  # noqa: S608 - our own text
# Sums that do not depend on the order of rows; the digest changes with every interval, end and direction.
MARK = f"""
WITH {CALLS},
legs AS (
    SELECT l.call_id AS call, sum(jsonb_hash_extended(l.talk, jsonb_hash_extended(l.hold, hashint8extended(
               coalesce((extract(epoch FROM coalesce(l.ended, calls.ended)) * 1000000)::bigint, 0),
               hashtextextended(calls.direction, calls.id)
           )))) AS digest
      FROM calls JOIN monitoring_leg l ON l.call_id = calls.id
     WHERE {_EDGES} AND (l.talk <> '[]' OR l.hold <> '[]')
     GROUP BY l.call_id
)
SELECT count(*), count(*) FILTER (WHERE ended IS NULL), coalesce(sum(round(talk_seconds::numeric, 6)), 0),
       coalesce(sum(digest), 0)
  FROM legs JOIN calls ON calls.id = legs.call
"""  # noqa: S608 - our own text
# Calls somebody talks in at this moment: few rows by the index of open calls, however long the past is.
NOW = """
SELECT count(*) FROM monitoring_call
 WHERE ended IS NULL AND started >= %(sure)s AND merged_into = '' AND disposition <> 'merged'
   AND (%(internal)s OR direction <> 'internal')
   AND EXISTS (
    SELECT FROM monitoring_leg AS leg CROSS JOIN jsonb_array_elements(leg.talk || leg.hold) AS span
     WHERE leg.call_id = monitoring_call.id AND leg.ended IS NULL AND span ->> 1 IS NULL
)
"""
