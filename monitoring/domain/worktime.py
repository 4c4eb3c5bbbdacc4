"""Hours of work as stretches of real time, so that "within 30 minutes of work" is right over nights and clock changes.

A stretch belongs to the local day it begins on; ``until`` ≤ ``begins`` runs over midnight, equal means all day long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class WorkTime:
    """Local hours of a company. ``days``: ISO weekdays, Monday = 1; none at all means always at work."""

    days: frozenset[int]
    begins: time
    until: time
    zone: str

    def stretches(self, begin: float, end: float) -> list[tuple[float, float]]:
        """Everything at work that touches [``begin``, ``end``), epoch seconds, in order and disjoint."""
        if not self.days:
            return [(begin, end)]
        zone = ZoneInfo(self.zone)
        day = datetime.fromtimestamp(begin, zone).date() - timedelta(days=1)
        last = datetime.fromtimestamp(end, zone).date()
        found: list[tuple[float, float]] = []
        while day <= last:
            if day.isoweekday() in self.days:
                start, stop = self._of(day, zone)
                if found and start <= found[-1][1]:
                    start = found.pop()[0]
                if stop > start:
                    found.append((start, stop))
            day += timedelta(days=1)
        return [(start, stop) for start, stop in found if stop > begin and start < end]

    def _of(self, day: date, zone: ZoneInfo) -> tuple[float, float]:
        over = timedelta(days=1) if self.until <= self.begins else timedelta()
        start = datetime.combine(day, self.begins, zone).timestamp()
        return start, datetime.combine(day + over, self.until, zone).timestamp()

    def horizon(self, seconds: float) -> float:
        """How far ahead (seconds) one must look to find ``seconds`` of work: a week holds some, and holidays none."""
        if not self.days:
            return seconds + _DAY
        week = sum(stop - start for start, stop in self.stretches(0.0, 7 * _DAY)) or _DAY
        return (seconds / min(week, 7 * _DAY) + 3) * 7 * _DAY
