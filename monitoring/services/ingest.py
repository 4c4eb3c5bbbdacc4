"""Facts become rows, the same rows however often, in whatever order and by however many collectors they are
told.

Call it inside ``tenants.scope.company_scope``; one call is one transaction. Everything the PBX said is cut to
visible characters of bounded length on the way in: a caller chooses own name and number.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from monitoring.domain.events import StatusDeclared
from monitoring.domain.facts import CallFact, Fact, Interval, LegFact, ListenFact, PauseFact, VisitFact
from monitoring.domain.intervals import total
from monitoring.models.audit import AuditEntry, Outcome
from monitoring.models.phones import customer_of
from monitoring.models.text import visible
from monitoring.selectors.policy import policy
from monitoring.services import ingest_sql as sql
from monitoring.services import statuses
from monitoring.services.after import AFTER
from monitoring.services.staging import CALLS, LEGS, STEPS, VISITS
from monitoring.services.stored import Stored

_YEAR_2200 = 7_258_118_400.0
_SETTLED_RANK = {"open": 0, "interrupted": 1}


def store(pbx: str, facts: Sequence[Fact]) -> list[StatusDeclared]:
    """Upsert ``facts`` of one PBX. Returns the statuses that pauses made on phones have declared.

    Raises django.db.OperationalError while the database is away, DataError or ValueError for a fact no row
    can hold (nothing of the batch is stored then).
    """
    calls = _latest_calls(fact for fact in facts if isinstance(fact, CallFact))
    visits = _settled_visits(fact for fact in facts if isinstance(fact, VisitFact))
    pauses = sorted((fact for fact in facts if isinstance(fact, PauseFact)), key=lambda pause: pause.at)
    listens = {_listen_key(fact): fact for fact in facts if isinstance(fact, ListenFact)}
    with transaction.atomic():
        call_ids = _store_calls(pbx, calls) if calls else []
        if visits:
            _store_visits(pbx, visits)
        _store_listens(listens)
        declared = (
            statuses.from_phone(
                manager=pause.manager, paused=pause.paused, reason=visible(pause.reason, 80), at=pause.at
            )
            for pause in pauses
        )
        events = [event for event in declared if event is not None]
        if calls or visits:
            _tell(Stored(pbx, call_ids, calls, visits))
        return events


def _tell(stored: Stored) -> None:
    for hook in AFTER:
        hook(stored)


def close_interrupted(pbx: str, before: float, alive: Collection[str] = ()) -> int:
    """Close calls and visits begun before ``before`` (epoch seconds) that the PBX no longer has.

    ``alive``: keys of the calls it still has. Returns how many calls were closed.
    """
    values: dict[str, Any] = {"pbx": pbx, "before": before, "alive": sorted(alive)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.CLOSE_VISITS, values)
        visits_left = [float(at) for (at,) in cursor.fetchall()]
        cursor.execute(sql.CLOSE_CALLS, values)
        closed = cursor.fetchall()
        if closed or visits_left:
            moments = {*visits_left, *(float(ended) for _pk, ended in closed)}
            _tell(Stored(pbx, [pk for pk, _ended in closed], moments=sorted(moments)))
    return len(closed)


def _latest_calls(facts: Iterable[CallFact]) -> list[CallFact]:
    """One fact a call: ON CONFLICT may not touch a row twice in one statement."""
    latest: dict[str, CallFact] = {}
    for fact in facts:
        key = visible(fact.key, 120)
        known = latest.get(key)
        if known is None or _rank_of_call(fact) >= _rank_of_call(known):
            latest[key] = fact
    return list(latest.values())


def _rank_of_call(fact: CallFact) -> tuple[float, bool]:
    return fact.revision, fact.ended is not None


def _settled_visits(facts: Iterable[VisitFact]) -> list[VisitFact]:
    settled: dict[tuple[str, str, float], VisitFact] = {}
    for fact in facts:
        # PostgreSQL keeps microseconds: two joins closer than that are one key there, so they are one here.
        key = (visible(fact.uniqueid, 80), visible(fact.queue, 80), round(fact.joined, 6))
        known = settled.get(key)
        if known is None or _rank_of_visit(fact) >= _rank_of_visit(known):
            settled[key] = fact
    return list(settled.values())


def _rank_of_visit(fact: VisitFact) -> tuple[int, float]:
    return _SETTLED_RANK.get(fact.outcome, 2), fact.left if fact.left is not None else float("-inf")


def _store_calls(pbx: str, calls: Sequence[CallFact]) -> list[int]:
    """Returns the ids of the rows that are new or changed."""
    legs = [row for call in calls for row in _leg_rows(call)]
    steps = [row for call in calls for row in _step_rows(call)]
    region = policy().region
    with connection.cursor() as cursor:
        CALLS.fill(cursor, (_call_row(pbx, call, region) for call in calls))
        cursor.execute(sql.MAKE_TOLD)
        cursor.execute(sql.UPSERT_CALLS)
        cursor.execute(sql.DROP_PARTS)
        if legs:
            LEGS.fill(cursor, legs)
            cursor.execute(sql.INSERT_LEGS)
        if steps:
            STEPS.fill(cursor, steps)
            cursor.execute(sql.INSERT_STEPS)
        cursor.execute(sql.TOLD_IDS)
        return [pk for (pk,) in cursor.fetchall()]


def _call_row(pbx: str, call: CallFact, region: str) -> tuple[Any, ...]:
    return (
        visible(call.key, 120),
        pbx,
        visible(call.direction, 8),
        visible(call.number, 80),
        visible(call.name, 120),
        visible(call.line, 80),
        _when(call.started),
        _when(call.answered),
        _when(call.ended),
        visible(call.disposition, 12),
        visible(call.hung_up_by, 40),
        visible(call.merged_into or "", 120),
        call.revision,
        call.reconciled,
        customer_of(visible(call.number, 80), region),
    )


def _leg_rows(call: CallFact) -> Iterator[tuple[Any, ...]]:
    key = visible(call.key, 120)
    for leg in call.legs:
        yield (
            key,
            visible(leg.uniqueid, 80),
            visible(leg.manager, 80),
            visible(leg.queue, 80),
            _when(leg.rang),
            _when(leg.answered),
            _when(leg.ended),
            visible(leg.outcome, 16),
            leg.available,
            leg.origin,
            *_times(leg),
        )


def _times(leg: LegFact) -> tuple[str, str, float, float]:
    return json.dumps(leg.talk), json.dumps(leg.hold), _closed_seconds(leg.talk), _closed_seconds(leg.hold)


def _closed_seconds(spans: Iterable[Interval]) -> float:
    return total((start, end) for start, end in spans if end is not None)


def _step_rows(call: CallFact) -> Iterator[tuple[Any, ...]]:
    key = visible(call.key, 120)
    for position, step in enumerate(call.steps):
        yield (
            key,
            position,
            visible(step.kind, 12),
            visible(step.what, 80),
            _when(step.at),
            _when(step.until),
            visible(step.note, 120),
        )


def _store_visits(pbx: str, visits: Sequence[VisitFact]) -> None:
    with connection.cursor() as cursor:
        VISITS.fill(
            cursor,
            (
                (
                    pbx,
                    visible(visit.uniqueid, 80),
                    visible(visit.call, 120),
                    visible(visit.queue, 80),
                    _when(visit.joined),
                    _when(visit.left),
                    visible(visit.outcome, 12),
                    visible(visit.reason, 40),
                    visible(visit.manager, 80),
                    visit.wait,
                    visit.position,
                    visit.answer_within,
                    visit.short_abandon,
                )
                for visit in visits
            ),
        )
        cursor.execute(sql.UPSERT_VISITS)


def _listen_key(fact: ListenFact) -> str:
    return f"listen:{visible(fact.call, 110)}:{visible(fact.spyer, 80)}:{fact.at:.3f}"


def _store_listens(listens: dict[str, ListenFact]) -> None:
    """Who listened to whom is kept for the audit, told at its start and again at its end."""
    for key, fact in sorted(listens.items()):
        entry, made = AuditEntry.objects.get_or_create(
            key=key,
            defaults={
                "at": _moment(fact.at),
                "until": _moment(fact.until) if fact.until is not None else None,
                "who": visible(fact.spyer, 120),
                "verb": "listen",
                "kind": "call",
                "what": visible(fact.call, 160),
                "outcome": Outcome.DONE,
                "details": {"mode": visible(fact.mode, 12), "manager": visible(fact.manager, 80)},
            },
        )
        if not made and fact.until is not None:
            # The mode changes while listening (whisper, join): the last one told with the end stands.
            AuditEntry.objects.filter(pk=entry.pk, until__isnull=True).update(
                until=_moment(fact.until), details={**entry.details, "mode": visible(fact.mode, 12)}
            )


def _when(at: float | None) -> float | None:
    """``at`` itself; ValueError for a moment no calendar has: PostgreSQL would take infinity, a reader could
    not."""
    if at is not None and not 0 <= at < _YEAR_2200:
        raise ValueError(f"{at!r} is no moment a call can have")
    return at


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
