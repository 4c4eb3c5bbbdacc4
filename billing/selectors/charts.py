"""The platform's money at a glance: revenue by month and plan, debt by age, companies by what they reach.

Everything is summed from issued invoices; a draft is nobody's money yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Sum
from django.db.models.fields.json import KT

from billing.domain.money import ZERO
from billing.models import CreditNote, Invoice, InvoiceLine, Plan
from billing.selectors.balance import ISSUED, unpaid

# Days late: the first and the last of each age, inclusive; what is not due yet stands before them.
AGES: tuple[tuple[int | None, int | None], ...] = ((None, 0), (1, 10), (11, 30), (31, None))


@dataclass(frozen=True, slots=True)
class Month:
    """``by_plan``: amounts by plan code; "" for corrections of earlier months. ``given_back``: by credit notes."""

    start: date
    by_plan: dict[str, Decimal]
    given_back: Decimal

    @property
    def issued(self) -> Decimal:
        return sum(self.by_plan.values(), ZERO)

    @property
    def kept(self) -> Decimal:
        return self.issued - self.given_back


@dataclass(slots=True)
class Age:
    """``first`` … ``last`` days late, inclusive; None is without a bound."""

    first: int | None
    last: int | None
    amount: Decimal = ZERO
    invoices: int = 0
    companies: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Reached:
    """How many companies had such a line in a month, and what it brought. ``bounds``: of the tier, else None."""

    plan: str
    kind: str
    bounds: tuple[int, int | None] | None
    companies: int
    amount: Decimal


def revenue(months: Sequence[date]) -> list[Month]:
    """Of each month billed (not the month in which the invoice was written), VAT included."""
    lines = (
        InvoiceLine.objects.filter(invoice__state__in=ISSUED, invoice__period_start__in=months)
        .order_by()
        .annotate(plan_code=KT("details__plan"))
        .values_list("invoice__period_start", "plan_code")
        .annotate(Sum("amount"))
    )
    found: dict[date, dict[str, Decimal]] = {month: {} for month in months}
    for month, plan, amount in lines:
        found[month][plan or ""] = found[month].get(plan or "", ZERO) + (amount or ZERO)
    given = dict(
        CreditNote.objects.filter(invoice__state__in=ISSUED, invoice__period_start__in=months)
        .order_by()
        .values_list("invoice__period_start")
        .annotate(Sum("amount"))
    )
    return [Month(month, found[month], given.get(month, ZERO)) for month in months]


def plan_names() -> dict[str, str]:
    return {plan.code: str(plan) for plan in Plan.objects.all()}


def debt(today: date) -> list[Age]:
    """What is owed on issued invoices, by days past the day it was due on."""
    ages = [Age(first, last) for first, last in AGES]
    for invoice in unpaid():
        assert invoice.due_on is not None
        late = (today - invoice.due_on).days
        age = next(one for one in reversed(ages) if one.first is None or late >= one.first)
        age.amount += invoice.owed
        age.invoices += 1
        age.companies.add(invoice.company_id)
    return ages


def last_billed() -> date | None:
    """The latest month anybody got an invoice for."""
    found: date | None = Invoice.objects.filter(state__in=ISSUED).aggregate(last=Max("period_start"))["last"]
    return found


def reached(month: date) -> list[Reached]:
    """What companies came to in ``month``: each tier, and how many further profiles were paid for."""
    rows = (
        InvoiceLine.objects.filter(invoice__state__in=ISSUED, invoice__period_start=month)
        .exclude(kind="correction")
        .order_by()
        .annotate(plan_code=KT("details__plan"), low=KT("details__bounds__0"), high=KT("details__bounds__1"))
        .values_list("plan_code", "kind", "low", "high")
        .annotate(Count("invoice__company", distinct=True), Sum("amount"))
    )
    summed: dict[tuple[str, str, Any], list[tuple[int, Decimal]]] = defaultdict(list)
    for plan, kind, low, high, companies, amount in rows:
        bounds = None if low is None else (int(low), None if high is None else int(high))
        summed[plan or "", kind, bounds].append((companies, amount or ZERO))
    found = [
        Reached(
            plan, kind, bounds, sum(count for count, _ in parts), sum((money for _, money in parts), ZERO)
        )
        for (plan, kind, bounds), parts in summed.items()
    ]
    return sorted(found, key=lambda one: (one.plan, one.bounds or (-1, None), one.kind))
