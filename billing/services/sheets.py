"""The list of invoices as a table to take along: one row each, amounts as numbers."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from billing.domain.periods import DAY
from billing.selectors.balance import ISSUED, OwedInvoice
from billing.services.tables import Cell, Column, workbook

COLUMNS = (
    Column(_("Number"), width=18),
    Column(_("State"), width=20),
    Column(_("Date"), "date", 12),
    Column(_("Pay until"), "date", 12),
    Column(_("From"), "date", 12),
    Column(_("Until, inclusive"), "date", 14),
    Column(_("Company"), width=28),
    Column(_("Payer"), width=34),
    Column(_("INN"), width=14),
    Column(_("KPP"), width=12),
    Column(_("Seller"), width=28),
    Column(_("Total, ₽"), "money", 14),
    Column(_("VAT within, ₽"), "money", 14),
    Column(_("Owed, ₽"), "money", 14),
    Column(_("Paid on"), "moment", 20),
)


def invoices_xlsx(invoices: Iterable[OwedInvoice], *, zone: str) -> bytes:
    """``zone``: the clock of the moments in it."""
    return workbook(COLUMNS, (_row(invoice) for invoice in invoices), zone=zone)


def _row(invoice: OwedInvoice) -> list[Cell]:
    account = getattr(invoice.company, "account", None)
    # A draft has no copies yet: it shows who would be on it.
    buyer = invoice.buyer_copy or {
        name: str(getattr(account, name, "")) for name in ("legal_name", "inn", "kpp")
    }
    seller = invoice.seller_copy.get("legal_name") or invoice.seller.legal_name
    return [
        invoice.full_number, str(invoice.get_state_display()), invoice.issued_on, invoice.due_on,
        invoice.period_start, invoice.period_end - DAY, invoice.company.name, buyer.get("legal_name", ""),
        buyer.get("inn", ""), buyer.get("kpp", ""), seller, invoice.total, invoice.vat,
        invoice.owed if invoice.state in ISSUED else None, invoice.paid_at,
    ]  # fmt: skip
