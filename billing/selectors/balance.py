"""What companies owe and what they have over. The sums are asked of the rows each time: nothing is kept beside them.

Balance = matched payments + credit notes − issued invoices; below zero it is debt. An invoice taken back counts for
nothing, and so does whatever was given back on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict

from django.db.models import DecimalField, F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from billing.domain.money import ZERO
from billing.models import Allocation, CreditNote, Invoice, InvoiceState, Payment, PaymentState
from tenants.models import Company

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

ISSUED = (InvoiceState.FINALISED, InvoiceState.PAID)
_MONEY: DecimalField[Decimal, Decimal] = DecimalField(max_digits=16, decimal_places=2)


class _Owed(TypedDict):
    owed: Decimal


class _Left(TypedDict):
    left: Decimal


if TYPE_CHECKING:
    OwedInvoice = WithAnnotations[Invoice, _Owed]
    FreePayment = WithAnnotations[Payment, _Left]
else:  # the words are for the type checker; Python 3.11 cannot say them
    OwedInvoice, FreePayment = Invoice, Payment


@dataclass(frozen=True, slots=True)
class Debtor:
    """A company with something overdue. ``oldest``: the invoice that has waited longest; ``owed``: all it owes."""

    company: Company
    owed: Decimal
    overdue: Decimal
    invoices: int
    oldest: Invoice
    days_late: int


def balance(company: Company) -> Decimal:
    return balances([company.pk])[company.pk]


def balances(companies: Iterable[int]) -> dict[int, Decimal]:
    """Of each company by its id, in three queries however many they are."""
    found = dict.fromkeys(companies, ZERO)
    paid = Payment.objects.filter(state=PaymentState.MATCHED, company__in=found)
    given = CreditNote.objects.filter(invoice__state__in=ISSUED, company__in=found)
    issued = Invoice.objects.filter(state__in=ISSUED, company__in=found)
    for sums, sign in (
        (_by_company(paid, "amount"), 1),
        (_by_company(given, "amount"), 1),
        (_by_company(issued, "total"), -1),
    ):
        for company, amount in sums:
            found[company] += sign * amount
    return found


def owed(invoice: Invoice) -> Decimal:
    """What of an issued invoice is still to be paid, never below zero; of a draft and a void one nothing."""
    if invoice.state not in ISSUED:
        return ZERO
    row = with_owed(Invoice.objects.filter(pk=invoice.pk)).values_list("owed", flat=True).first()
    return max(row or ZERO, ZERO)


def with_owed(invoices: QuerySet[Invoice]) -> QuerySet[OwedInvoice]:
    """Each with ``owed``: total − given back − paid. Below zero where more was paid than is wanted any more."""
    return invoices.annotate(
        owed=F("total") - _summed(Allocation, "invoice") - _summed(CreditNote, "invoice"),
    )


def unpaid(company: Company | None = None) -> QuerySet[OwedInvoice]:
    """Issued invoices with something owed, the oldest due first, each with ``owed``."""
    rows = Invoice.objects.filter(state=InvoiceState.FINALISED)
    if company is not None:
        rows = rows.filter(company=company)
    return with_owed(rows).filter(owed__gt=ZERO).order_by("due_on", "pk")


def free(payments: QuerySet[Payment]) -> QuerySet[FreePayment]:
    """Each with ``left``: what of it pays no invoice."""
    return payments.annotate(left=F("amount") - _summed(Allocation, "payment"))


def debtors(today: date) -> list[Debtor]:
    """Who has an invoice that was due before ``today``, the one who has waited longest first."""
    by_company: dict[int, list[OwedInvoice]] = {}
    for invoice in unpaid().select_related("company", "subscription"):
        by_company.setdefault(invoice.company_id, []).append(invoice)
    found = []
    for rows in by_company.values():
        late = [row for row in rows if row.due_on is not None and row.due_on < today]
        if not late or late[0].due_on is None:
            continue
        found.append(
            Debtor(
                company=late[0].company,
                owed=sum((row.owed for row in rows), ZERO),
                overdue=sum((row.owed for row in late), ZERO),
                invoices=len(late),
                oldest=late[0],
                days_late=(today - late[0].due_on).days,
            )
        )
    return sorted(found, key=lambda one: (-one.days_late, -one.overdue, one.company.pk))


def _by_company(
    rows: QuerySet[Payment] | QuerySet[CreditNote] | QuerySet[Invoice], field: str
) -> list[tuple[int, Decimal]]:
    summed = rows.order_by().values("company").annotate(sum=Sum(field)).values_list("company", "sum")
    return [(int(company), amount) for company, amount in summed if company is not None]


def _summed(model: type[Allocation] | type[CreditNote], by: str) -> Coalesce:
    """Sum of the amounts that belong to the outer row. Subqueries: two joins would multiply each other."""
    rows = model._default_manager.filter(**{by: OuterRef("pk")}).order_by().values(by)
    return Coalesce(
        Subquery(rows.annotate(sum=Sum("amount")).values("sum"), output_field=_MONEY),
        Value(ZERO),
        output_field=_MONEY,
    )
