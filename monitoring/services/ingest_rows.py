"""Facts as rows of the staging tables: cut to visible characters of bounded length, with whose they are.

A caller chooses own name and number, and a PBX its clock: what no row can hold is refused here by ValueError.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from monitoring.domain.facts import AutoFact, CallFact, Interval, LegFact, VisitFact
from monitoring.domain.intervals import total
from monitoring.models.phones import customer_of
from monitoring.models.text import visible
from monitoring.services.whose import UNKNOWN, Known

_YEAR_2200 = 7_258_118_400.0

Named = Mapping[str, Known]


def key_of(call: str) -> str:
    return visible(call, 120)


def call_row(
    pbx: str, call: CallFact, *, region: str, people: Named, lines: Named
) -> tuple[str | float | bool | None, ...]:
    number, line = visible(call.number, 80), visible(call.line, 80)
    groups = set(lines.get(line, UNKNOWN).groups)
    for leg in call.legs:
        groups.update(people.get(name_of(leg.manager), UNKNOWN).groups)
    return (
        key_of(call.key),
        pbx,
        visible(call.direction, 8),
        number,
        visible(call.name, 120),
        line,
        when(call.started),
        when(call.answered),
        when(call.ended),
        visible(call.disposition, 12),
        visible(call.hung_up_by, 40),
        key_of(call.merged_into or ""),
        call.revision,
        call.reconciled,
        customer_of(number, region),
        array(() if call.merged_into else groups),
        sum(closed_seconds(leg.talk) for leg in call.legs),
    )


def leg_rows(call: CallFact, *, people: Named) -> Iterator[tuple[Any, ...]]:
    key = key_of(call.key)
    for leg in call.legs:
        name = name_of(leg.manager)
        known = people.get(name, UNKNOWN)
        yield (
            key,
            visible(leg.uniqueid, 80),
            known.pk,
            name,
            visible(leg.queue, 80),
            when(leg.rang),
            when(leg.answered),
            when(leg.ended),
            visible(leg.outcome, 16),
            leg.available,
            leg.origin,
            *_times(leg),
            array(known.groups),
        )


def _times(leg: LegFact) -> tuple[str, str, float, float]:
    return json.dumps(leg.talk), json.dumps(leg.hold), closed_seconds(leg.talk), closed_seconds(leg.hold)


def closed_seconds(spans: Iterable[Interval]) -> float:
    return total((start, end) for start, end in spans if end is not None)


def step_rows(call: CallFact) -> Iterator[tuple[Any, ...]]:
    key = key_of(call.key)
    for position, step in enumerate(call.steps):
        yield (
            key,
            position,
            visible(step.kind, 12),
            visible(step.what, 80),
            when(step.at),
            when(step.until),
            visible(step.note, 120),
        )


def visit_row(pbx: str, visit: VisitFact, *, queues: Named) -> tuple[Any, ...]:
    name = visible(visit.queue, 80)
    known = queues.get(name, UNKNOWN)
    return (
        pbx,
        visible(visit.uniqueid, 80),
        key_of(visit.call),
        known.pk,
        name,
        when(visit.joined),
        when(visit.left),
        visible(visit.outcome, 12),
        visible(visit.reason, 40),
        visible(visit.manager, 80),
        visit.wait,
        visit.position,
        visit.answer_within,
        visit.short_abandon,
        array(known.groups),
    )


def auto_row(fact: AutoFact, known: Known) -> tuple[Any, ...]:
    ended = fact.ended if fact.ended is None else max(fact.started, fact.ended)
    return (
        known.pk,
        visible(fact.kind, 16),
        when(fact.started),
        when(ended),
        key_of(fact.call),
        array(known.groups),
    )


def name_of(manager: str) -> str:
    return visible(manager, 80)


def array(numbers: Iterable[int]) -> str:
    """As PostgreSQL writes an int4[]."""
    return "{" + ",".join(map(str, sorted(numbers))) + "}"


def when(at: float | None) -> float | None:
    """``at`` itself; ValueError for a moment no calendar has: PostgreSQL would take infinity, a reader could
    not."""
    if at is not None and not 0 <= at < _YEAR_2200:
        raise ValueError(f"{at!r} is no moment a call can have")
    return at
