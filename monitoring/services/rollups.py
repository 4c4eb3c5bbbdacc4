"""Keeps the sums of the past true: marks the half-hours that new facts make stale, and builds what is stale or over.

A half-hour is built wholesale from raw rows once it is over, a day from its half-hours; late facts mark theirs and
they are built again. Two workers may build at once: the second one finds the company taken and goes on to the next.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from monitoring.domain.facts import CallFact
from monitoring.domain.intervals import Span, day_bounds, local_day
from monitoring.domain.periods import HALF_HOUR, half_hour
from monitoring.models.rollups import Built, Grain, Stale
from monitoring.services import rollups_sql
from monitoring.services.stored import Stored
from tenants.models import Company
from tenants.scope import current_company

MOST_HALF_HOURS = 96  # built in one transaction
MOST_DAYS = 31
LONGEST_MARK = 7 * 86_400.0
"""A call that seems to last longer has a broken clock: only its ends are marked."""


class Done(NamedTuple):
    """What one look has built; ``left``: there is more to do."""

    half_hours: int
    days: int
    left: bool


def mark_stored(stored: Stored) -> None:
    """Hook of ingest: what a batch's facts were booked under is stale. Inserts only, so nobody waits for anybody."""
    spans = [*_spans_of_calls(stored.calls)]
    spans += [(visit.left, visit.left) for visit in stored.visits if visit.left is not None]
    spans += [(auto.started, auto.started if auto.ended is None else auto.ended) for auto in stored.autos]
    spans += [(at, at) for at in stored.moments]
    mark(spans)


def _spans_of_calls(calls: Iterable[CallFact]) -> Iterator[Span]:
    """From a call's start to its end, for its legs are booked somewhere between; wrap-up tells itself later."""
    for call in calls:
        ends = [leg.ended for leg in call.legs if leg.ended is not None]
        if call.ended is not None:
            ends.append(call.ended)
        if ends:
            yield call.started, max(ends)


def mark(spans: Iterable[Span]) -> None:
    """Everything that was or is counted in [begin, end] of each span (epoch seconds) is to be counted anew."""
    stale: set[float] = set()
    for begin, end in spans:
        if end - begin > LONGEST_MARK:
            stale |= {half_hour(begin), half_hour(end)}
            continue
        at = half_hour(begin)
        while at <= end:
            stale.add(at)
            at += HALF_HOUR
    if not stale:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO monitoring_stale (grain, at) SELECT 'h', to_timestamp(unnest(%s::float8[]))",
            [sorted(stale)],
        )


def build(*, now: float | None = None, seconds: float = 10.0) -> Done:
    """Build what is over or stale, the latest first, for about ``seconds``. Call it inside ``company_scope``."""
    moment = timezone.now().timestamp() if now is None else now
    zone = Company.objects.values_list("time_zone", flat=True).get(schema_name=current_company())
    state = Built.objects.get_or_create(pk=1)[0]
    if _is_up_to_date(state, moment, zone):
        return Done(0, 0, left=False)
    half_hours = days = 0
    until = time.monotonic() + seconds
    while True:
        built = _build_some(moment, zone)
        if built is None:
            return Done(half_hours, days, left=False)
        half_hours, days = half_hours + built.half_hours, days + built.days
        if not built.left or time.monotonic() > until:
            return Done(half_hours, days, built.left)


def _is_up_to_date(state: Built, now: float, zone: str) -> bool:
    """Most looks find nothing to do and should cost next to nothing; who looks without a lock only looks."""
    if state.until is None or state.days_until is None or state.zone != zone:
        return False
    reached = state.until.timestamp()
    if reached < half_hour(now) or _next_day(state, reached).end <= reached:
        return False
    return not Stale.objects.filter(grain__in=Grain.values, at__lt=state.until).exists()


