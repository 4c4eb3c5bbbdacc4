"""What of its invoices and payments a company may see itself: no draft, and no payment nobody has matched."""

from __future__ import annotations

from django.db.models import QuerySet

from billing.models import Invoice, InvoiceState, Payment, PaymentState
from tenants.models import Company

SHOWN = (InvoiceState.FINALISED, InvoiceState.PAID, InvoiceState.VOID)


def invoices_of(company: Company) -> QuerySet[Invoice]:
    """Issued ones, also those taken back; the latest first."""
    return Invoice.objects.filter(company=company, state__in=SHOWN).order_by("-issued_on", "-pk")


def payments_of(company: Company) -> QuerySet[Payment]:
    """The latest first."""
    return Payment.objects.filter(company=company, state=PaymentState.MATCHED).order_by("-paid_on", "-pk")
