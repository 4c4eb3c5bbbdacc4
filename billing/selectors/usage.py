"""What a company has used of its plan this month, and what the month will cost if it goes on like that.

For pages and warnings: a figure may be some seconds old. Invoices are measured anew (services.measuring).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from django.utils import timezone

from billing.domain.metering import Measure, Measured, Meter
from billing.domain.money import ZERO
from billing.domain.periods import DAY, Period, local_day, month_of
from billing.domain.pricing import PerConcurrency, Terms
from billing.domain.rating import Bill, Model, Segment, rate, segments
from billing.domain.vat import VatMode, VatRates, taxed
from billing.models import Plan, Subscription
from billing.selectors.meter import OF_CALLS, ShownMeter
from billing.selectors.subscriptions import held_in, on
from billing.selectors.taxes import vat_rates
from tenants.models import Company

NEAR, REACHED = 80, 100  # per cent of a bound


@dataclass(frozen=True, slots=True)
class Usage:
    """``part``: the local days of this month in which today's plan and prices hold; the figures are of these.

    ``quantity`` was first reached ``at``, by ``keys`` (calls, profiles or managers). ``bounds``: the tier's, None
    above the last one's end and for a plan by profiles. ``price``: of a whole month like that, with tax; None: it is
    to be agreed. ``bound``: the most that costs no more; ``share`` of it is used, ``level``: 80 or 100 once that
    much is, None below. ``vat``, ``rates``: how its prices are taxed.
    """

    company: Company
    subscription: Subscription
    plan: Plan
    model: Model
    part: Period
    measure: Measure
    quantity: int
    at: datetime | None
    keys: tuple[str, ...]
    bounds: tuple[int, int | None] | None
    price: Decimal | None
    bound: int | None
    vat: VatMode
    rates: VatRates

    def with_tax(self, price: Decimal | Fraction) -> Decimal:
        """What the company pays for ``price`` of the tariff."""
        return taxed(price, mode=self.vat, rates=self.rates, supplied=self.part.last).amount

    @property
    def share(self) -> float | None:
        """0 … 1 and above."""
        return self.quantity / self.bound if self.bound else None

    @property
    def level(self) -> int | None:
        return level_of(self.quantity, self.bound)

    @property
    def month(self) -> Period:
        return month_of(self.part.start, self.part.zone)


def level_of(quantity: int, bound: int | None) -> int | None:
    """80 or 100 when so many per cent of ``bound`` are reached."""
    if not bound:
        return None
    return next((level for level in (REACHED, NEAR) if quantity * 100 >= bound * level), None)


def usage_today(company: Company, *, now: datetime | None = None, fresh: float | None = None) -> Usage | None:
    """None without a subscription today. ``fresh``: seconds a counting of calls may be old; None: what pages take."""
    now = now or timezone.now()
    found = present(company, now=now)
    if found is None:
        return None
    subscription, segment, plan = found
    model = segment.model
    meter = ShownMeter(company.slug, fresh=fresh)
    measured = meter.measure(model.measure, segment.part, internal=model.internal)
    charges = model.charges(measured, _terms(segment))
    bound, bounds = _bound(model, measured.quantity, agreed=segment.phase.agreed is not None), None
    if charges and charges[0].bounds is not None:
        bounds = charges[0].bounds
    rates, mode = vat_rates(), segment.phase.vat
    prices = [charge.price for charge in charges]
    return Usage(
        company=company,
        subscription=subscription,
        plan=plan,
        model=model,
        part=segment.part,
        measure=measured.measure,
        quantity=measured.quantity,
        at=measured.at,
        keys=measured.keys,
        bounds=bounds,
        price=_price(prices, mode, rates, segment.part.last),
        bound=bound,
        vat=mode,
        rates=rates,
    )


def present(company: Company, *, now: datetime) -> tuple[Subscription, Segment, Plan] | None:
    """The segment of this month that today is in, and whose it is."""
    # A day is asked for by name before the zone is known: of the neighbours only one is today in its own.
    for near in (now.date(), now.date() - DAY, now.date() + DAY):
        subscription = on(company, near)
        if subscription is None:
            continue
        today = local_day(now, subscription.time_zone)
        if subscription.starts_on > today or (subscription.ends_on and subscription.ends_on <= today):
            continue
        month = month_of(today, subscription.time_zone)
        held = held_in(subscription, month)
        phases = [phase for one in held for phase in one.rated()]
        for segment in segments(month, phases):
            if segment.part.start <= today < segment.part.end:
                row = next(one.row for one in held if one.end is None or today < one.end)
                return subscription, segment, row.version.plan
    return None


def forecast(company: Company, *, today: date, fresh: float | None = None) -> Bill | None:
    """This month's invoice if nothing changes any more; None without a subscription. ``today``: local.

    What was measured so far counts to the month's end; days of another plan that are still to come are taken to be
    as busy as the days so far. Raises vat.NoRate, terms.BadTerms.
    """
    subscription = on(company, today)
    if subscription is None:
        return None
    month = month_of(today, subscription.time_zone)
    phases = [phase for one in held_in(subscription, month) for phase in one.rated()]
    meter = Foreseeing(ShownMeter(company.slug, fresh=fresh), month, today)
    return rate(month, phases, meter, vat_rates())


class Foreseeing:
    """Days that are not there yet are as busy as those of the month that are."""

    def __init__(self, meter: Meter, month: Period, today: date) -> None:
        self._meter, self._month, self._today = meter, month, today

    def measure(self, what: Measure, part: Period, *, internal: bool = False) -> Measured:
        if what in OF_CALLS and part.start > self._today:
            # The whole month: of days to come nothing is known, and that is what other questions ask for as well.
            return self._meter.measure(what, self._month, internal=internal)
        return self._meter.measure(what, part, internal=internal)


def _terms(segment: Segment) -> Terms:
    phase = segment.phase
    days = month_of(segment.part.start, segment.part.zone).days
    return Terms(False, phase.paid_further, phase.agreed, days)


def _bound(model: Model, quantity: int, *, agreed: bool) -> int | None:
    if not isinstance(model, PerConcurrency):
        return model.included
    found = model.tier_of(quantity)
    if found is not None:
        return found[1].up_to
    return None if agreed else model.tiers[-1].up_to


def _price(prices: list[Fraction | None], mode: VatMode, rates: VatRates, supplied: date) -> Decimal | None:
    total = ZERO
    for price in prices:
        if price is None:
            return None
        total += taxed(price, mode=mode, rates=rates, supplied=supplied).amount
    return total
