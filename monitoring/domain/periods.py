"""Local days, hours and buckets as stretches of time: where the clock jumps, a day has 23 or 25 hours and an hour may
last 30 or 90 minutes; the sum of the pieces is always the whole.

Everything here is [begin, end) in epoch seconds. A ``Slot`` says which bucket its stretch is counted in.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from monitoring.domain.intervals import Span, day_bounds, local_day, union
from monitoring.domain.statistics import (
    LONGEST_DAYS,
    LONGEST_FINE_DAYS,
    BadQuestion,
    Bucket,
    Hours,
    Question,
)

HALF_HOUR: Final = 1800
DAY: Final = 86_400
WHOLE_DAY: Final = 1440
_MINUTES: Final[dict[Bucket, int]] = {"quarter": 15, "half_hour": 30, "hour": 60}
_LONGEST: Final[dict[Bucket, int]] = {"quarter": LONGEST_FINE_DAYS, "half_hour": 93, "hour": 366}
_BUCKETS: Final = (*_MINUTES, "total", "day", "week", "month", "weekday_hour")
_ORDINARY = Hours()
_FIRST_YEAR, _LAST_YEAR = 1990, 2190


class Slot(NamedTuple):
    """``at``: the bucket's label, see ``Row.at``."""

    begin: float
    end: float
    at: float | None


def check(question: Question) -> None:
    """Raises BadQuestion for a period or filter that makes no sense or asks for too much."""
    if question.zone not in _zones():
        raise BadQuestion("There is no such time zone.")
    if question.bucket not in _BUCKETS:
        raise BadQuestion("There is no such bucket.")
    if not (question.first.year >= _FIRST_YEAR and question.last.year <= _LAST_YEAR):
        raise BadQuestion("The period is out of the calendar of this portal.")
    if question.last < question.first:
        raise BadQuestion("The period ends before it begins.")
    days = (question.last - question.first).days + 1
    if days > LONGEST_DAYS:
        raise BadQuestion("The period is too long: three years at most.")
    if days > _LONGEST.get(question.bucket, LONGEST_DAYS):
        raise BadQuestion(
            "The period is too long for such fine buckets: take longer ones or a shorter period."
        )
    _check_hours(question.hours)


@cache
def _zones() -> frozenset[str]:
    """Read once: it walks through the system's files."""
    return frozenset(available_timezones())


def _check_hours(hours: Hours) -> None:
    if not hours.weekdays or not hours.weekdays <= _ORDINARY.weekdays:
        raise BadQuestion("Name at least one weekday, from 1 (Monday) to 7.")
    for minute in (hours.begin, hours.end):
        if not 0 <= minute <= WHOLE_DAY or minute % 30:
            raise BadQuestion("Hours begin and end at whole half-hours of a day.")


def bounds(question: Question) -> Span:
    """From the first day's midnight to the one after the last, in the question's zone."""
    return day_bounds(question.first, question.zone)[0], day_bounds(question.last, question.zone)[1]


def slots(question: Question) -> list[Slot]:
    """The question's time in order, cut at bucket bounds, without what its weekdays and hours leave out.

    Neighbours of one bucket are one slot. Raises BadQuestion.
    """
    check(question)
    return list(_joined(_labelled(question)))


def _labelled(question: Question) -> Iterator[Slot]:
    tz = ZoneInfo(question.zone)
    for begin, end in _allowed(question):
        if question.bucket == "total":
            yield Slot(begin, end, None)
        elif question.bucket == "weekday_hour":
            for start, stop in _clock_pieces(begin, end, 60, tz):
                local = datetime.fromtimestamp(start, tz)
                yield Slot(start, stop, float((local.isoweekday() - 1) * 24 + local.hour))
        elif question.bucket in _MINUTES:
            yield from _fine(begin, end, _MINUTES[question.bucket], tz)
        else:
            for day in days_between(local_day(begin, question.zone), local_day(end - 1e-3, question.zone)):
                low, high = day_bounds(day, question.zone)
                at = day_bounds(first_day(day, question.bucket), question.zone)[0]
                yield Slot(max(begin, low), min(end, high), at)


def _fine(begin: float, end: float, minutes: int, tz: ZoneInfo) -> Iterator[Slot]:
    """A bucket cut short by the hours filter keeps the label of its true beginning on the clock."""
    for start, stop in _clock_pieces(begin, end, minutes, tz):
        yield Slot(start, stop, start)


def _clock_pieces(begin: float, end: float, minutes: int, tz: ZoneInfo) -> Iterator[Span]:
    """[begin, end) cut wherever the local clock shows a multiple of ``minutes``, or jumps."""
    at, whole = begin, minutes * 60
    while at < end:
        local = datetime.fromtimestamp(at, tz)
        past = (local.hour * 60 + local.minute) * 60 + local.second + local.microsecond / 1e6
        step = whole - past % whole
        offset = local.utcoffset()
        if datetime.fromtimestamp(at + DAY, tz).utcoffset() == offset:
            # No clock jumps forth and back within a day: until then its pieces follow from each other.
            sure = min(at + DAY, end)
            while at < sure and (at + step <= sure or sure == end):
                stop = min(at + step, end)
                yield at, stop
                at, step = stop, whole
            continue
        stop = min(at + step, end)
        if datetime.fromtimestamp(stop, tz).utcoffset() != offset:
            stop = min(stop, _jump(at, stop, tz))
        yield at, stop
        at = stop


