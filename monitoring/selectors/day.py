"""One manager's day as intervals, cut at the company's midnights; the times sum up to the time since the
first.

What nobody declared (no phone, no answers, wrap-up) stands beside the statuses, never among them.
Epoch seconds everywhere: the pages turn them into the company's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Q

from monitoring.domain.intervals import day_bounds, local_day
from monitoring.models.people import Manager
from monitoring.models.presence import AutoInterval, AutoKind
from monitoring.models.queues import Queue
from monitoring.models.statuses import Source, StatusInterval, StatusKind


@dataclass(frozen=True, slots=True)
class Span:
    """[``start``, ``end``) of one status; ``open``: it still stands, ``end`` is now. ``since``: uncut
    beginning."""

    status: int
    label: str
    kind: StatusKind
    start: float
    end: float
    since: float
    open: bool
    by_phone: bool


@dataclass(frozen=True, slots=True)
class AutoSpan:
    """[``start``, ``end``) of one automatic status; ``open``: it still stands, ``end`` is now."""

    kind: AutoKind
    start: float
    end: float
    open: bool


@dataclass(frozen=True, slots=True)
class Day:
    """``start`` and ``end``: the day's own midnights (23 or 25 hours apart when clocks change)."""

    start: float
    end: float
    spans: tuple[Span, ...]
    automatic: tuple[AutoSpan, ...] = ()

    @property
    def standing(self) -> Span | None:
        return next((span for span in self.spans if span.open), None)

    def seconds(self, kind: StatusKind) -> float:
        """Time spent in statuses of ``kind``, up to now."""
        return sum(span.end - span.start for span in self.spans if span.kind == kind)

    @property
    def logged_in(self) -> float:
        """Time under any status at all, up to now."""
        return sum(span.end - span.start for span in self.spans)


def day_of(manager: Manager, *, zone: str, now: float) -> Day:
    """The day that ``now`` falls on in time zone ``zone``."""
    start, end = day_bounds(local_day(now, zone), zone)
    first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    touching = Q(ended__isnull=True) | Q(ended__gt=first)
    rows = (
        StatusInterval.objects.filter(touching, manager=manager, started__lt=last)
        .select_related("status")
        .order_by("started", "pk")
    )
    beside = AutoInterval.objects.filter(touching, manager=manager, started__lt=last).order_by(
        "started", "pk"
    )
    spans = (_span(row, start, min(now, end)) for row in rows)
    autos = (_auto_span(row, start, min(now, end)) for row in beside)
    return Day(
        start,
        end,
        tuple(span for span in spans if span.open or span.end > span.start),
        tuple(span for span in autos if span.open or span.end > span.start),
    )


def _span(row: StatusInterval, floor: float, ceiling: float) -> Span:
    since = row.started.timestamp()
    start, end = _cut(row, floor, ceiling)
    return Span(
        row.status_id, row.status.label, StatusKind(row.status.kind), start, end, since, row.ended is None,
        row.source == Source.PHONE,
    )  # fmt: skip


def _auto_span(row: AutoInterval, floor: float, ceiling: float) -> AutoSpan:
    start, end = _cut(row, floor, ceiling)
    return AutoSpan(AutoKind(row.kind), start, end, row.ended is None)


def _cut(row: StatusInterval | AutoInterval, floor: float, ceiling: float) -> tuple[float, float]:
    until = row.ended.timestamp() if row.ended is not None else ceiling
    start = max(row.started.timestamp(), floor)
    # A phone's clock may be ahead of ours: a status then lasts nothing yet, never less than that.
    return start, max(start, min(until, ceiling))


def queues_of(manager: Manager) -> list[Queue]:
    """Every live queue whose calls ring ``manager``, each once."""
    through_groups = Q(groups__managers=manager, groups__archived_at__isnull=True)
    return list(Queue.objects.live().filter(through_groups | Q(extra_members=manager)).distinct())
