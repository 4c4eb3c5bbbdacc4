"""A month's report of a company with five million calls: from the kept sums, against plain SQL over raw rows.

Rows are made inside PostgreSQL; the sums by the product's own builder. Same server, same run, medians in turns.
"""

from __future__ import annotations

import gc
import statistics as middle
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.bench.past import REPORT, REPORTED, past
from tests.bench.table import Row

ROUNDS = 9


def rows() -> list[Row]:
    with past():
        return measure()


# What one would write first: the same counts, straight from the rows.
_PLAIN = """
SELECT {key} count(*), count(*) FILTER (WHERE outcome = 'answered'),
       count(*) FILTER (WHERE outcome = 'answered' AND wait <= answer_within),
       count(*) FILTER (WHERE outcome = 'abandoned'),
       count(*) FILTER (WHERE outcome = 'abandoned' AND wait < short_abandon),
       count(*) FILTER (WHERE outcome = 'flow-out'), sum(wait) FILTER (WHERE outcome = 'answered'),
       sum(wait) FILTER (WHERE outcome = 'abandoned')
  FROM monitoring_queuevisit
 WHERE "left" >= to_timestamp(%s) AND "left" < to_timestamp(%s) AND outcome IN ('answered', 'abandoned', 'flow-out')
 {group}
"""
_BY_HALF_HOUR = _PLAIN.format(
    key="queue_id, date_bin('30 minutes', \"left\", 'epoch'),", group="GROUP BY 1, 2 ORDER BY 1, 2"
)


def measure() -> list[Row]:
    from django.db import connection

    from monitoring.domain.metrics import METRICS
    from monitoring.domain.statistics import Question, Scope
    from monitoring.models.rollups import Built
    from monitoring.selectors.statistics import answer
    from monitoring.services import rollups
    from tenants.models import Company

    zone = Company.objects.values_list("time_zone", flat=True).get(schema_name="bench")
    Built.objects.create(until=datetime.fromtimestamp(REPORT[0], UTC), zone=zone)
    began = time.perf_counter()
    built = rollups.build(now=REPORT[1] + 1800, seconds=280)
    building = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE monitoring_visitsums")
        cursor.execute("VACUUM ANALYZE monitoring_queuevisit")
        cursor.execute("SELECT count(*) FROM monitoring_call")
        (kept,) = cursor.fetchone()

    figures = [METRICS[key] for key in ("offered", "service_level", "abandonment", "queue_wait", "flow_out")]
    fine = Question(Scope(), *REPORTED, zone, "half_hour", "queue")
    whole = Question(Scope(), *REPORTED, zone)

    def plain(statement: str) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement, REPORT)
            return list(cursor.fetchall())

    # As in the portal's processes: code and settings are not searched for garbage each time.
    gc.collect()
    gc.freeze()
    [totals] = plain(_PLAIN.format(key="", group=""))
    told = answer(whole, metrics=figures)
    assert (told.source, told.total["offered"]) == ("rollup", totals[0]), "the same figures, or none at all"
    every = answer(fine, metrics=figures)
    assert sum(row.counts["offered"] for row in every.rows) == totals[0]
    seconds = compare(
        {
            "half-hours": lambda: plain(_BY_HALF_HOUR),
            "totals": lambda: plain(_PLAIN.format(key="", group="")),
            "our half-hours": lambda: answer(fine, metrics=figures),
            "our totals": lambda: answer(whole, metrics=figures),
            "everything": lambda: answer(whole),
        }
    )
    size = f"{kept:,} calls in one schema, {totals[0]:,} in the month, {len(every.rows):,} cells"
    return [
        _row("a month's report, queue × half-hour, from the kept sums (baseline: plain SQL over rows)",
             seconds["half-hours"], seconds["our half-hours"], 5, size),
        _row("a month's totals from the kept sums (baseline: plain SQL over rows)",
             seconds["totals"], seconds["our totals"], 50, ""),
        Row(what="a month's totals of every raw count there is", unit="ms", ours=seconds["everything"] * 1000),
        Row(what="building a half-hour of that company", unit="ms", ours=building / built.half_hours * 1000,
            note=f"{built.half_hours:,} half-hours and {built.days} days in {building:.0f} s"),
    ]  # fmt: skip


def compare(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Medians in seconds; the ways take turns, so that all meet the same machine."""
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _round in range(ROUNDS):
        for way, work in ways.items():
            began = time.perf_counter()
            work()
            taken[way].append(time.perf_counter() - began)
    return {way: middle.median(each) for way, each in taken.items()}


def _row(what: str, baseline: float, ours: float, goal: float, note: str) -> Row:
    return Row(
        what=what, unit="ms", baseline=baseline * 1000, ours=ours * 1000, ratio=baseline / ours, least_ratio=goal,
        note=note,
    )  # fmt: skip
