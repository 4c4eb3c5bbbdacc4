"""All companies as those who pay: what they have, owe and were last billed, in a handful of queries for a thousand.

Nothing here looks into a company's own tables; today's usage is asked for row by row by whoever shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import (
    DateField,
    DecimalField,
    F,
    OrderBy,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce

from billing.models import (
    CreditNote,
    Invoice,
    InvoiceState,
    LimitNotice,
    Payment,
    PaymentState,
    Phase,
    Plan,
    ReviewItem,
    Subscription,
)
from billing.selectors.balance import ISSUED, with_owed
from tenants.models import Company

_MONEY = DecimalField(max_digits=16, decimal_places=2)

SORTS: dict[str, tuple[str | OrderBy, ...]] = {
    "name": ("name", "pk"),
    "balance": ("balance", "name"),
    "overdue": (F("due_since").asc(nulls_last=True), "name"),
    "-last": (F("last_total").desc(nulls_last=True), "name"),
}
STANDINGS = ("none", "owing", "overdue", "read_only", "suspended", "unsubscribed", "review", "near")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is narrowed down to; empty values narrow nothing."""

    text: str = ""
    plan: int = 0
    standing: str = ""
    sort: str = "name"


def matching(asked: Asked, *, today: date) -> QuerySet[Company]:
    """Companies with ``plan_id``, ``phase_from``, ``phase_until``, ``balance``, ``due_since``, ``last_*``.

    ``today``: the platform's day. ``balance``: as billing.selectors.balance counts it, below zero it is debt.
    ``due_since``: the day the oldest overdue invoice was due on, None when none is.
    """
    found = annotated(Company.objects.all(), today=today)
    for word in asked.text.split()[:6]:
        found = found.filter(
            Q(name__icontains=word)
            | Q(schema_name__icontains=word)
            | Q(account__legal_name__icontains=word)
            | Q(account__inn__startswith=word)
        )
    if asked.plan:
        found = found.filter(plan_id=asked.plan)
    found = _standing(found, asked.standing, today)
    return found.order_by(*SORTS.get(asked.sort, SORTS["name"]))


def annotated(companies: QuerySet[Company], *, today: date) -> QuerySet[Company]:
    of_company = {"company": OuterRef("pk")}
    phases = Phase.objects.filter(
        Q(ends_on=None) | Q(ends_on__gt=today), subscription__company=OuterRef("pk")
    ).order_by("starts_on")
    late = Invoice.objects.filter(**of_company, state=InvoiceState.FINALISED, due_on__lt=today)
    unpaid = with_owed(late).filter(Q(owed__gt=0)).order_by("due_on")
    last = Invoice.objects.filter(**of_company, state__in=ISSUED).order_by("-period_start", "-pk")
    issued = Invoice.objects.filter(**of_company, state__in=ISSUED)
    given = CreditNote.objects.filter(**of_company, invoice__state__in=ISSUED)
    came = Payment.objects.filter(**of_company, state=PaymentState.MATCHED)
    found: QuerySet[Company] = companies.select_related("account").annotate(
        phase_id=Subquery(phases.values("pk")[:1]),
        plan_id=Subquery(phases.values("version__plan")[:1]),
        phase_from=Subquery(phases.values("starts_on")[:1], output_field=DateField()),
        phase_until=Subquery(phases.values("ends_on")[:1], output_field=DateField()),
        balance=_total(came, "amount") + _total(given, "amount") - _total(issued, "total"),
        due_since=Subquery(unpaid.values("due_on")[:1], output_field=DateField()),
        last_pk=Subquery(last.values("pk")[:1]),
        last_number=Subquery(last.values("full_number")[:1]),
        last_total=Subquery(last.values("total")[:1], output_field=_MONEY),
        last_month=Subquery(last.values("period_start")[:1], output_field=DateField()),
    )
    return found


def plans_of(companies: list[Any]) -> dict[int, Plan]:
    return Plan.objects.in_bulk({row.plan_id for row in companies if row.plan_id})


def subscription_of(company: Company, *, today: date) -> Subscription | None:
    """The one of today, else the next, else the last there was."""
    rows = list(company.subscriptions.select_related("seller", "company").order_by("starts_on"))
    open_ones = [row for row in rows if row.ends_on is None or row.ends_on > today]
    return open_ones[0] if open_ones else rows[-1] if rows else None


def _standing(found: QuerySet[Company], standing: str, today: date) -> QuerySet[Company]:
    match standing:
        case "none":
            return found.filter(balance__gte=Decimal(0))
        case "owing":
            return found.filter(balance__lt=Decimal(0))
        case "overdue":
            return found.filter(due_since__isnull=False)
        case "read_only":
            return found.filter(due_since__lte=today - timedelta(days=settings.BILLING_READ_ONLY_DAYS))
        case "suspended":
            return found.filter(due_since__lte=today - timedelta(days=settings.BILLING_SUSPENDED_DAYS))
        case "unsubscribed":
            return found.filter(plan_id=None)
        case "review":
            waiting = ReviewItem.objects.filter(settled_at=None).values("company")
            return found.filter(pk__in=waiting)
        case "near":
            told = LimitNotice.objects.filter(period_start=today.replace(day=1)).values("company")
            return found.filter(pk__in=told)
    return found


def _total(rows: QuerySet[Any], field: str) -> Coalesce:
    summed = rows.order_by().values("company").annotate(whole=Sum(field)).values("whole")
    return Coalesce(Subquery(summed, output_field=_MONEY), Value(Decimal(0)), output_field=_MONEY)