def _jump(begin: float, end: float, tz: ZoneInfo) -> float:
    """The moment in (begin, end] at which the zone's offset changes: a whole second, found by halving."""
    before = datetime.fromtimestamp(begin, tz).utcoffset()
    low, high = int(begin), int(end)
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, tz).utcoffset() == before:
            low = middle
        else:
            high = middle
    return float(high)


def _allowed(question: Question) -> list[Span]:
    """The stretches its days, weekdays and hours allow, joined. Nights that began the evening before belong to the
    weekday they began on."""
    hours, zone = question.hours, question.zone
    if hours == _ORDINARY or hours == replace(_ORDINARY, begin=hours.begin, end=hours.begin):
        return [bounds(question)]
    low, high = bounds(question)
    spans: list[Span] = []
    for day in days_between(question.first - timedelta(days=1), question.last):
        if day.isoweekday() in hours.weekdays:
            begin = moment(day, hours.begin, zone)
            over = hours.end <= hours.begin
            end = moment(day + timedelta(days=1) if over else day, hours.end, zone)
            spans.append((max(begin, low), min(end, high)))
    return union(spans)


def moment(day: date, minute: int, zone: str) -> float:
    """When the local clock first shows or passes ``minute`` of ``day``: one the clock skips is the moment it jumps."""
    tz = ZoneInfo(zone)
    if minute >= WHOLE_DAY:
        return day_bounds(day, zone)[1]
    local = datetime.combine(day, time(minute // 60, minute % 60), tz)
    at = local.astimezone(UTC).timestamp()
    if datetime.fromtimestamp(at, tz).replace(tzinfo=None) != local.replace(tzinfo=None):
        # Skipped: fold=0 reads it by the offset before the jump, which lands beyond the jump by what it skipped.
        return _jump(at - 4 * 3600, at, tz)
    return at


def _joined(pieces: Iterable[Slot]) -> Iterator[Slot]:
    kept: Slot | None = None
    for piece in pieces:
        if piece.end <= piece.begin:
            continue
        if kept is not None and kept.at == piece.at and kept.end == piece.begin:
            kept = kept._replace(end=piece.end)
            continue
        if kept is not None:
            yield kept
        kept = piece
    if kept is not None:
        yield kept


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from ``first`` to ``last``, both included."""
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)


def first_day(day: date, bucket: Bucket) -> date:
    """The day its bucket begins on: Monday of a week, the first of a month."""
    if bucket == "week":
        return day - timedelta(days=day.isoweekday() - 1)
    return day.replace(day=1) if bucket == "month" else day


def before(question: Question) -> Question:
    """The same question about the time just before, to compare with.

    Whole months: as many whole months. Otherwise as many days; up to a week of them the same weekdays a week
    earlier, longer periods by whole weeks, so that Mondays are compared with Mondays.
    """
    first, last = question.first, question.last
    if first.day == 1 and last.day == monthrange(last.year, last.month)[1]:
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        return replace(question, first=_months_back(first, months), last=first - timedelta(days=1))
    days = (last - first).days + 1
    shift = timedelta(days=days if days == 1 else -(-days // 7) * 7)
    return replace(question, first=first - shift, last=last - shift)


def _months_back(day: date, months: int) -> date:
    total = day.year * 12 + day.month - 1 - months
    return date(total // 12, total % 12 + 1, 1)


def half_hour(at: float) -> float:
    """The beginning of the UTC half-hour ``at`` falls in."""
    return at // HALF_HOUR * HALF_HOUR


def on_half_hours(pieces: Iterable[Slot]) -> bool:
    """Whether every bound is one of a UTC half-hour, so that half-hourly sums can tell the answer."""
    return all(piece.begin % HALF_HOUR == 0 and piece.end % HALF_HOUR == 0 for piece in pieces)


def without(pieces: Iterable[Slot], holes: Iterable[Span]) -> list[Slot]:
    """``pieces`` without the moments of ``holes`` (disjoint, in order)."""
    kept: list[Slot] = []
    waiting = list(holes)
    place = 0
    for piece in pieces:
        begin = piece.begin
        while place < len(waiting) and waiting[place][1] <= begin:
            place += 1
        look = place
        while look < len(waiting) and waiting[look][0] < piece.end:
            hole = waiting[look]
            if hole[0] > begin:
                kept.append(Slot(begin, hole[0], piece.at))
            begin = max(begin, hole[1])
            look += 1
        if begin < piece.end:
            kept.append(Slot(begin, piece.end, piece.at))
    return kept


def within(pieces: Iterable[Slot], spans: Iterable[Span]) -> list[Slot]:
    """The parts of ``pieces`` inside ``spans`` (disjoint, in order)."""
    kept: list[Slot] = []
    inside = list(spans)
    place = 0
    for piece in pieces:
        while place < len(inside) and inside[place][1] <= piece.begin:
            place += 1
        look = place
        while look < len(inside) and inside[look][0] < piece.end:
            begin, end = max(piece.begin, inside[look][0]), min(piece.end, inside[look][1])
            if begin < end:
                kept.append(Slot(begin, end, piece.at))
            look += 1
    return kept


def runs(pieces: list[Slot], gap: float) -> Iterator[list[Slot]]:
    """``pieces`` in runs that no hole longer than ``gap`` seconds divides: what one look at the rows should cover."""
    run: list[Slot] = []
    for piece in pieces:
        if run and piece.begin - run[-1].end > gap:
            yield run
            run = []
        run.append(piece)
    if run:
        yield run
