"""The platform's invoices, narrowed down as a person asks, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from billing.domain.money import ZERO
from billing.models import Act, Invoice, InvoiceState
from billing.selectors.balance import ISSUED, OwedInvoice, with_owed

ANY_OF = ("issued", "unpaid", "overdue")
STATES = (*InvoiceState.values, *ANY_OF)


@dataclass(frozen=True, slots=True)
class InvoicesAsked:
    """``state``: one of STATES or "" for all; ``month``: its first day; ``text``: of a number, a payer or an INN.

    ``today``: whose day decides what is overdue.
    """

    today: date
    state: str = ""
    month: date | None = None
    company: int = 0
    seller: int = 0
    text: str = ""

    @property
    def narrowed(self) -> bool:
        return bool(self.state or self.month or self.company or self.seller or self.text)


@dataclass(frozen=True, slots=True)
class Sums:
    """``owed``: of what is issued. ``drafts`` and ``drafts_total``: what could be issued now."""

    count: int
    total: Decimal
    vat: Decimal
    owed: Decimal
    drafts: int
    drafts_total: Decimal


def invoices(asked: InvoicesAsked) -> QuerySet[OwedInvoice]:
    """The newest month first, each with ``owed``."""
    rows = with_owed(Invoice.objects.select_related("company", "seller", "subscription"))
    match asked.state:
        case "issued":
            rows = rows.filter(state__in=ISSUED)
        case "unpaid":
            rows = rows.filter(state=InvoiceState.FINALISED, owed__gt=ZERO)
        case "overdue":
            rows = rows.filter(state=InvoiceState.FINALISED, owed__gt=ZERO, due_on__lt=asked.today)
        case state if state:
            rows = rows.filter(state=state)
    if asked.month is not None:
        rows = rows.filter(period_start__year=asked.month.year, period_start__month=asked.month.month)
    if asked.company:
        rows = rows.filter(company=asked.company)
    if asked.seller:
        rows = rows.filter(seller=asked.seller)
    if asked.text:
        rows = rows.filter(
            Q(full_number__icontains=asked.text)
            | Q(company__name__icontains=asked.text)
            | Q(buyer_copy__legal_name__icontains=asked.text)
            | Q(company__account__legal_name__icontains=asked.text)
            | Q(buyer_copy__inn=asked.text)
            | Q(company__account__inn=asked.text)
        )
    return rows.order_by("-period_start", "-year", "-number", "pk")


def sums(rows: QuerySet[OwedInvoice]) -> Sums:
    draft = Q(state=InvoiceState.DRAFT)
    counted = ~Q(state=InvoiceState.VOID)
    found = rows.order_by().aggregate(
        count=Count("pk"),
        sum_total=Sum("total", filter=counted),
        sum_vat=Sum("vat", filter=counted),
        sum_owed=Sum("owed", filter=Q(state__in=ISSUED, owed__gt=ZERO)),
        drafts=Count("pk", filter=draft),
        drafts_total=Sum("total", filter=draft),
    )
    return Sums(
        found["count"], found["sum_total"] or ZERO, found["sum_vat"] or ZERO, found["sum_owed"] or ZERO,
        found["drafts"], found["drafts_total"] or ZERO,
    )  # fmt: skip


def drafts(rows: QuerySet[OwedInvoice]) -> list[int]:
    """Numbers of the rows that could be issued now."""
    return list(rows.filter(state=InvoiceState.DRAFT).order_by("pk").values_list("pk", flat=True))


def history(invoice: Invoice) -> QuerySet[Act]:
    """What was done with the invoice, oldest first; payments too, which name it by its number."""
    about = Q(details__invoice=invoice.pk)
    if invoice.full_number:
        about |= Q(details__invoices__contains=[{"number": invoice.full_number}])
    return Act.objects.filter(about, company=invoice.company_id).order_by("at", "pk")


def months() -> list[date]:
    """First days of the months there are invoices of, the newest first."""
    days = Invoice.objects.order_by().values_list("period_start", flat=True).distinct()
    return sorted({day.replace(day=1) for day in days}, reverse=True)
