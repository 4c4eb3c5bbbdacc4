"""Which payment pays which invoice: what a company has over goes to its oldest unpaid invoices, and back off them.

Whoever moves a company's money holds its lock first, and for the whole transaction.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from billing.domain.money import ZERO
from billing.models import Allocation, Invoice, InvoiceState, Payment, PaymentState
from billing.selectors import balance, standing
from billing.selectors.balance import FreePayment, OwedInvoice
from tenants.models import Company


def hold(company: Company) -> None:
    """Wait for whoever is moving this company's money; nobody else does until the transaction ends.

    Take it before any row of an invoice or a payment: two who take them crosswise would wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('billing.money'), %s)", [company.pk])


@transaction.atomic
def settle(company: Company, *, first: Invoice | None = None, now: datetime | None = None) -> list[Invoice]:
    """Spend what the company has over, ``first`` first and then the oldest due; returns what it paid now.

    Every invoice's state follows: paid at nothing owed, unpaid again when its money was taken off. ``now``: when that
    is, for ``paid_at``; None: the present. The portal's doors open as soon as the transaction is committed.
    """
    hold(company)
    _take_back(company)
    at = now or timezone.now()
    # Before anything is spent: an invoice whose money was just taken off waits like any other.
    paid = _restate(company, at)
    waiting = list(balance.unpaid(company))
    if first is not None:
        waiting.sort(key=lambda row: row.pk != first.pk)
    money = _Purse(company)
    for invoice in waiting:
        money.pay(invoice, invoice.owed)
    paid += _restate(company, at)
    transaction.on_commit(lambda: standing.forget(str(company.schema_name)))
    return paid


class _Purse:
    """The company's free money, the earliest paid first. What came to one seller's bank pays that seller alone."""

    def __init__(self, company: Company) -> None:
        matched = Payment.objects.filter(company=company, state=PaymentState.MATCHED)
        rows = balance.free(matched).filter(left__gt=ZERO).select_related("statement")
        self._left: dict[FreePayment, Decimal] = {row: row.left for row in rows.order_by("paid_on", "pk")}

    def pay(self, invoice: Invoice, owed: Decimal) -> None:
        for payment, left in self._left.items():
            part = min(owed, left)
            came_to = payment.statement.seller_id if payment.statement else None
            if part > 0 and came_to in (None, invoice.seller_id):
                _put(payment, invoice, part)
                self._left[payment] -= part
                owed -= part


def _put(payment: Payment, invoice: Invoice, amount: Decimal) -> None:
    """An allocation never changes: one of the same two is taken off and put on again larger."""
    before = Allocation.objects.filter(payment=payment, invoice=invoice).first()
    if before is not None:
        before.delete()
        amount += before.amount
    Allocation.objects.create(payment=payment, invoice=invoice, amount=amount)


def _take_back(company: Company) -> None:
    """Free what was paid beyond what is wanted: after a credit note, or when the invoice was taken back."""
    gone = Allocation.objects.filter(invoice__company=company).exclude(invoice__state__in=balance.ISSUED)
    gone.delete()
    issued = Invoice.objects.filter(company=company, state__in=balance.ISSUED)
    for invoice in balance.with_owed(issued).filter(owed__lt=ZERO).order_by("pk"):
        over = -invoice.owed
        # What came last goes first: the earliest payment is the one people remember for this invoice.
        for allocation in invoice.allocations.select_related("payment").order_by("-pk"):
            if over <= 0:
                break
            rest = max(allocation.amount - over, ZERO)
            over -= allocation.amount - rest
            allocation.delete()
            if rest:
                Allocation.objects.create(payment=allocation.payment, invoice=invoice, amount=rest)


def _restate(company: Company, at: datetime) -> list[Invoice]:
    issued: QuerySet[OwedInvoice] = balance.with_owed(
        Invoice.objects.filter(company=company, state__in=balance.ISSUED)
    )
    for invoice in issued.filter(state=InvoiceState.PAID, owed__gt=ZERO):
        invoice.state, invoice.paid_at = InvoiceState.FINALISED, None
        invoice.save(update_fields=["state", "paid_at"])
    paid: list[Invoice] = list(
        issued.filter(state=InvoiceState.FINALISED, owed__lte=ZERO).order_by("due_on", "pk")
    )
    for row in paid:
        row.state, row.paid_at = InvoiceState.PAID, at
        row.save(update_fields=["state", "paid_at"])
    return paid
