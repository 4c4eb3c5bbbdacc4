"""From what was agreed and what was measured to the lines of an invoice. The same input gives the same lines.

A month is cut where the service, the plan or the price changes; each segment is counted for itself and pays its
local days over the days of the month. VAT and rounding are per line, totals are sums of lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from billing.domain.metering import Measured, Meter
from billing.domain.money import ZERO
from billing.domain.periods import Period, month_of
from billing.domain.pricing import Charge, ChargeKind, Fee, PerConcurrency, PerProfile, Terms
from billing.domain.vat import Taxed, VatMode, VatRates, taxed

Model = PerProfile | PerConcurrency


@dataclass(frozen=True, slots=True)
class Phase:
    """One plan of a subscription over local days [``start``, ``end``); ``end`` None: it goes on.

    ``prices``: (first day, model), the price in force is the last whose day has come; the first one holds before
    its day too. ``connected_on``: when the plan was first connected, if earlier than ``start`` (Fee.ONCE).
    """

    start: date
    end: date | None
    prices: Sequence[tuple[date, Model]]
    agreed: Decimal | None = None
    vat: VatMode = VatMode.INCLUDED
    paid_further: int = 0
    connected_on: date | None = None

    def model_on(self, day: date) -> Model:
        known = sorted(self.prices, key=lambda price: price[0])
        held = [model for since, model in known if since <= day]
        return held[-1] if held else known[0][1]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the month in which nothing agreed changes. ``phase``: the first of those it lies in."""

    part: Period
    model: Model
    phase: Phase
    connected: bool

    @property
    def agreed(self) -> tuple[Model, Decimal | None, VatMode]:
        """All that decides the price of what is measured: two segments alike in it are one."""
        above_tiers = self.phase.agreed if isinstance(self.model, PerConcurrency) else None
        return self.model, above_tiers, self.phase.vat


class State(StrEnum):
    READY = "ready"
    NEEDS_APPROVAL = "needs_approval"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: of which days, what was charged for, and the money; no money while a price is to be agreed.

    ``share``: the part of the month that is paid, 1 for a whole one or for what is never divided.
    """

    part: Period
    charge: Charge
    measured: Measured
    plan: str
    share: Fraction
    money: Taxed | None


@dataclass(frozen=True, slots=True)
class Counted:
    """What was measured in a segment, whether or not it made a line."""

    part: Period
    plan: str
    measured: Measured


@dataclass(frozen=True, slots=True)
class Bill:
    """``total`` and ``vat`` are sums of the lines, None while a line waits for its price."""

    lines: tuple[Line, ...]
    state: State
    total: Decimal | None
    vat: Decimal | None
    counted: tuple[Counted, ...] = ()

    @property
    def peak(self) -> Measured | None:
        """The largest quantity measured; of tiers where there are any, for they are what a peak decides."""
        measured = [each.measured for each in self.counted if each.plan == PerConcurrency.name] or [
            each.measured for each in self.counted
        ]
        return max(measured, key=lambda found: found.quantity, default=None)


def rate(period: Period, phases: Sequence[Phase], meter: Meter, rates: VatRates) -> Bill:
    """``period``: a calendar month as a rule. Raises vat.NoRate."""
    priced = list(_priced(segments(period, phases), meter))
    lines = tuple(
        _line(segment, measured, charge, rates) for segment, measured, charges in priced for charge in charges
    )
    counted = tuple(Counted(segment.part, segment.model.name, measured) for segment, measured, _ in priced)
    money = [line.money for line in lines if line.money is not None]
    if len(money) < len(lines):
        return Bill(lines, State.NEEDS_APPROVAL, None, None, counted)
    total, vat = sum((m.amount for m in money), ZERO), sum((m.vat for m in money), ZERO)
    return Bill(lines, State.READY, total, vat, counted)


def further_paid(before: Period, phases: Sequence[Phase], meter: Meter) -> int:
    """Phase.paid_further after ``before``: the further profiles whose connection it charged (Fee.ONCE)."""
    return max(
        (_paid_after(segment, charges) for segment, _, charges in _priced(segments(before, phases), meter)),
        default=0,
    )


def segments(period: Period, phases: Sequence[Phase]) -> list[Segment]:
    """In order of time. Neighbours that agree in everything are one: a date at which nothing changes cuts nothing."""
    cuts = [cut for phase in sorted(phases, key=lambda p: p.start) for cut in _of_phase(period, phase)]
    whole: list[Segment] = []
    for cut in sorted(cuts, key=lambda c: c.part.start):
        for place, before in enumerate(whole):
            if before.part.end == cut.part.start and before.agreed == cut.agreed and _same_month(before, cut):
                part = Period(before.part.start, cut.part.end, cut.part.zone)
                whole[place] = replace(before, part=part)
                break
        else:
            whole.append(cut)
    return whole


def _same_month(one: Segment, other: Segment) -> bool:
    return one.part.start.replace(day=1) == other.part.start.replace(day=1)


def _of_phase(period: Period, phase: Phase) -> Iterator[Segment]:
    inside = period.part(phase.start, phase.end)
    if inside is None:
        return
    months: list[Period] = []
    while not months or months[-1].end < inside.end:
        begin = months[-1].end if months else inside.start
        month = month_of(begin, inside.zone).part(inside.start, inside.end)
        assert month is not None
        months.append(month)
    for month in months:
        yield from _of_month(month, phase)


def _of_month(inside: Period, phase: Phase) -> Iterator[Segment]:
    days = {inside.start, *(day for day, _ in phase.prices if inside.start < day < inside.end)}
    cuts: list[tuple[date, Model]] = []
    for day in sorted(days):
        model = phase.model_on(day)
        if not cuts or cuts[-1][1] != model:
            cuts.append((day, model))
    ends = [day for day, _ in cuts[1:]] + [inside.end]
    for (start, model), end in zip(cuts, ends, strict=True):
        connected = start == (phase.connected_on or phase.start)
        yield Segment(Period(start, end, inside.zone), model, phase, connected)


def _priced(cuts: Sequence[Segment], meter: Meter) -> Iterator[tuple[Segment, Measured, list[Charge]]]:
    """Each segment, what was measured in it and what that is charged. What was paid once is not charged again."""
    paid = 0
    for segment in cuts:
        phase = replace(segment.phase, paid_further=max(segment.phase.paid_further, paid))
        known = replace(segment, phase=phase)
        model, part = segment.model, segment.part
        measured = meter.measure(model.measure, part, internal=model.internal)
        days = month_of(part.start, part.zone).days
        charges = model.charges(
            measured, Terms(segment.connected, phase.paid_further, phase.agreed, days_in_month=days)
        )
        yield known, measured, charges
        paid = max(paid, _paid_after(known, charges))


def _paid_after(segment: Segment, charges: Sequence[Charge]) -> int:
    """Further profiles whose connection is paid for after ``segment``; none where they are paid monthly."""
    if not isinstance(segment.model, PerProfile) or segment.model.fee is not Fee.ONCE:
        return 0
    charged = sum(charge.quantity for charge in charges if charge.kind is ChargeKind.FURTHER)
    return segment.phase.paid_further + charged


def _line(segment: Segment, measured: Measured, charge: Charge, rates: VatRates) -> Line:
    part = segment.part
    month = month_of(part.start, part.zone)
    share = Fraction(part.days, month.days) if charge.prorated else Fraction(1)
    money = None
    if charge.price is not None:
        # The date of supply of a service that goes on is the last day it is billed for.
        money = taxed(charge.price * share, mode=segment.phase.vat, rates=rates, supplied=part.last)
    return Line(part, charge, measured, segment.model.name, share, money)
