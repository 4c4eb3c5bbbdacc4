"""Facts become rows, the same rows however often, in whatever order and by however many collectors they are
told.

Call it inside ``tenants.scope.company_scope``; one call is one transaction. Everything the PBX said is cut to
visible characters of bounded length on the way in: a caller chooses own name and number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from monitoring.domain.events import StatusDeclared
from monitoring.domain.facts import AutoFact, BlindFact, CallFact, Fact, ListenFact, PauseFact, VisitFact
from monitoring.models.audit import AuditEntry, Outcome
from monitoring.models.text import visible
from monitoring.selectors.policy import policy
from monitoring.services import blindness, statuses, whose
from monitoring.services import ingest_rows as rows
from monitoring.services import ingest_sql as sql
from monitoring.services.after import AFTER
from monitoring.services.staging import AUTOS, CALLS, LEGS, STEPS, VISITS
from monitoring.services.stored import Stored

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
    autos = _settled_autos(fact for fact in facts if isinstance(fact, AutoFact))
    with transaction.atomic():
        _alone(pbx)
        written = _store_calls(pbx, calls) if calls else _Written([], set(), set())
        if visits:
            _store_visits(pbx, visits)
        merged = {rows.key_of(call.key) for call in calls if call.merged_into}
        _settle({*written.awaited, *(rows.key_of(visit.call) for visit in visits)}, merged)
        if autos:
            _store_autos(autos)
        _store_listens(listens)
        blindness.keep(pbx, [fact for fact in facts if isinstance(fact, BlindFact)])
        declared = (
            statuses.from_phone(
                manager=pause.manager, paused=pause.paused, reason=visible(pause.reason, 80), at=pause.at
            )
            for pause in pauses
        )
        events = [event for event in declared if event is not None]
        if calls or visits or autos:
            _tell(Stored(pbx, written.call_ids, calls, visits, autos, sorted(written.moments)))
        return events


class _Written(NamedTuple):
    """``awaited``: keys of new calls whose visits may have been told before. ``moments``: see ``Stored``."""

    call_ids: list[int]
    awaited: set[str]
    moments: set[float]


def _alone(pbx: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.ALONE, [pbx])


def _settled_autos(facts: Iterable[AutoFact]) -> list[AutoFact]:
    """One fact an interval: its end, if any of them says one; of two ends the earlier."""
    settled: dict[tuple[str, str, float], AutoFact] = {}
    for fact in facts:
        key = (fact.manager, fact.kind, round(fact.started, 6))
        known = settled.get(key)
        if known is None or known.ended is None or (fact.ended is not None and fact.ended < known.ended):
            settled[key] = fact
    return list(settled.values())


def _tell(stored: Stored) -> None:
    for hook in AFTER:
        hook(stored)


def close_interrupted(pbx: str, before: float, alive: Collection[str] = ()) -> int:
    """Close calls and visits begun before ``before`` (epoch seconds) that the PBX no longer has.

    ``alive``: keys of the calls it still has. Returns how many calls were closed.
    """
    values: dict[str, Any] = {"pbx": pbx, "before": before, "alive": sorted(alive)}
    with transaction.atomic(), connection.cursor() as cursor:
        _alone(pbx)
        cursor.execute(sql.CLOSE_VISITS, values)
        visits_left = cursor.fetchall()
        _settle({key for _left, key in visits_left})
        cursor.execute(sql.CLOSE_CALLS, values)
        closed = cursor.fetchall()
        if closed or visits_left:
            moments = {at for at, _key in visits_left} | {at for _pk, at in closed}
            _tell(Stored(pbx, [pk for pk, _ended in closed], moments=sorted(moments)))
    return len(closed)


def _latest_calls(facts: Iterable[CallFact]) -> list[CallFact]:
    """One fact a call: ON CONFLICT may not touch a row twice in one statement."""
    latest: dict[str, CallFact] = {}
    for fact in facts:
        key = rows.key_of(fact.key)
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


def _store_calls(pbx: str, calls: Sequence[CallFact]) -> _Written:
    names = {rows.name_of(leg.manager) for call in calls for leg in call.legs}
    people, lines = whose.managers(names), whose.lines({visible(call.line, 80) for call in calls})
    legs = [row for call in calls for row in rows.leg_rows(call, people=people)]
    steps = [row for call in calls for row in rows.step_rows(call)]
    region = policy().region
    with connection.cursor() as cursor:
        CALLS.fill(
            cursor, (rows.call_row(pbx, call, region=region, people=people, lines=lines) for call in calls)
        )
        cursor.execute(sql.MAKE_TOLD)
        cursor.execute(sql.UPSERT_CALLS)
        told = cursor.fetchall()
        fresh = {key for _pk, key, is_fresh, _was in told if is_fresh}
        moments = {was for _pk, _key, _fresh, was in told if was is not None}
        known = len(fresh) < len(told)
        if known:
            cursor.execute(sql.DROP_LEGS)
            moments.update(booked for (booked,) in cursor.fetchall() if booked is not None)
            cursor.execute(sql.DROP_STEPS)
        if legs:
            LEGS.fill(cursor, legs)
            if known:
                cursor.execute(sql.KEEP_PEOPLE)
            cursor.execute(sql.INSERT_LEGS)
            if known:
                cursor.execute(sql.ADD_GROUPS_OF_LEGS)
            if len(told) < len(calls):
                cursor.execute(sql.ADD_GROUPS_OF_EARLIER)
        if steps:
            STEPS.fill(cursor, steps)
            cursor.execute(sql.INSERT_STEPS)
    queued = {rows.key_of(call.key) for call in calls if any(step.kind == "queue" for step in call.steps)}
    return _Written([pk for pk, *_ in told], fresh & queued, moments)


def _store_visits(pbx: str, visits: Sequence[VisitFact]) -> None:
    queues = whose.queues({visible(visit.queue, 80) for visit in visits})
    with connection.cursor() as cursor:
        VISITS.fill(cursor, (rows.visit_row(pbx, visit, queues=queues) for visit in visits))
        cursor.execute(sql.UPSERT_VISITS)


def _settle(keys: Collection[str], merged: Collection[str] = ()) -> None:
    """Give the calls of ``keys`` what their visits say and these what their calls say; ``merged`` hand theirs
    over."""
    settled, giving = set(keys), {*keys, *merged}
    with connection.cursor() as cursor:
        while giving:
            cursor.execute(sql.HAND_OVER, {"keys": sorted(giving)})
            giving = {key for (key,) in cursor.fetchall()} - settled
            settled |= giving
        if settled:
            cursor.execute(sql.SETTLE_CALLS, {"keys": sorted(settled)})
            cursor.execute(sql.SETTLE_VISITS, {"keys": sorted(settled)})


def _store_autos(autos: Sequence[AutoFact]) -> None:
    names = {rows.name_of(fact.manager) for fact in autos}
    people = {**whose.gone_managers(names), **whose.managers(names)}
    told = {
        (known.pk, fact.kind, round(fact.started, 6)): rows.auto_row(fact, known)
        for fact in autos
        if (known := people.get(rows.name_of(fact.manager))) is not None
    }
    if told:
        with connection.cursor() as cursor:
            AUTOS.fill(cursor, told.values())
            cursor.execute(sql.UPSERT_AUTOS)
            cursor.execute(sql.END_FORGOTTEN_AUTOS)
            cursor.execute(sql.BOOK_WRAP_UPS)


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


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
