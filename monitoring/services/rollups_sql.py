"""Replaces the sums of half-hours and days by what raw rows, or half-hours, say now. Call it inside a transaction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import connection

from monitoring.domain import periods
from monitoring.domain.counts import BARS, Subject
from monitoring.domain.intervals import Span
from monitoring.domain.periods import HALF_HOUR, Slot
from monitoring.models.rollups import Grain
from monitoring.selectors import statistics_raw, statistics_sums
from monitoring.selectors.statistics_raw import Places
from monitoring.selectors.statistics_sums import BAR_COLUMNS, COUNTS, DIMENSIONS, TABLES

_FAR = 6 * 3600.0  # half-hours further apart are looked up apart

FIRST_FACT = """
SELECT date_part('epoch', least((SELECT min(started) FROM monitoring_call),
                                (SELECT min(joined) FROM monitoring_queuevisit),
                                (SELECT min(started) FROM monitoring_statusinterval),
                                (SELECT min(started) FROM monitoring_autointerval)))
"""


def forget(grain: Grain) -> None:
    """Drop every sum of one grain."""
    with connection.cursor() as cursor:
        for table in TABLES.values():
            cursor.execute(f"DELETE FROM {table} WHERE grain = %s", [grain.value])  # noqa: S608 - our own names


def first_half_hour() -> float | None:
    """The earliest half-hour that has a sum; None: none has."""
    earliest = ", ".join(
        f"(SELECT min(at) FROM {table} WHERE grain = 'h')"  # noqa: S608 - our own names
        for table in TABLES.values()
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT date_part('epoch', least({earliest}))")
        (first,) = cursor.fetchone()
    return None if first is None else float(first)


def build_half_hours(begins: Sequence[float], now: float) -> None:
    """Count the half-hours that begin at ``begins`` anew from raw rows."""
    slots = [Slot(at, at + HALF_HOUR, at) for at in sorted(begins)]
    _clear(Grain.HALF_HOUR, slots)
    for run in periods.runs(slots, _FAR):
        places = Places(run, now)
        for subject in TABLES:
            _insert(subject, Grain.HALF_HOUR, statistics_raw.query(subject, places), places)


def build_days(days: Sequence[Span]) -> None:
    """Add up whole days from their half-hours, or from raw rows where midnight is not on a half-hour."""
    slots = [Slot(begin, end, begin) for begin, end in days]
    _clear(Grain.DAY, slots)
    even = [slot for slot in slots if periods.on_half_hours([slot])]
    odd = [slot for slot in slots if not periods.on_half_hours([slot])]
    for run in periods.runs(even, math.inf):
        places = Places(run, 0.0)
        for subject in TABLES:
            _insert(subject, Grain.DAY, _summed(subject, places), places)
    for run in periods.runs(odd, _FAR):
        places = Places(run, run[-1].end)
        for subject in TABLES:
            _insert(subject, Grain.DAY, statistics_raw.query(subject, places), places)


def _clear(grain: Grain, slots: Sequence[Slot]) -> None:
    with connection.cursor() as cursor:
        for table in TABLES.values():
            cursor.execute(
                f"DELETE FROM {table} WHERE grain = %s AND at = ANY(%s)",  # noqa: S608 - our own names
                [grain.value, [datetime.fromtimestamp(slot.begin, UTC) for slot in slots]],
            )


def _summed(subject: Subject, places: Places) -> str:
    dimensions = ", ".join(DIMENSIONS[subject])
    sums = [f"sum({column}) AS {column}" for column in COUNTS[subject]]
    if subject == "visits":
        sums += [
            f"ARRAY[{', '.join(f'sum({bars}[{n + 1}])' for n in range(len(BARS)))}] AS {bars}"
            for bars in BAR_COLUMNS
        ]
    inner = statistics_sums.query(subject, Grain.HALF_HOUR, places)
    return f"""
SELECT n, {dimensions}, {", ".join(sums)} FROM ({inner}) h GROUP BY n, {dimensions}
"""  # noqa: S608 - our own names


def _insert(subject: Subject, grain: Grain, counted: str, places: Places) -> None:
    columns = [*DIMENSIONS[subject], *COUNTS[subject], *(BAR_COLUMNS if subject == "visits" else ())]
    named = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TABLES[subject]} (grain, at, {named}) "  # noqa: S608 - our own names
            f"SELECT '{grain.value}', (%(begins)s::timestamptz[])[n], {named} FROM ({counted}) c",
            {**places.params, **statistics_sums.params(places)},
        )
