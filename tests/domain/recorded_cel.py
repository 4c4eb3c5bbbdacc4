"""Call event logs recorded beside the portal's own stream: ``ccenter.lab record --cel --folder tests/cel``."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from monitoring.domain import cel
from monitoring.domain.facts import CallFact, Interval, LegFact, VisitFact
from monitoring.pbx.replay import blocks_of, companies_in, events_of
from tests.domain.streams import Told

FOLDER = Path(__file__).parent.parent / "cel"
NEAR = 0.05  # seconds by which the two accounts of one moment may differ


class Pair(NamedTuple):
    """The same calls as the collector heard them and as Asterisk wrote them down."""

    heard: Told
    read: Told


def names() -> list[str]:
    return sorted(path.name.removesuffix(".cel.csv") for path in FOLDER.glob("*.cel.csv"))


def rows(name: str) -> list[cel.CelRow]:
    with (FOLDER / f"{name}.cel.csv").open(encoding="utf-8", errors="replace", newline="") as file:
        return [_row(values) for values in csv.reader(file)]


def _row(values: list[str]) -> cel.CelRow:
    (
        kind,
        at,
        channel,
        uniqueid,
        linkedid,
        number,
        exten,
        app,
        extra,
        name,
        context,
        data,
        company,
        mark,
        _,
    ) = values
    # The file names a mark where the table says USER_DEFINED.
    kind = "USER_DEFINED" if mark and not kind.startswith("STREAM") else kind
    return cel.CelRow(
        float(at),
        kind,
        uniqueid,
        linkedid,
        company,
        channel,
        number,
        name,
        exten,
        context,
        app,
        data,
        mark,
        extra,
    )


def pair(name: str) -> Pair:
    blocks = blocks_of((FOLDER / f"{name}.filtered.ami").read_bytes())
    whose = companies_in(blocks)
    return Pair(Told(events_of(blocks), whose), Told(cel.events(rows(name)), whose))


def differences(one: Told, other: Told) -> Iterator[str]:
    """What a person would find different in the rows of the two."""
    for key in sorted(one.calls.keys() | other.calls.keys()):
        if key not in one.calls or key not in other.calls:
            yield f"call {key}: {one.calls.get(key)} / {other.calls.get(key)}"
        else:
            yield from (f"call {key}: {text}" for text in _calls_differ(one.calls[key], other.calls[key]))
    yield from _visits_differ(list(one.visits.values()), list(other.visits.values()))


def _calls_differ(one: CallFact, other: CallFact) -> Iterator[str]:
    for name in ("direction", "number", "name", "line", "disposition", "hung_up_by", "merged_into"):
        if getattr(one, name) != getattr(other, name):
            yield f"{name} {getattr(one, name)!r} / {getattr(other, name)!r}"
    for name in ("started", "answered", "ended"):
        if not near(getattr(one, name), getattr(other, name)):
            yield f"{name} {getattr(one, name)} / {getattr(other, name)}"
    legs, others = (sorted(call.legs, key=lambda leg: (leg.uniqueid, leg.rang)) for call in (one, other))
    if [leg.uniqueid for leg in legs] != [leg.uniqueid for leg in others]:
        yield f"legs {[(x.uniqueid, x.manager) for x in legs]} / {[(x.uniqueid, x.manager) for x in others]}"
        return
    for leg, twin in zip(legs, others, strict=True):
        yield from (f"leg {leg.uniqueid} {leg.manager}: {text}" for text in _legs_differ(leg, twin))


def _legs_differ(one: LegFact, other: LegFact) -> Iterator[str]:
    for name in ("manager", "queue", "outcome", "origin"):
        if getattr(one, name) != getattr(other, name):
            yield f"{name} {getattr(one, name)!r} / {getattr(other, name)!r}"
    for name in ("rang", "answered", "ended"):
        if not near(getattr(one, name), getattr(other, name)):
            yield f"{name} {getattr(one, name)} / {getattr(other, name)}"
    for name in ("talk", "hold"):
        if not _spans_near(getattr(one, name), getattr(other, name)):
            yield f"{name} {getattr(one, name)} / {getattr(other, name)}"


def _visits_differ(ones: list[VisitFact], others: list[VisitFact]) -> Iterator[str]:
    left = list(others)
    for visit in ones:
        twin = next(
            (
                x
                for x in left
                if (x.uniqueid, x.queue) == (visit.uniqueid, visit.queue) and near(x.joined, visit.joined)
            ),
            None,
        )
        if twin is None:
            yield f"visit {visit} / None"
            continue
        left.remove(twin)
        for name in ("call", "outcome", "reason", "manager"):
            if getattr(visit, name) != getattr(twin, name):
                yield f"visit {visit.uniqueid} {visit.queue}: {name} {getattr(visit, name)!r} / {getattr(twin, name)!r}"
        if not near(visit.left, twin.left) or not near(visit.wait, twin.wait):
            yield f"visit {visit.uniqueid} {visit.queue}: left {visit.left} / {twin.left}"
    for twin in left:
        yield f"visit None / {twin}"


def _spans_near(ones: tuple[Interval, ...], others: tuple[Interval, ...]) -> bool:
    return len(ones) == len(others) and all(
        near(a, c) and near(b, d) for (a, b), (c, d) in zip(ones, others, strict=True)
    )


def near(one: float | None, other: float | None) -> bool:
    return one == other if one is None or other is None else abs(one - other) <= NEAR
