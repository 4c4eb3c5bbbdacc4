"""What a report's address asks: period, scope, bucket, days, hours, zone, comparison. All of it is in the URL.

The names of the parameters are the address's; dates are local to ``zone``. Bad input raises BadQuestion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import get_args
from urllib.parse import urlencode
from zoneinfo import available_timezones

from monitoring.domain.periods import before, check
from monitoring.domain.statistics import BadQuestion, Bucket, Hours, Question, Scope, ScopeKind
from monitoring.models.text import visible

PERIODS = ("today", "yesterday", "week", "last_week", "month", "last_month", "days7", "days30", "days90")
USUAL_PERIOD = "days7"
BUCKETS: tuple[Bucket, ...] = ("quarter", "half_hour", "hour", "day", "week", "month")
_EVERY_DAY = frozenset(range(1, 8))


@dataclass(frozen=True, slots=True)
class Ask:
    """``period``: a preset or "custom". ``bucket`` None: chosen by the period's length. ``groups``: the asker's."""

    period: str
    first: date
    last: date
    scope: Scope
    bucket: Bucket | None
    hours: Hours
    zone: str
    own_zone: str
    compare: bool
    groups: frozenset[int] | None

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def shown_bucket(self) -> Bucket:
        """The chart's bucket: the chosen one, else what makes some seven to sixty columns."""
        if self.bucket is not None:
            return self.bucket
        if self.days <= 2:
            return "hour"
        return "day" if self.days <= 62 else "week" if self.days <= 400 else "month"

    def question(
        self, *, bucket: Bucket = "total", split: ScopeKind | None = None, scope: Scope | None = None
    ) -> Question:
        return Question(
            scope=scope or self.scope, first=self.first, last=self.last, zone=self.zone, bucket=bucket,
            split=split, hours=self.hours, groups=self.groups,
        )  # fmt: skip

    def query(self, **changes: str) -> str:
        """The address's parameters, those that are as usual left out; ``changes`` replace or ("") remove some."""
        given = self.parameters()
        given.update(changes)
        return urlencode([(name, value) for name, value in given.items() if value])

    def parameters(self, *, with_period: bool = True) -> dict[str, str]:
        found: dict[str, str] = {}
        if with_period and self.period != "custom":
            found["period"] = self.period
        elif with_period:
            found |= {"from": self.first.isoformat(), "to": self.last.isoformat()}
        if self.scope.kind != "company":
            found["scope"] = f"{self.scope.kind}:{self.scope.key}"
        if self.bucket is not None:
            found["bucket"] = self.bucket
        if self.hours.weekdays != _EVERY_DAY:
            found["days"] = "".join(map(str, sorted(self.hours.weekdays)))
        if (self.hours.begin, self.hours.end) != (0, 1440):
            found["hours"] = f"{clock(self.hours.begin)}-{clock(self.hours.end)}"
        if self.zone != self.own_zone:
            found["zone"] = self.zone
        if not self.compare:
            found["compare"] = "no"
        return found

    def narrowed(self, scope: Scope) -> Ask:
        return replace(self, scope=scope)


def read(given: Mapping[str, str], *, zone: str, today: date, groups: frozenset[int] | None) -> Ask:
    """``given``: parameters of an address. ``zone``, ``today``: the company's. Raises BadQuestion."""
    asked_zone = given.get("zone", "") or zone
    if asked_zone not in available_timezones():
        raise BadQuestion("There is no such time zone.")
    period, first, last = _period(given, today)
    ask = Ask(
        period, first, last, _scope(given.get("scope", "")), _bucket(given.get("bucket", "")), _hours(given),
        asked_zone, zone, given.get("compare", "") not in ("no", "0"), groups,
    )  # fmt: skip
    check(ask.question(bucket=ask.shown_bucket))
    return ask


def preset(name: str, today: date) -> tuple[date, date]:
    """First and last local day of a preset, as of ``today``. Raises BadQuestion for one that is none."""
    monday = today - timedelta(days=today.isoweekday() - 1)
    first = today.replace(day=1)
    before = first - timedelta(days=1)
    known = {
        "today": (today, today),
        "yesterday": (today - timedelta(days=1),) * 2,
        "week": (monday, today),
        "last_week": (monday - timedelta(days=7), monday - timedelta(days=1)),
        "month": (first, today),
        "last_month": (before.replace(day=1), before),
        "days7": (today - timedelta(days=6), today),
        "days30": (today - timedelta(days=29), today),
        "days90": (today - timedelta(days=89), today),
    }
    if name not in known:
        raise BadQuestion("There is no such period.")
    return known[name]


def previous(ask: Ask) -> Ask:
    """The time just before, to compare with: months with months, Mondays with Mondays, else as many days."""
    earlier = before(ask.question())
    return replace(ask, period="custom", first=earlier.first, last=earlier.last)


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _period(given: Mapping[str, str], today: date) -> tuple[str, date, date]:
    """Dates that are not the preset's own win: a form sends both."""
    begin, end, name = given.get("from", ""), given.get("to", ""), given.get("period", "")
    if begin or end:
        first, last = _date(begin or end), _date(end or begin)
        if name not in PERIODS or preset(name, today) != (first, last):
            return "custom", first, last
        return name, first, last
    name = name or USUAL_PERIOD
    return (name, *preset(name, today))


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadQuestion("This is no date: write it as year-month-day.") from None


def _scope(text: str) -> Scope:
    kind, _, key = text.partition(":")
    if not text or text == "company":
        return Scope()
    if (
        kind not in get_args(ScopeKind)
        or kind == "company"
        or not key
        or len(key) > 80
        or visible(key, 80) != key
    ):
        raise BadQuestion("There is nothing like that to report on.")
    return Scope(kind, key)  # type: ignore[arg-type] # just checked against the very list


def _bucket(text: str) -> Bucket | None:
    if not text or text == "auto":
        return None
    if text not in BUCKETS:
        raise BadQuestion("There is no such bucket.")
    return text


def _hours(given: Mapping[str, str]) -> Hours:
    days, hours = given.get("days", ""), given.get("hours", "")
    weekdays = frozenset(int(day) for day in days if day in "1234567") if days else _EVERY_DAY
    if days and (set(days) - set("1234567,")):
        raise BadQuestion("Weekdays are the digits 1 (Monday) to 7.")
    begin, end = given.get("begin", ""), given.get("end", "")
    if hours:
        begin, _, end = hours.partition("-")
    if not begin and not end:
        return Hours(weekdays)
    first, last = _minute(begin or "00:00"), _minute(end or "24:00")
    return Hours(weekdays, first, 1440 if last == 0 and first == 0 else last)


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    if not (hour.isascii() and hour.isdigit() and minute.isascii() and minute.isdigit() and len(text) < 6):
        raise BadQuestion("Hours are written like 09:00 and are whole half-hours.")
    found = int(hour) * 60 + int(minute)
    if found > 1440 or found % 30:
        raise BadQuestion("Hours are written like 09:00 and are whole half-hours.")
    return found
