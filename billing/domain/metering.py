"""What a tariff counts, and how it is counted from facts. Where the facts come from is the caller's affair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from billing.domain.concurrency import by_key, peak
from billing.domain.periods import DAY, Period, midnight
from billing.domain.spans import Open


class Measure(StrEnum):
    """What is counted in a segment of a month.

    PROFILES: monitoring profiles on at one moment, the most. PROFILES_DISTINCT: profiles that were on at all.
    PROFILE_DAYS: the most on at one moment, day by day. CALLS: handled calls at one moment, the most.
    MANAGERS: managers who took at least one call.
    """

    PROFILES = "profiles"
    PROFILES_DISTINCT = "profiles_distinct"
    PROFILE_DAYS = "profile_days"
    CALLS = "calls"
    MANAGERS = "managers"


@dataclass(frozen=True, slots=True)
class Measured:
    """``quantity``, when it was first reached (UTC, None for zero or where there is no moment), and by whom.

    ``by_day``: PROFILE_DAYS only, the count of each local day in order.
    """

    measure: Measure
    quantity: int
    at: datetime | None = None
    keys: tuple[str, ...] = ()
    by_day: tuple[int, ...] = ()


class Meter(Protocol):
    """Counts in a company's facts."""

    def measure(self, what: Measure, part: Period, *, internal: bool = False) -> Measured:
        """``part``: whole local days. ``internal``: calls between own people count as well."""
        ...


@dataclass(frozen=True, slots=True)
class CallTimes:
    """A call's talk with managers. Kinds other than "handled" and "internal" never count (listening)."""

    key: str
    intervals: Sequence[Open]
    kind: Literal["handled", "internal", "listen"] = "handled"
    managers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """A meter over facts in memory: the meaning of the measures, against which faster ones are checked."""

    profiles: Sequence[tuple[str, Open]] = ()
    calls: Sequence[CallTimes] = field(default=())

    def measure(self, what: Measure, part: Period, *, internal: bool = False) -> Measured:
        match what:
            case Measure.CALLS:
                return self._peak(what, ((c.key, c.intervals) for c in self._counted(internal)), part)
            case Measure.MANAGERS:
                names = {
                    name
                    for call in self._counted(internal)
                    if by_key([(call.key, call.intervals)], part.begin, part.until)
                    for name in call.managers
                }
                return Measured(what, len(names), None, tuple(sorted(names)))
            case _:
                return profiles_measured(what, self.profiles, part)

    def _counted(self, internal: bool) -> Iterable[CallTimes]:
        kinds = ("handled", "internal") if internal else ("handled",)
        return (call for call in self.calls if call.kind in kinds)

    @staticmethod
    def _peak(what: Measure, things: Iterable[tuple[str, Iterable[Open]]], part: Period) -> Measured:
        found = peak(things, part.begin, part.until)
        return Measured(what, found.count, found.at, found.keys)


def profiles_measured(what: Measure, activity: Sequence[tuple[str, Open]], part: Period) -> Measured:
    """Any of the three profile measures. ``activity``: (profile, when it was on)."""
    things = [(profile, (span,)) for profile, span in activity]
    found = peak(things, part.begin, part.until)
    if what is Measure.PROFILES_DISTINCT:
        keys = tuple(sorted(by_key(things, part.begin, part.until)))
        return Measured(what, len(keys), None, keys)
    if what is Measure.PROFILES:
        return Measured(what, found.count, found.at, found.keys)
    days = tuple(
        peak(things, midnight(day, part.zone), midnight(day + DAY, part.zone)).count
        for day in part.each_day()
    )
    return Measured(what, found.count, found.at, found.keys, days)
