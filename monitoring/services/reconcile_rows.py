"""Stored calls and visits beside what the PBX's log says of the same: which were heard whole, and what differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from django.db.models import Q

from monitoring.domain.facts import CallFact, VisitFact
from monitoring.domain.intervals import total
from monitoring.models.calls import Call, QueueVisit
from monitoring.services.after import AFTER
from monitoring.services.stored import Stored

NEAR: Final = 0.1
"""Seconds that two accounts of one moment may differ before anybody is told of it."""
SAME_VISIT: Final = 2.5
"""Seconds: a visit met by a snapshot knows when it began only by its age in whole seconds."""

Families = Mapping[str, frozenset[str]]


def stored_calls(pbx: str, families: Families, calls: Iterable[str]) -> dict[str, Call]:
    keys = {*calls, *(f"{pbx}:{uniqueid}" for uniqueid in families)}
    found = Call.objects.filter(key__in=keys).prefetch_related("legs", "steps")
    return {call.key: call for call in found}


def stored_visits(pbx: str, families: Families, calls: Iterable[str]) -> list[QueueVisit]:
    return list(
        QueueVisit.objects.filter(
            Q(uniqueid__in=list(families)) | Q(call_key__in=list(calls)), pbx=pbx
        ).order_by("joined", "pk")
    )


def heard_whole(call: Call, span: tuple[float, float]) -> bool:
    """Whether the collector heard it from beginning to end: then its word is as good as the log's."""
    if call.ended is None or call.reconciled or call.disposition == "interrupted":
        return False
    begin, end = span
    return call.ended.timestamp() <= begin or call.started.timestamp() >= end


def differences(
    call: Call, fact: CallFact, stored: Sequence[QueueVisit], told: Sequence[VisitFact]
) -> dict[str, object]:
    """Field → [as stored, as the log has it]; times in epoch seconds, durations in seconds."""
    legs = list(call.legs.all())
    pairs: dict[str, tuple[object, object]] = {
        "started": (_at(call.started), fact.started),
        "answered": (_at(call.answered), fact.answered),
        "ended": (_at(call.ended), fact.ended),
        "disposition": (call.disposition, fact.disposition),
        "direction": (call.direction, fact.direction),
        "line": (call.line, fact.line),
        "hung_up_by": (call.hung_up_by, fact.hung_up_by),
        "talk": (sum(leg.talk_seconds for leg in legs), sum(_closed(leg.talk) for leg in fact.legs)),
        "hold": (sum(leg.hold_seconds for leg in legs), sum(_closed(leg.hold) for leg in fact.legs)),
        "people": (
            sorted(f"{leg.manager_name} {leg.outcome}" for leg in legs),
            sorted(f"{leg.manager} {leg.outcome}" for leg in fact.legs),
        ),
        "queues": (_visits_of_rows(stored), _visits_of_facts(told)),
        "route": (_kinds(call), [step.kind for step in fact.steps]),
    }
    return {name: [before, after] for name, (before, after) in pairs.items() if not _same(before, after)}


def fit_visits(
    told: Sequence[VisitFact], stored: Sequence[QueueVisit]
) -> tuple[list[VisitFact], list[float]]:
    """Visits as the log has them, made to replace the rows that stand for the same ones; rows of none are deleted.

    Returns the facts to store and the moments at which replaced rows had been booked.
    """
    left, facts, moments = list(stored), [], []
    for visit in told:
        twin = min(
            (
                row
                for row in left
                if (row.uniqueid, row.queue_name) == (visit.uniqueid, visit.queue)
                and abs(row.joined.timestamp() - visit.joined) <= SAME_VISIT
            ),
            key=lambda row: abs(row.joined.timestamp() - visit.joined),
            default=None,
        )
        if twin is None:
            facts.append(visit._replace(position=0))
            continue
        left.remove(twin)
        moments += [twin.left.timestamp()] if twin.left is not None else []
        joined = datetime.fromtimestamp(visit.joined, UTC)
        # The row stays, with the groups of then; only what happened is told anew.
        QueueVisit.objects.filter(pk=twin.pk).update(joined=joined, left=None, outcome="open")
        facts.append(
            visit._replace(
                position=twin.position, answer_within=twin.answer_within, short_abandon=twin.short_abandon
            )
        )
    moments += [row.left.timestamp() for row in left if row.left is not None]
    QueueVisit.objects.filter(pk__in=[row.pk for row in left]).delete()
    return facts, moments


def absorbed(call: Call, *, by: str) -> CallFact:
    """A row that a collector which came late made of a part of the call ``by``: no call of its own."""
    ended = call.ended or call.started
    return CallFact(
        call.key, call.direction, call.number, call.name, call.line, call.started.timestamp(), None,
        ended.timestamp(), "merged", call.hung_up_by, (), (), by, call.revision + 0.5, True,
    )  # fmt: skip


def tell_moments(pbx: str, moments: Sequence[float]) -> None:
    """Figures of the times at which replaced rows had been booked are to be counted anew."""
    if moments:
        for hook in AFTER:
            hook(Stored(pbx, [], moments=sorted(moments)))


def _visits_of_rows(rows: Sequence[QueueVisit]) -> list[list[object]]:
    return [
        [row.queue_name, row.outcome, row.manager_name, round(row.wait, 1)]
        for row in sorted(rows, key=lambda row: row.joined)
    ]


def _visits_of_facts(facts: Sequence[VisitFact]) -> list[list[object]]:
    return [
        [fact.queue, fact.outcome, fact.manager, round(fact.wait, 1)]
        for fact in sorted(facts, key=lambda fact: fact.joined)
    ]


def _kinds(call: Call) -> list[str]:
    return [step.kind for step in sorted(call.steps.all(), key=lambda step: step.position)]


def _same(before: object, after: object) -> bool:
    if isinstance(before, float) and isinstance(after, float):
        return abs(before - after) <= NEAR
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(_same(a, b) for a, b in zip(before, after, strict=True))
    return before == after


def _at(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment is not None else None


def _closed(spans: Iterable[tuple[float, float | None]]) -> float:
    return total((start, end) for start, end in spans if end is not None)
