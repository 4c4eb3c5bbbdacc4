"""A case described in JSON ("what would it cost") as the domain's own words. Reads no database.

The format is in docs/billing.md. Prices and VAT rates a case does not say are those of billing/data/tariffs.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, cast
from zoneinfo import available_timezones

from billing.domain.metering import CallTimes, Facts, Measure
from billing.domain.periods import Period
from billing.domain.pricing import Fee, PerConcurrency, PerProfile
from billing.domain.rating import Phase, further_paid
from billing.domain.spans import Open
from billing.domain.vat import VatMode, VatRates
from billing.selectors.json_reading import Node, Wrong, is_day, parsed
from billing.selectors.terms import BadTerms, Model, read

_TARIFFS = Path(__file__).parents[1] / "data" / "tariffs.json"
_PROFILE_MEASURES = {
    "peak": Measure.PROFILES,
    "distinct": Measure.PROFILES_DISTINCT,
    "prorated_days": Measure.PROFILE_DAYS,
}
_LONGEST = 120  # months


@dataclass(frozen=True, slots=True)
class Case:
    """Everything an invoice follows from."""

    period: Period
    phases: tuple[Phase, ...]
    facts: Facts
    rates: VatRates


@dataclass(frozen=True, slots=True)
class _Taken:
    """One subscription of the case: its plan, its days, where it stands in the file."""

    plan: str
    start: date
    end: date | None
    node: Node
    phases: tuple[Phase, ...]


def read_case(data: bytes, *, name: str) -> Case:
    """``name``: of the file, for what is wrong with the whole of it. Raises Wrong."""
    whole = parsed(data, name=name).fields(
        required=("time_zone", "period", "subscriptions"), optional=("vat", "profiles", "calls")
    )
    zone = _zone(whole["time_zone"])
    mode, rates = _vat(whole.get("vat"))
    period = _period(whole["period"], zone)
    facts = Facts(
        tuple(_profile(node, zone) for node in _listed(whole, "profiles")),
        tuple(_call(node, zone) for node in _listed(whole, "calls")),
    )
    taken = [_subscription(node, mode) for node in whole["subscriptions"].items()]
    _refuse_overlaps(taken)
    # In an order of their own: how a file lists them changes nothing.
    taken.sort(key=lambda each: (each.plan, each.start))
    phases = tuple(_with_history(phase, period, facts) for each in taken for phase in each.phases)
    return Case(period, phases, facts, rates)


def _listed(whole: Mapping[str, Node], key: str) -> list[Node]:
    return whole[key].items() if key in whole else []


def _zone(node: Node) -> str:
    name = node.text()
    if name not in _zones():
        node.wrong("there is no such time zone; one like Europe/Moscow is wanted")
    return name


def _period(node: Node, zone: str) -> Period:
    fields = node.fields(required=("start", "end"))
    start, end = fields["start"].day(), fields["end"].day()
    if end <= start:
        fields["end"].wrong("is not after the start; the end is the first day that does not belong to it")
    if (end.year - start.year) * 12 + end.month - start.month > _LONGEST:
        fields["end"].wrong(f"is more than {_LONGEST} months after the start")
    return Period(start, end, zone)


def _vat(node: Node | None) -> tuple[VatMode, VatRates]:
    known = {date.fromisoformat(rate["from"]): Decimal(rate["percent"]) for rate in _tariffs()["vat"]}
    mode = VatMode.INCLUDED
    if node is not None:
        fields = node.fields(optional=("mode", "rates"))
        if "mode" in fields:
            mode = VatMode(fields["mode"].one_of(*(mode.value for mode in VatMode)))
        if "rates" in fields:
            known |= {day: _percent(rate) for day, rate in _dated(fields["rates"])}
    return mode, VatRates(known.items())


def _percent(node: Node) -> Decimal:
    percent = node.amount()
    if percent > 100:
        node.wrong("a percent from 0 to 100 is wanted")
    return percent


def _profile(node: Node, zone: str) -> tuple[str, Open]:
    fields = node.fields(required=("id", "from"), optional=("to",))
    return fields["id"].text(), _open(fields["from"], fields.get("to"), zone)


def _call(node: Node, zone: str) -> CallTimes:
    fields = node.fields(required=("key", "intervals"), optional=("kind", "managers"))
    kind = fields["kind"].one_of("handled", "internal", "listen") if "kind" in fields else "handled"
    return CallTimes(
        key=fields["key"].text(),
        intervals=tuple(_interval(each, zone) for each in fields["intervals"].items()),
        kind=cast(Any, kind),
        managers=tuple(name.text() for name in _listed(fields, "managers")),
    )


def _interval(node: Node, zone: str) -> Open:
    ends = node.items()
    if len(ends) != 2:
        node.wrong("two times, [start, end], are wanted")
    return _open(ends[0], ends[1], zone)


def _open(start: Node, end: Node | None, zone: str) -> Open:
    begin: datetime = start.moment(zone)
    if end is None or end.is_null:
        return begin, None
    until = end.moment(zone)
    if until < begin:
        end.wrong("is before the start")
    return begin, until


def _subscription(node: Node, mode: VatMode) -> _Taken:
    fields = node.fields(required=("plan", "from"), optional=("to", "prices", "agreed", "profile_measure"))
    plan = fields["plan"].one_of(*_plans())
    start = fields["from"].day()
    end = fields["to"].day() if "to" in fields and not fields["to"].is_null else None
    if end is not None and end <= start:
        fields["to"].wrong("is not after its from; it is the first day without the service")
    prices = _prices(plan, start, fields.get("prices"), fields.get("profile_measure"))
    agreed = _agreed(plan, fields.get("agreed"))
    whole = Phase(start, end, prices, vat=mode)
    return _Taken(plan, start, end, node, tuple(_cut(whole, agreed)))


def _cut(whole: Phase, agreed: Sequence[tuple[date, Decimal | None]]) -> Iterator[Phase]:
    """A phase for each agreed price."""
    held = [price for since, price in agreed if since <= whole.start]
    prices = [(whole.start, held[-1] if held else None)]
    prices += [
        each for each in agreed if whole.start < each[0] and (whole.end is None or each[0] < whole.end)
    ]
    ends = [since for since, _ in prices[1:]] + [whole.end]
    for (since, price), until in zip(prices, ends, strict=True):
        yield replace(whole, start=since, end=until, agreed=price, connected_on=whole.start)


def _prices(
    plan: str, start: date, node: Node | None, measure: Node | None
) -> tuple[tuple[date, Model], ...]:
    """What is in force when the service starts, and from each day the case has another price."""
    versions = _plans()[plan]
    held = [terms for since, terms in versions if since <= start] or [versions[0][1]]
    terms = dict(held[-1])
    if measure is not None and not measure.is_null:
        name = measure.one_of(*_PROFILE_MEASURES)
        if plan == PerProfile.name:
            terms["measure"] = _PROFILE_MEASURES[name].value
    if node is None or node.is_null:
        return ((start, read(plan, terms)),)
    changes = _dated(node) if _has_days(node) else [(date.min, node)]
    prices = [(date.min, read(plan, terms))]
    for day, change in changes:
        terms |= _change(plan, change)
        prices.append((day, _read(plan, terms, change)))
    return tuple(prices)


def _change(plan: str, node: Node) -> Mapping[str, Any]:
    """The terms a price of the case says. A bare amount is the base fee."""
    if plan == PerProfile.name and not isinstance(node.value, dict):
        return {"base": str(node.amount())}
    said = node.entries()
    for tier in said["tiers"].items() if "tiers" in said else []:
        tier.fields(required=("up_to", "price"))
    return {key: each.value for key, each in said.items()}


def _read(plan: str, terms: Mapping[str, Any], node: Node) -> Model:
    try:
        return read(plan, terms)
    except BadTerms as error:
        said = node.entries()
        place = said[error.where].path if error.where in said else f"{node.path}.{error.where}"
        raise Wrong(place, error.why) from error


def _agreed(plan: str, node: Node | None) -> list[tuple[date, Decimal | None]]:
    """By the first day it holds; None: nothing is agreed from then."""
    if node is None or node.is_null:
        return []
    if plan != PerConcurrency.name:
        node.wrong(f"only {PerConcurrency.name} has a price to agree")
    if not isinstance(node.value, dict):
        return [(date.min, node.amount())]
    return [(day, None if price.is_null else price.amount()) for day, price in _dated(node)]


def _dated(node: Node) -> list[tuple[date, Node]]:
    """An object whose keys are dates, in their order."""
    return sorted(
        ((Node(key, each.path, each.file).day(), each) for key, each in node.entries().items()),
        key=lambda pair: pair[0],
    )


def _has_days(node: Node) -> bool:
    return isinstance(node.value, dict) and any(is_day(key) for key in node.value)


def _refuse_overlaps(taken: Sequence[_Taken]) -> None:
    for later, one in enumerate(taken):
        for earlier, other in enumerate(taken[:later]):
            apart = (one.end is not None and one.end <= other.start) or (
                other.end is not None and other.end <= one.start
            )
            if one.plan == other.plan and not apart:
                one.node.wrong(f"shares days with subscriptions[{earlier}], which is of the same plan")


def _with_history(phase: Phase, period: Period, facts: Facts) -> Phase:
    """Where connection is paid once: what was on before the period is paid for already."""
    once = any(isinstance(model, PerProfile) and model.fee is Fee.ONCE for _, model in phase.prices)
    if not once or phase.start >= period.start:
        return phase
    before = Period(phase.start, period.start, period.zone)
    return replace(phase, paid_further=further_paid(before, [phase], facts))


@cache
def _zones() -> frozenset[str]:
    """All but what the machine's own clock is set to: the same file must say the same everywhere."""
    return frozenset(available_timezones() - {"localtime", "posixrules"})


@cache
def _tariffs() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_TARIFFS.read_text("utf-8"))
    return found


@cache
def _plans() -> dict[str, list[tuple[date, dict[str, Any]]]]:
    """Each plan's terms by the first day they hold, in order."""
    return {
        plan["code"]: sorted(
            ((date.fromisoformat(version["from"]), version["terms"]) for version in plan["versions"]),
            key=lambda pair: pair[0],
        )
        for plan in _tariffs()["plans"]
    }
