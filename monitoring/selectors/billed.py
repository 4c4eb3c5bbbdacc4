"""What companies are billed by, as it happened: times profiles were on, times calls were handled.

Facts only; what they mean for a tariff (clipping, peaks, kinds left out) is billing's thought.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.db.models import Prefetch, Q, QuerySet

from monitoring.contracts import HandledCall, ProfileActive
from monitoring.models.calls import Call, Leg
from monitoring.models.profiles import ProfileActivity

Place = tuple[datetime, int]
Span = tuple[datetime, datetime | None]
CallKind = Literal["handled", "internal"]
AT_ONCE = 2_000
# No call lasts so long: one whose end was missed is reconciled within minutes. Bounds what is read before the period.
LONGEST_CALL = timedelta(days=7)


def profile_activity(begin: datetime, end: datetime) -> list[ProfileActive]:
    """Intervals that touch [``begin``, ``end``), by start."""
    rows = ProfileActivity.objects.filter(
        Q(ended__isnull=True) | Q(ended__gt=begin), started__lt=end
    ).order_by("started", "pk")
    return [ProfileActive(row.profile_id, row.started, row.ended) for row in rows]


def handled_calls(
    begin: datetime, end: datetime, *, after: Place | None
) -> tuple[list[HandledCall], Place | None]:
    """The next calls after ``after`` and where to go on; None when there are no more."""
    calls: QuerySet[Any] = (
        Call.objects.filter(Q(ended__isnull=True) | Q(ended__gt=begin), started__lt=end, merged_into="")
        .exclude(disposition="merged")
        .order_by("started", "pk")
        .prefetch_related(Prefetch("legs", queryset=Leg.objects.order_by("pk")))
    )
    if after is None:
        calls = calls.filter(started__gte=begin - LONGEST_CALL)
    else:
        started, number = after
        calls = calls.filter(Q(started__gt=started) | Q(started=started, pk__gt=number), started__gte=started)
    rows = list(calls[:AT_ONCE])
    found = (_handled(row) for row in rows)
    wanted = [call for call in found if any(_touches(span, begin, end) for span in call.intervals)]
    return wanted, (rows[-1].started, rows[-1].pk) if len(rows) == AT_ONCE else None


def _handled(call: Any) -> HandledCall:
    spans = (span for leg in call.legs.all() for span in _spans(leg, call))
    kind: CallKind = "internal" if call.direction == "internal" else "handled"
    return HandledCall(call.key, kind, tuple(united(spans)))


def _spans(leg: Any, call: Any) -> Iterator[Span]:
    """Talk and hold of one manager. An interval nobody saw the end of lasts to the leg's, else the call's end."""
    close = leg.ended or call.ended
    for begin, until in (*leg.talk, *leg.hold):
        yield _moment(begin), close if until is None else _moment(until)


def united(spans: Iterable[Span]) -> list[Span]:
    """Disjoint, ordered spans over the same moments; what has no length is nothing, what has no end goes on."""
    merged: list[Span] = []
    for begin, until in sorted(spans, key=lambda span: span[0]):
        if until is not None and until <= begin:
            continue
        last = merged[-1] if merged else None
        if last is None or (last[1] is not None and begin > last[1]):
            merged.append((begin, until))
        elif last[1] is not None:
            merged[-1] = (last[0], None if until is None else max(last[1], until))
    return merged


def _touches(span: Span, begin: datetime, end: datetime) -> bool:
    return span[0] < end and (span[1] is None or span[1] > begin)


def _moment(epoch: float) -> datetime:
    """To the microsecond: that is what a float of this century still tells apart."""
    return datetime.fromtimestamp(epoch, UTC)
