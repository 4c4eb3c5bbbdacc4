"""The journal: calls of a period, newest first, a page at a time, within what the asker may see.

At five million calls a page must come at once whatever is asked. What is rare is found by an index (parts of a number,
line, manager, queue, long waits); everything else by reading calls in order of time. The period is read in windows
that grow from its near end, so that the usual question never reads more than the first of them. Which index serves
what was chosen by measurement: tests/bench/journal.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from monitoring.models.calls import NUMBER_PARTS, PART, Call, Leg, QueueVisit
from monitoring.models.lost import LostCall
from monitoring.models.notes import CallMark
from monitoring.models.people import Manager
from monitoring.selectors.audience import board_rights
from monitoring.selectors.journal_question import NumberPart, Wanted, number_parts
from monitoring.selectors.policy import policy
from tenants.people.models import Role, User

PAGE: Final = 50
MOST_COUNTED: Final = 10_000
PATIENCE: Final = 3_000  # milliseconds one page may take
COUNT_PATIENCE: Final = 1_500
FIRST_WINDOW: Final = timedelta(days=7)
GROWTH: Final = 4
MOST_NAMED: Final = 5_000
LONGEST_CALL: Final = timedelta(days=1)  # a leg rings at most so long after its call began


class TooSlow(Exception):
    """The question would have to read too much; a shorter period helps."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call stands in the journal: pages go on from here."""

    started: datetime
    pk: int

    def __str__(self) -> str:
        return f"{(self.started - _EPOCH) // timedelta(microseconds=1)}-{self.pk}"

    @classmethod
    def of(cls, call: Call) -> Place:
        return cls(call.started, call.pk)

    @classmethod
    def read(cls, text: str) -> Place | None:
        """None for what is no place."""
        left, _, right = text.partition("-")
        if not (left.isascii() and left.isdigit() and right.isascii() and right.isdigit()) or len(text) > 40:
            return None
        try:
            return cls(_EPOCH + timedelta(microseconds=int(left)), int(right))
        except OverflowError:
            return None


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first. ``older``, ``newer``: whether there is more that way."""

    calls: list[Call]
    older: bool
    newer: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose calls are seen: of ``groups`` (None = all), or only those ``manager`` took part in."""

    groups: frozenset[int] | None
    manager: int | None = None


def reach_of(user: User) -> Reach:
    if user.role == Role.MANAGER:
        own = Manager.objects.filter(user=user).values_list("pk", flat=True).first()
        return Reach(frozenset(), own if user.is_active else None)
    return Reach(board_rights(user))


def page(
    wanted: Wanted,
    reach: Reach,
    *,
    after: Place | None = None,
    before: Place | None = None,
    size: int = PAGE,
) -> Page:
    """``after``: calls older than that one; ``before``: the next newer ones. Raises TooSlow."""
    with patience(PATIENCE):
        if before is not None:
            found = _collect(wanted, reach, before, size + 1, newer=True)
            return Page(found[:size][::-1], older=True, newer=len(found) > size)
        found = _collect(wanted, reach, after, size + 1, newer=False)
        return Page(found[:size], older=len(found) > size, newer=after is not None)


def count(wanted: Wanted, reach: Reach, limit: int = MOST_COUNTED + 1) -> int:
    """How many calls there are, counted no further than ``limit``. Raises TooSlow."""
    with patience(COUNT_PATIENCE):
        return calls(wanted, reach, wanted.begin, wanted.end).order_by()[:limit].count()


def every(wanted: Wanted, reach: Reach) -> QuerySet[Call]:
    """All calls of the question, newest first: for files, read by a server-side cursor."""
    return calls(wanted, reach, wanted.begin, wanted.end).order_by("-started", "-pk")


def calls_of(customer: str, reach: Reach) -> QuerySet[Call]:
    """Every call of one customer (digits of E.164) within ``reach``, in no order."""
    found = Call.objects.filter(customer=customer).exclude(disposition="merged")
    if reach.manager is not None:
        return found.filter(legs__manager=reach.manager).distinct()
    if reach.groups is None:
        return found
    return found.filter(groups__overlap=sorted(reach.groups)) if reach.groups else found.none()


def calls(wanted: Wanted, reach: Reach, begin: datetime, end: datetime) -> QuerySet[Call]:
    """Calls of the question that started in [``begin``, ``end``), in no order."""
    found = Call.objects.filter(started__gte=begin, started__lt=end).exclude(disposition="merged")
    found = _within(found, reach, begin, end)
    if wanted.direction:
        found = found.filter(direction=wanted.direction)
    if wanted.outcome:
        found = found.filter(disposition=wanted.outcome)
    if wanted.line:
        found = found.filter(line=wanted.line)
    if wanted.group is not None:
        found = found.filter(groups__overlap=[wanted.group])
    if wanted.manager is not None:
        found = _among(found, "pk", _of_manager(wanted.manager, begin, end))
    if wanted.queue is not None:
        visits = QueueVisit.objects.filter(
            queue=wanted.queue, joined__gte=begin, joined__lt=end + LONGEST_CALL
        )
        found = _among(found, "key", visits.order_by().values_list("call_key", flat=True))
    if wanted.number:
        found = _with_number(found, number_parts(wanted.number, policy().region))
    return _with_rest(found, wanted, begin)


