"""What every plan would have cost a company for the months behind it, and what new prices would have cost everybody.

By the facts as they were billed where a month is issued, else as they are now. The tax is in all amounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, Sum

from billing.domain.metering import Meter
from billing.domain.money import ZERO
from billing.domain.periods import DAY, Period, month_of, preceding
from billing.domain.pricing import Fee, PerConcurrency, PerProfile
from billing.domain.rating import Model, Phase, rate
from billing.domain.vat import VatMode, VatRates, taxed
from billing.models import (
    CreditNote,
    Invoice,
    InvoiceLine,
    InvoiceState,
    Plan,
    PlanVersion,
    Subscription,
    UsageRecord,
)
from billing.selectors.meter import KEPT, RecordedMeter, ShownMeter
from billing.selectors.subscriptions import Held, held_in, in_month
from billing.selectors.taxes import vat_rates
from billing.selectors.terms import model_of, read
from tenants.models import Company

ISSUED = (InvoiceState.FINALISED, InvoiceState.PAID)


@dataclass(frozen=True, slots=True)
class Cost:
    """A month by ``plan``; ``amount`` None: by agreement. ``connection``: paid once besides.

    ``taken``: it is the plan the company had.
    """

    plan: Plan
    amount: Decimal | None
    connection: Decimal
    taken: bool


@dataclass(frozen=True, slots=True)
class MonthCosts:
    """``served``: the days of ``period`` the company was a subscriber. ``paid``: what they were billed, or would be.

    ``issued``: the invoice is. ``saves``: how much less than ``paid`` the ``cheapest`` would have been.
    """

    period: Period
    served: Period
    paid: Decimal | None
    issued: bool
    costs: tuple[Cost, ...]

    @property
    def cheapest(self) -> Cost | None:
        """Of equal ones the plan that was taken."""
        priced = [cost for cost in self.costs if cost.amount is not None]
        return min(priced, key=lambda cost: (cost.amount, not cost.taken), default=None)

    @property
    def saves(self) -> Decimal:
        best = self.cheapest
        if best is None or best.amount is None or self.paid is None:
            return ZERO
        return max(ZERO, self.paid - best.amount)


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """``before``: the company's month as it is billed, ``after``: by the new prices; None: by agreement."""

    company: Company
    before: Decimal | None
    after: Decimal | None


def what_plans_cost(company: Company, *, months: int, today: date) -> list[MonthCosts]:
    """The last ``months`` full months before ``today`` (local), the newest first.

    Those with a day of a subscription; for a company that never had one, all of them. Raises vat.NoRate,
    terms.BadTerms.
    """
    subscriptions = list(company.subscriptions.select_related("company"))
    rates, offered = vat_rates(), _offered()
    found = []
    for back in range(1, months + 1):
        if not subscriptions:
            period = preceding(month_of(today, company.time_zone), back)
            found.append(_costs(company, None, period, period, rates, offered))
        for subscription in subscriptions:
            period = preceding(month_of(today, subscription.time_zone), back)
            served = period.part(subscription.starts_on, subscription.ends_on)
            if served is not None:
                found.append(_costs(company, subscription, period, served, rates, offered))
    return found


def this_month(company: Company, subscription: Subscription, *, today: date) -> MonthCosts | None:
    """The same of the month ``today`` is in, by what was measured so far."""
    period = month_of(today, subscription.time_zone)
    served = period.part(subscription.starts_on, subscription.ends_on)
    if served is None:
        return None
    return _costs(company, subscription, period, served, vat_rates(), _offered(), fresh=None)


def preview(plan: Plan, terms: Mapping[str, Any], vat_mode: str, *, month: date) -> Iterator[PreviewRow]:
    """What ``month`` would have cost each company that had ``plan`` in it. Raises terms.BadTerms at the first."""
    model, mode = read(plan.model, terms), VatMode(vat_mode)
    rates = vat_rates()
    records = _records(month)
    for subscription in in_month(month):
        period = month_of(month, subscription.time_zone)
        held = held_in(subscription, period)
        if not any(one.row.version.plan_id == plan.pk for one in held):
            continue
        company = subscription.company
        meter = _meter(company, held, records.get(subscription.pk, ()), fresh=KEPT)
        before = [phase for one in held for phase in one.rated()]
        after = [
            phase
            for one in held
            for phase in ([_instead(one, model, mode)] if one.row.version.plan_id == plan.pk else one.rated())
        ]
        yield PreviewRow(
            company, rate(period, before, meter, rates).total, rate(period, after, meter, rates).total
        )


