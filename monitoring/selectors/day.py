"""One manager's day as intervals, cut at the company's midnights; the times sum up to the time since the
first.

Epoch seconds everywhere: the pages turn them into the company's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Q

from monitoring.domain.intervals import day_bounds, local_day
from monitoring.models.people import Manager
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
class Day:
    """``start`` and ``end``: the day's own midnights (23 or 25 hours apart when clocks change)."""

    start: float
    end: float
    spans: tuple[Span, ...]

    @property
    def standing(self) -> Span | None:
        return next((span for span in self.spans if span.open), None)

    def seconds(self, kind: StatusKind) -> float:
        """Time spent in statuses of ``kind``, up to now."""
        return sum(span.end - span.start for span in self.spans if span.kind == kind)


def day_of(manager: Manager, *, zone: str, now: float) -> Day:
    """The day that ``now`` falls on in time zone ``zone``."""
    start, end = day_bounds(local_day(now, zone), zone)
    first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    rows = (
        StatusInterval.objects.filter(
            Q(ended__isnull=True) | Q(ended__gt=first), manager=manager, started__lt=last
        )
        .select_related("status")
        .order_by("started", "pk")
    )
    spans = (_span(row, start, min(now, end)) for row in rows)
    return Day(start, end, tuple(span for span in spans if span.open or span.end > span.start))


def _span(row: StatusInterval, floor: float, ceiling: float) -> Span:
    since = row.started.timestamp()
    until = row.ended.timestamp() if row.ended is not None else ceiling
    start = max(since, floor)
    # A phone's clock may be ahead of ours: a standing status then lasts nothing yet, never less than that.
    end = max(start, min(until, ceiling) if row.ended is None else until)
    return Span(
        row.status_id, row.status.label, StatusKind(row.status.kind), start, end, since, row.ended is None,
        row.source == Source.PHONE,
    )  # fmt: skip


def queues_of(manager: Manager) -> list[Queue]:
    """Every live queue whose calls ring ``manager``, each once."""
    through_groups = Q(groups__managers=manager, groups__archived_at__isnull=True)
    return list(Queue.objects.live().filter(through_groups | Q(extra_members=manager)).distinct())
