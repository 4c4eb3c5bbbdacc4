"""How a month has gone so far, in the measure its plan counts by: hour by hour for calls, day by day for profiles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from billing.domain.metering import Measure, profiles_measured
from billing.domain.periods import DAY, Period, local_day
from billing.domain.pricing import PerProfile
from billing.selectors.terms import Model
from monitoring import facade

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Part:
    """The most there were at once in an hour (calls) or a local day (profiles) that begins at ``begin``, UTC."""

    begin: datetime
    most: int


@dataclass(frozen=True, slots=True)
class Busy:
    """A local day: the most at once, and the part of it in which that was reached first; None where it was zero."""

    day: date
    most: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Course:
    """``parts`` in order, from the month's beginning until now; ``days`` the same by local day.

    ``whole``: how many parts the month will have.
    """

    month: Period
    measure: Measure
    parts: tuple[Part, ...]
    days: tuple[Busy, ...]
    whole: int

    @property
    def most(self) -> int:
        return max((part.most for part in self.parts), default=0)


def course(company: str, model: Model, month: Period, *, now: datetime) -> Course | None:
    """None for a measure that has no moments (managers who took calls in the month)."""
    if isinstance(model, PerProfile):
        return _of_profiles(company, month, now)
    if model.measure is Measure.CALLS:
        return _of_calls(company, model.internal, month, now)
    return None


def _of_calls(company: str, internal: bool, month: Period, now: datetime) -> Course:
    hours = int((min(now, month.until) - month.begin) / HOUR)
    shown = min(hours + 1, int((month.until - month.begin) / HOUR))
    end = month.begin + shown * HOUR
    told = facade.busy_over_time(company, month.begin, end, parts=shown, internal=internal)
    parts = tuple(Part(one.begin, one.most) for one in told)
    return Course(
        month, Measure.CALLS, parts, _by_day(parts, month.zone), int((month.until - month.begin) / HOUR)
    )


def _of_profiles(company: str, month: Period, now: datetime) -> Course:
    today = local_day(now, month.zone)
    past = month.part(None, today + DAY)
    if past is None:
        return Course(month, Measure.PROFILES, (), (), month.days)
    activity = [
        (str(span.profile), (span.started, span.ended))
        for span in facade.profile_activity(company, past.begin, past.until)
    ]
    counts = profiles_measured(Measure.PROFILE_DAYS, activity, past).by_day
    days = list(past.each_day())
    starts = [Period(day, day + DAY, month.zone).begin for day in days]
    parts = tuple(Part(begin, most) for begin, most in zip(starts, counts, strict=True))
    busy = tuple(Busy(day, most, None) for day, most in zip(days, counts, strict=True))
    return Course(month, Measure.PROFILES, parts, busy, month.days)


def _by_day(parts: tuple[Part, ...], zone: str) -> tuple[Busy, ...]:
    days: dict[date, list[Part]] = {}
    for part in parts:
        days.setdefault(local_day(part.begin, zone), []).append(part)
    found = []
    for day, inside in days.items():
        most = max(inside, key=lambda part: part.most)
        found.append(Busy(day, most.most, most.begin if most.most else None))
    return tuple(found)