def _instead(held: Held, model: Model, mode: VatMode) -> Phase:
    return replace(next(held.rated()), end=held.end, prices=((held.row.starts_on, model),), vat=mode)


def _costs(
    company: Company,
    subscription: Subscription | None,
    period: Period,
    served: Period,
    rates: VatRates,
    offered: Sequence[tuple[Plan, list[PlanVersion]]],
    fresh: float | None = KEPT,
) -> MonthCosts:
    held = held_in(subscription, period) if subscription else []
    records = _records(period.start, subscription).get(subscription.pk, ()) if subscription else ()
    meter = _meter(company, held, records, fresh=fresh)
    billed = _billed(subscription, period) if subscription else None
    paid = billed
    if held and billed is None:
        phases = [phase for one in held for phase in one.rated()]
        paid = rate(period, phases, meter, rates).total
    whole = held[0].row.version.plan_id if len({one.row.version.plan_id for one in held}) == 1 else None
    costs = []
    for plan, versions in offered:
        if plan.pk == whole:
            costs.append(Cost(plan, paid, ZERO, taken=True))
            continue
        version = next((v for v in reversed(versions) if v.starts_on <= served.start), None)
        if plan.on_offer and version is not None:
            costs.append(_cost(plan, version, served, meter, rates))
    return MonthCosts(period, served, paid, billed is not None, tuple(costs))


def _cost(plan: Plan, version: PlanVersion, served: Period, meter: Meter, rates: VatRates) -> Cost:
    """As a month of somebody who had the plan already: what is paid once on connection is told beside it."""
    model, mode = model_of(version), VatMode(version.vat_mode)
    phase = Phase(
        served.start, served.end, ((served.start, model),), vat=mode, connected_on=served.start - DAY
    )
    once = ZERO
    if isinstance(model, PerProfile) and model.fee is Fee.ONCE:
        once = taxed(model.base, mode=mode, rates=rates, supplied=served.last).amount
    return Cost(plan, rate(served, [phase], meter, rates).total, once, taken=False)


def _offered() -> list[tuple[Plan, list[PlanVersion]]]:
    """Every plan with its versions in order of time; those not on offer too, for somebody may have them."""
    plans = Plan.objects.prefetch_related("versions__plan").order_by("pk")
    return [(plan, sorted(plan.versions.all(), key=lambda version: version.starts_on)) for plan in plans]


def _meter(
    company: Company, held: Iterable[Held], records: Sequence[UsageRecord], *, fresh: float | None
) -> Meter:
    counted = {
        model.internal
        for one in held
        for phase in one.rated()
        for _, model in phase.prices
        if isinstance(model, PerConcurrency)
    }
    shown = ShownMeter(str(company.slug), fresh=fresh)
    if len(counted) != 1 or not records:
        return shown
    return RecordedMeter(records, internal=counted.pop(), then=shown)


def _records(month: date, subscription: Subscription | None = None) -> dict[int, list[UsageRecord]]:
    """By subscription, of issued invoices. Where a correction followed, what was measured first is not what counts."""
    first = month.replace(day=1)
    rows = UsageRecord.objects.filter(
        invoice__period_start=first, invoice__state__in=ISSUED, invoice__corrected_by=None,
        invoice__credit_notes=None,
    )  # fmt: skip
    if subscription is not None:
        rows = rows.filter(invoice__subscription=subscription)
    found: dict[int, list[UsageRecord]] = {}
    for row, owner in ((row, row.owner) for row in rows.annotate(owner=F("invoice__subscription"))):
        found.setdefault(owner, []).append(row)
    return found


def _billed(subscription: Subscription, period: Period) -> Decimal | None:
    """What the month was billed in all: its own lines, later corrections up, less what was given back."""
    invoice = Invoice.objects.filter(
        subscription=subscription, period_start=period.start, kind="regular", state__in=ISSUED
    ).first()
    if invoice is None:
        return None
    of_month = Q(invoice=invoice, corrects=None) | Q(corrects=invoice, invoice__state__in=ISSUED)
    lines = InvoiceLine.objects.filter(of_month).aggregate(sum=Sum("amount"))["sum"] or ZERO
    given = CreditNote.objects.filter(invoice=invoice).aggregate(sum=Sum("amount"))["sum"] or ZERO
    return Decimal(lines) - Decimal(given)
