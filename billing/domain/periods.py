"""Days and months of a company's billing time zone, and the UTC moments at which they begin and end.

A day is whole whatever the clocks do in it: an hour more or less changes no price.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def midnight(day: date, zone: str) -> datetime:
    """The first moment of ``day`` in ``zone``, UTC. Where clocks skip midnight, the moment they skip at."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def local_day(moment: datetime, zone: str) -> date:
    """Which day it is in ``zone``. ``moment`` is aware."""
    return moment.astimezone(ZoneInfo(zone)).date()


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Local days [``start``, ``end``) in ``zone``."""

    start: date
    end: date
    zone: str

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"A period ends after it starts: {self.start} – {self.end}.")

    @property
    def begin(self) -> datetime:
        """UTC, inclusive."""
        return midnight(self.start, self.zone)

    @property
    def until(self) -> datetime:
        """UTC, exclusive."""
        return midnight(self.end, self.zone)

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        return self.end - DAY

    def part(self, start: date | None, end: date | None) -> Period | None:
        """What of it lies in [``start``, ``end``); None when nothing does. None is without a bound."""
        low = max(self.start, start or self.start)
        high = min(self.end, end or self.end)
        return Period(low, high, self.zone) if low < high else None

    def each_day(self) -> Iterator[date]:
        return (self.start + timedelta(days=n) for n in range(self.days))


def month_of(day: date, zone: str) -> Period:
    first = day.replace(day=1)
    return Period(first, first + timedelta(days=monthrange(day.year, day.month)[1]), zone)


def following(month: Period) -> Period:
    return month_of(month.end, month.zone)


def preceding(month: Period, months: int = 1) -> Period:
    """The calendar month ``months`` before."""
    for _ in range(months):
        month = month_of(month.start - DAY, month.zone)
    return month