def _build_some(now: float, zone: str) -> Done | None:
    """One short transaction's work; None: another worker is at it."""
    with transaction.atomic():
        state = Built.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if state is None:
            return None
        if state.zone != zone:
            # Days of another zone are no days here; half-hours are the same everywhere.
            rollups_sql.forget(Grain.DAY)
            Stale.objects.filter(grain=Grain.DAY).delete()
            state.zone, state.days_until = zone, None
        ceiling = half_hour(now)
        reached = state.until.timestamp() if state.until is not None else _first_moment(ceiling)
        chunk = _next_half_hours(reached, ceiling)
        fresh = [at for at in chunk if at >= reached]
        after = max([reached, *(at + HALF_HOUR for at in fresh)])
        # A mark seen now is of rows seen now: those of half-hours not built yet need none.
        Stale.objects.filter(grain=Grain.HALF_HOUR, at__in=[_moment(at) for at in chunk]).delete()
        Stale.objects.filter(grain=Grain.HALF_HOUR, at__gte=_moment(after)).delete()
        rollups_sql.build_half_hours(chunk, now)
        state.until = _moment(after)
        days = _build_days(state, [at for at in chunk if at < reached], after)
        state.save()
        left = (
            after < ceiling
            or Stale.objects.filter(at__lt=_moment(after)).exists()
            or _next_day(state, reached).end <= after
        )
    return Done(len(chunk), days, left)


def _next_half_hours(reached: float, ceiling: float) -> list[float]:
    """Stale ones first, the latest of them, for they are on somebody's screen; then those that are over by now."""
    stale = (
        Stale.objects.filter(grain=Grain.HALF_HOUR, at__lt=_moment(reached))
        .order_by("-at")
        .values_list("at", flat=True)
        .distinct()[: MOST_HALF_HOURS // 2]
    )
    chunk = sorted(at.timestamp() for at in stale)
    at = reached
    while at < ceiling and len(chunk) < MOST_HALF_HOURS:
        chunk.append(at)
        at += HALF_HOUR
    return chunk


class _Day(NamedTuple):
    begin: float
    end: float


def _next_day(state: Built, first: float) -> _Day:
    """The earliest day that is not built."""
    at = state.days_until.timestamp() if state.days_until is not None else first
    return _Day(*day_bounds(local_day(at, state.zone), state.zone))


def _build_days(state: Built, changed: Sequence[float], reached: float) -> int:
    """Days that stale half-hours touched, and those that are over. Returns how many were built."""
    if state.days_until is None:
        first = rollups_sql.first_half_hour()
        if first is None or first >= reached:
            return 0
        state.days_until = _moment(_next_day(state, first).begin)
    built = state.days_until.timestamp()
    touched = {_Day(*day_bounds(local_day(at, state.zone), state.zone)) for at in changed if at < built}
    touched |= {
        # A half-hour may reach over a midnight that is not on one.
        _Day(*day_bounds(local_day(at + HALF_HOUR - 1, state.zone), state.zone)) for at in changed if at < built
    }  # fmt: skip
    marked = Stale.objects.filter(grain=Grain.DAY).order_by("-at").values_list("at", flat=True).distinct()
    days = {day for day in touched if day.end <= built}
    days |= {
        _Day(*day_bounds(local_day(at.timestamp(), state.zone), state.zone)) for at in marked[:MOST_DAYS]
    }
    Stale.objects.filter(grain=Grain.DAY, at__in=[_moment(day.begin) for day in days]).delete()
    while (day := _next_day(state, built)).end <= reached and len(days) < 2 * MOST_DAYS:
        days.add(day)
        state.days_until = _moment(day.end)
    rollups_sql.build_days(sorted(days))
    return len(days)


def _first_moment(ceiling: float) -> float:
    """Where the company's past begins; now, when it has none."""
    with connection.cursor() as cursor:
        cursor.execute(rollups_sql.FIRST_FACT)
        (first,) = cursor.fetchone()
    return ceiling if first is None else min(half_hour(first), ceiling)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
