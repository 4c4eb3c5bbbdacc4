"""From what was agreed and what was measured to the lines of an invoice. The same input gives the same lines.

A month is cut where the service, the plan or the price changes; each segment is counted for itself and pays its
local days over the days of the month. VAT and rounding are per line, totals are sums of lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from billing.domain.metering import Measured, Meter
from billing.domain.money import ZERO
from billing.domain.periods import Period, month_of
from billing.domain.pricing import Charge, ChargeKind, PerConcurrency, PerProfile, Terms
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
    """A part of the month in which nothing agreed changes."""

    part: Period
    model: Model
    phase: Phase
    connected: bool


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
class Bill:
    """``total`` and ``vat`` are sums of the lines, None while a line waits for its price."""

    lines: tuple[Line, ...]
    state: State
    total: Decimal | None
    vat: Decimal | None

    @property
    def peak(self) -> Measured | None:
        """The largest quantity measured; of tiers where there are any, for they are what a peak decides."""
        measured = [line.measured for line in self.lines if line.plan == PerConcurrency.name] or [
            line.measured for line in self.lines
        ]
        return max(measured, key=lambda found: found.quantity, default=None)


def rate(period: Period, phases: Sequence[Phase], meter: Meter, rates: VatRates) -> Bill:
    """``period``: a calendar month as a rule. Raises vat.NoRate."""
    lines = tuple(line for segment in segments(period, phases) for line in _lines(segment, meter, rates))
    if any(line.money is None for line in lines):
        return Bill(lines, State.NEEDS_APPROVAL, None, None)
    money = [line.money for line in lines if line.money is not None]
    return Bill(lines, State.READY, sum((m.amount for m in money), ZERO), sum((m.vat for m in money), ZERO))


def segments(period: Period, phases: Sequence[Phase]) -> list[Segment]:
    """In order of time. Neighbours that agree in everything are one: a date at which nothing changes cuts nothing."""
    return [cut for phase in sorted(phases, key=lambda p: p.start) for cut in _of_phase(period, phase)]


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


def _lines(segment: Segment, meter: Meter, rates: VatRates) -> Iterator[Line]:
    model, part = segment.model, segment.part
    month = month_of(part.start, part.zone)
    measured = meter.measure(model.measure, part, internal=model.internal)
    terms = Terms(segment.connected, segment.phase.paid_further, segment.phase.agreed, month.days)
    for charge in model.charges(measured, terms):
        share = Fraction(part.days, month.days) if charge.prorated else Fraction(1)
        money = None
        if charge.price is not None:
            # The date of supply of a service that goes on is the last day it is billed for.
            money = taxed(charge.price * share, mode=segment.phase.vat, rates=rates, supplied=part.last)
        yield Line(part, charge, measured, model.name, share, money)


def waiting(bill: Bill) -> list[Line]:
    """The lines a person must price first."""
    return [line for line in bill.lines if line.charge.kind is ChargeKind.UNAGREED]