def _within(found: QuerySet[Call], reach: Reach, begin: datetime, end: datetime) -> QuerySet[Call]:
    if reach.groups is None:
        return found
    if reach.manager is not None:
        return _among(found, "pk", _of_manager(reach.manager, begin, end))
    return found.filter(groups__overlap=sorted(reach.groups)) if reach.groups else found.none()


def _of_manager(manager: int, begin: datetime, end: datetime) -> QuerySet[Leg, Any]:
    # Bounds on the legs too: they have no time of their call, and a person's whole past is not to be read.
    legs = Leg.objects.filter(manager=manager, rang__gte=begin, rang__lt=end + LONGEST_CALL)
    return legs.order_by().values_list("call_id", flat=True)


def _among(found: QuerySet[Call], field: str, keys: QuerySet[Any, Any]) -> QuerySet[Call]:
    """Calls whose ``field`` is among ``keys``. Few keys are fetched and named: PostgreSQL knows only how many there are
    on average, and for somebody with next to none it would read every call of the window to find that out."""
    few = list(keys[: MOST_NAMED + 1])
    return found.filter(**{f"{field}__in": few if len(few) <= MOST_NAMED else keys})


def _with_number(found: QuerySet[Call], parts: list[NumberPart]) -> QuerySet[Call]:
    either = Q()
    for part in parts:
        digits = part.begins or part.anywhere
        this = Q(customer__startswith=digits) if part.begins else Q(customer__contains=digits)
        if len(digits) >= PART:
            pieces = sorted({digits[at : at + PART] for at in range(len(digits) - PART + 1)})
            this &= Q(parts__contains=pieces)
        either |= this
    return found.alias(parts=NUMBER_PARTS).filter(either) if parts else found.none()


def _with_rest(found: QuerySet[Call], wanted: Wanted, begin: datetime) -> QuerySet[Call]:
    if wanted.min_wait:
        found = found.filter(wait_seconds__gte=wanted.min_wait)
    if wanted.min_talk:
        found = found.filter(talk_seconds__gte=wanted.min_talk)
    if wanted.recorded:
        found = found.filter(recorded=True)
    if wanted.mark:
        marks = (
            CallMark.objects.all() if wanted.mark == "any" else CallMark.objects.filter(mark=int(wanted.mark))
        )
        found = _among(found, "pk", marks.order_by().values_list("call_id", flat=True))
    if wanted.lost:
        lost = LostCall.objects.filter(state="open", lost_at__gte=begin).order_by()
        found = _among(found, "pk", lost.values_list("call_id", flat=True))
    return found


def _collect(wanted: Wanted, reach: Reach, place: Place | None, most: int, *, newer: bool) -> list[Call]:
    found: list[Call] = []
    for begin, end in _windows(wanted, place, newer=newer):
        rows = calls(wanted, reach, begin, end)
        if place is not None:
            rows = rows.filter(_beyond(place, newer=newer))
        order = ("started", "pk") if newer else ("-started", "-pk")
        found += rows.order_by(*order)[: most - len(found)]
        if len(found) >= most:
            break
    return found


def _beyond(place: Place, *, newer: bool) -> Q:
    if newer:
        return Q(started__gt=place.started) | Q(started=place.started, pk__gt=place.pk)
    return Q(started__lt=place.started) | Q(started=place.started, pk__lt=place.pk)


def _windows(wanted: Wanted, place: Place | None, *, newer: bool) -> Iterator[tuple[datetime, datetime]]:
    """[begin, end) of each window, from the near end of the period to its far one, each larger than the last."""
    begin, end, size = wanted.begin, wanted.end, FIRST_WINDOW
    a_moment = timedelta(microseconds=1)
    if newer and place is not None:
        at = max(begin, place.started)
        while at < end:
            until = min(end, at + size)
            yield at, until
            at, size = until, size * GROWTH
        return
    at = end if place is None else min(end, place.started + a_moment)
    while at > begin:
        since = max(begin, at - size)
        yield since, at
        at, size = since, size * GROWTH


@contextmanager
def patience(milliseconds: int) -> Iterator[None]:
    """Statements of the block may take so long each; TooSlow is raised instead of waiting on."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            yield
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError as error:
        if "statement timeout" in str(error) or "тайм-аут" in str(error):
            raise TooSlow from error
        raise
