"""Payments as the staff's pages ask for them: narrowed down, summed up, with what was done to one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from django.db.models import Count, Q, QuerySet, Sum

from billing.domain.money import ZERO
from billing.models import Act, Payment, PaymentState, Reminder
from billing.selectors import balance
from billing.selectors.balance import FreePayment


@dataclass(frozen=True, slots=True)
class PaymentsAsked:
    """What the list is narrowed down to; empty values narrow nothing. Days are inclusive."""

    state: str = ""
    company: int = 0
    statement: int = 0
    begin: date | None = None
    end: date | None = None
    text: str = ""

    @property
    def narrowed(self) -> bool:
        return self != PaymentsAsked()


@dataclass(frozen=True, slots=True)
class PaymentSums:
    count: int
    total: Decimal


def payments(asked: PaymentsAsked) -> QuerySet[FreePayment]:
    """Newest first, each with ``left``: what of it pays no invoice."""
    rows = Payment.objects.select_related("company", "statement")
    if asked.state:
        rows = rows.filter(state=asked.state)
    if asked.company:
        rows = rows.filter(company=asked.company)
    if asked.statement:
        rows = rows.filter(statement=asked.statement)
    if asked.begin:
        rows = rows.filter(paid_on__gte=asked.begin)
    if asked.end:
        rows = rows.filter(paid_on__lte=asked.end)
    if asked.text:
        rows = rows.filter(_about(asked.text))
    return balance.free(rows).order_by("-paid_on", "-pk")


def sums(rows: QuerySet[FreePayment]) -> PaymentSums:
    """Of the whole list, what is not ours left out."""
    ours = rows.order_by().exclude(state=PaymentState.IGNORED)
    found = ours.aggregate(count=Count("pk"), total=Sum("amount"))
    return PaymentSums(int(found["count"]), found["total"] or ZERO)


def waiting() -> int:
    return Payment.objects.filter(state=PaymentState.UNMATCHED).count()


def acts_of(payment: Payment) -> QuerySet[Act]:
    return Act.objects.filter(verb__startswith="payment.", details__payment=payment.pk).select_related(
        "company"
    )


def last_reminders(invoices: list[int]) -> dict[int, Reminder]:
    """The last letter about each invoice that has had one."""
    rows = Reminder.objects.filter(invoice__in=invoices).order_by("day")
    return {row.invoice_id: row for row in rows}


def _about(text: str) -> Q:
    found = (
        Q(payer_name__icontains=text)
        | Q(purpose__icontains=text)
        | Q(document__iexact=text)
        | Q(payer_inn=text)
        | Q(payer_account=text)
        | Q(company__name__icontains=text)
        | Q(allocations__invoice__full_number__iexact=text)
    )
    with suppress(InvalidOperation):
        amount = Decimal(text.replace(" ", "").replace("\u00a0", "").replace(",", "."))
        if amount.is_finite() and abs(amount) < 10**12:
            found |= Q(amount=amount)
    # By id: one payment that pays two such invoices is still one row.
    return Q(pk__in=Payment.objects.filter(found).values("pk"))
