"""Half-open time intervals [start, end): the arithmetic under talk, hold, status and day boundaries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Span = tuple[float, float]


def union(spans: Iterable[Span]) -> list[Span]:
    """Disjoint, ordered spans covering the same moments; zero and negative lengths are nothing."""
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[1] > span[0]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def total(spans: Iterable[Span]) -> float:
    """Seconds covered, counting an overlap once."""
    return sum(end - start for start, end in union(spans))


def local_day(at: float, zone: str) -> date:
    """The calendar day that epoch second ``at`` falls on in ``zone``."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).date()


def day_bounds(day: date, zone: str) -> Span:
    """Epoch seconds of the day's midnight and the next one in ``zone``: 23 or 25 hours when the clock changes."""
    tz = ZoneInfo(zone)
    start = datetime.combine(day, time.min, tz).astimezone(UTC).timestamp()
    end = datetime.combine(day + timedelta(days=1), time.min, tz).astimezone(UTC).timestamp()
    return start, end


def split_by_day(span: Span, zone: str) -> list[tuple[date, Span]]:
    """``span`` cut at the midnights of ``zone``, each piece with its day."""
    pieces: list[tuple[date, Span]] = []
    start, end = span
    while start < end:
        day = local_day(start, zone)
        cut = min(end, day_bounds(day, zone)[1])
        pieces.append((day, (start, cut)))
        start = cut
    return pieces
