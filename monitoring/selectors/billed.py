"""What companies are billed by, as it happened: times profiles were on, times calls were handled.

Facts only; what they mean for a tariff (clipping, peaks, kinds left out) is billing's thought.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.db import connection
from django.db.models import Prefetch, Q, QuerySet

from monitoring.contracts import Busiest, BusyPart, CallShown, CallsMark, HandledCall, ProfileActive
from monitoring.models.calls import Call, Leg
from monitoring.models.profiles import ProfileActivity
from monitoring.models.retention import Cleaning, Kind
from monitoring.selectors import billed_sql
from monitoring.selectors.policy import LONGEST_CALL, calls_kept_since

Place = tuple[datetime, int]
Span = tuple[datetime, datetime | None]
CallKind = Literal["handled", "internal"]
AT_ONCE = 2_000
MOST_KEYS = 500
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


def busiest(begin: datetime, end: datetime, *, internal: bool) -> Busiest:
    """The peak of [``begin``, ``end``), swept inside PostgreSQL: what ``handled_calls`` would give, without them."""
    rows = _swept(billed_sql.PEAK, begin, end, internal=internal, keys=MOST_KEYS)
    if not rows:
        return Busiest(0, None, ())
    at, count, keys = rows[0]
    return Busiest(int(count), _EPOCH + at * _MICROSECOND, tuple(keys))


def busy_over_time(begin: datetime, end: datetime, *, parts: int, internal: bool) -> list[BusyPart]:
    """[``begin``, ``end``) cut into ``parts`` of one length, to the microsecond; the most in each."""
    first, whole = _micros(begin), _micros(end) - _micros(begin)
    if not 0 < parts <= whole:
        raise ValueError("A period has as many parts as microseconds at most, and at least one.")
    begins = [first + whole * n // parts for n in range(parts)]
    most = dict(_swept(billed_sql.OVER_TIME, begin, end, internal=internal, parts=begins))
    return [BusyPart(_EPOCH + at * _MICROSECOND, int(most.get(n, 0))) for n, at in enumerate(begins, 1)]


def handling_managers(begin: datetime, end: datetime, *, internal: bool) -> tuple[str, ...]:
    """Who talked with a customer within [``begin``, ``end``), each person once, by today's name on the PBX.

    A name that was handed on to somebody else stands for two people: the second gets its row's number behind it.
    """
    people: dict[str, set[int]] = {}
    for manager, name in _swept(billed_sql.HANDLERS, begin, end, internal=internal):
        people.setdefault(name, set()).update(() if manager is None else (manager,))
    return tuple(
        sorted(
            name if not place else f"{name}#{row}"
            for name, rows in people.items()
            for place, row in enumerate(sorted(rows) or [0])
        )
    )


def calls_mark(begin: datetime, end: datetime, *, now: datetime) -> CallsMark:
    """The state of [``begin``, ``end``)'s handled calls, internal ones too; ``now``: for the rule of removal."""
    [(calls, still_open, seconds, digest)] = _swept(billed_sql.MARK, begin, end, internal=True)
    removed = [calls_kept_since(now)]
    removed += (
        Cleaning.objects.filter(kind=Kind.CALLS).order_by("-before").values_list("before", flat=True)[:1]
    )
    # A call of the window may have begun before it, and would go earlier.
    whole = max(removed) <= begin - LONGEST_CALL
    return CallsMark(calls, still_open, float(seconds), whole, f"{int(digest) % 2**64:016x}")


def handled_now(*, now: datetime, internal: bool) -> int:
    """In how many calls a manager talks with the customer at this moment, as far as PostgreSQL was told."""
    with connection.cursor() as cursor:
        cursor.execute(billed_sql.NOW, {"sure": now - LONGEST_CALL, "internal": internal})
        return int(cursor.fetchone()[0])


def calls_by_key(keys: Sequence[str]) -> list[CallShown]:
    """Those of ``keys`` that are still there, by their start."""
    calls = Call.objects.filter(key__in=keys[:MOST_KEYS]).order_by("started", "pk")
    legs = Leg.objects.select_related("manager").order_by("rang", "pk")
    return [
        CallShown(
            key=call.key, pk=call.pk, started=call.started, ended=call.ended, customer=call.customer,
            line=call.line, managers=tuple(dict.fromkeys(_person(leg) for leg in call.legs.all() if leg.talk)),
        )
        for call in calls.prefetch_related(Prefetch("legs", queryset=legs))
    ]  # fmt: skip


def _person(leg: Any) -> str:
    return str(leg.manager.title if leg.manager is not None else leg.manager_name)


def _swept(query: str, begin: datetime, end: datetime, **values: Any) -> list[tuple[Any, ...]]:
    if begin >= end:
        return []
    window: dict[str, Any] = {
        "begin": begin, "until": end, "low": _micros(begin), "high": _micros(end), "sure": begin - LONGEST_CALL,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(query, {**window, **values})
        return list(cursor.fetchall())


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
