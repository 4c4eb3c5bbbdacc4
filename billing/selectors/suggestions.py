"""Which invoice a payment is for: certain enough to be matched without a person, or worth offering to one.

Certain is only: the purpose names the invoice's number, the payer's INN is the buyer's, the amount is what is owed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q

from billing.domain import purpose
from billing.models import Invoice, InvoiceState, Payment, Seller
from billing.selectors import balance
from billing.selectors.balance import OwedInvoice

OFFERED = 5
_MOST = 3_000  # invoices looked at for one page of the queue


class Why(StrEnum):
    """Why a payment waits for a person."""

    NO_NUMBER = "no_number"
    OTHER_INN = "other_inn"
    OTHER_AMOUNT = "other_amount"
    PAID_ALREADY = "paid_already"
    VOID = "void"
    SEVERAL = "several"
    BY_HAND = "by_hand"  # one like it was entered by hand before
    TAKEN_OFF = "taken_off"  # a person undid a match
    OWN = "own"  # between the seller's own accounts


@dataclass(frozen=True, slots=True)
class Fit:
    """``invoice``: the one the payment certainly pays in full, or None and ``why`` not."""

    invoice: OwedInvoice | None
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An unpaid invoice the payment may be for, and what speaks for it."""

    invoice: OwedInvoice
    by_number: bool
    by_inn: bool
    by_amount: bool


def fit(payment: Payment, seller: Seller) -> Fit:
    """Of this seller's invoices. Reads what is owed now: hold the company's money before acting on it."""
    drafts = (InvoiceState.DRAFT, InvoiceState.NEEDS_APPROVAL)
    asked = Invoice.objects.filter(seller=seller, number__in=purpose.numbers_in(payment.purpose))
    rows = balance.with_owed(asked.exclude(state__in=drafts)).select_related("company")
    found = [row for row in rows if purpose.names(payment.purpose, row.full_number)]
    if not found:
        return Fit(None, Why.NO_NUMBER)
    found = [row for row in found if _is_from(payment, row)]
    if not found:
        return Fit(None, Why.OTHER_INN)
    waiting = [row for row in found if row.state == InvoiceState.FINALISED]
    if not waiting:
        paid = any(row.state == InvoiceState.PAID for row in found)
        return Fit(None, Why.PAID_ALREADY if paid else Why.VOID)
    if len(waiting) > 1:
        return Fit(None, Why.SEVERAL)
    if waiting[0].owed != payment.amount:
        return Fit(None, Why.OTHER_AMOUNT)
    return Fit(waiting[0])


def suggestions(payments: Iterable[Payment]) -> dict[int, list[Suggestion]]:
    """For each payment by its id the likeliest unpaid invoices, the best first; one query for a page of them."""
    asked = list(payments)
    likely = Q(total__in={payment.amount for payment in asked})
    likely |= Q(buyer_copy__inn__in={payment.payer_inn for payment in asked if payment.payer_inn})
    likely |= Q(number__in={number for payment in asked for number in purpose.numbers_in(payment.purpose)})
    rows = list(balance.unpaid().filter(likely).select_related("company")[:_MOST])
    return {payment.pk: _offered(payment, rows) for payment in asked}


def _offered(payment: Payment, rows: list[OwedInvoice]) -> list[Suggestion]:
    found = [
        Suggestion(
            invoice=row,
            by_number=purpose.names(payment.purpose, row.full_number),
            by_inn=_is_from(payment, row),
            by_amount=row.owed == payment.amount,
        )
        for row in rows
    ]
    # An equal amount alone says little: half of all companies pay the same.
    worth = [one for one in found if one.by_number or one.by_inn]
    return sorted(worth, key=lambda one: -(4 * one.by_inn + 2 * one.by_number + one.by_amount))[:OFFERED]


def _is_from(payment: Payment, invoice: Invoice) -> bool:
    return bool(payment.payer_inn) and payment.payer_inn == invoice.buyer_copy.get("inn")
