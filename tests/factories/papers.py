"""Drafts made of rows alone, for tests of issuing and of papers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Max

from billing.domain.money import ZERO
from billing.domain.periods import month_of
from billing.domain.vat import VatMode, VatRates, taxed
from billing.models import Invoice, InvoiceLine, InvoiceState, Subscription

Row = tuple[str, str]  # amount, VAT percent or "" for none


def draft(
    subscription: Subscription,
    month: date = date(2026, 6, 1),
    rows: Sequence[Row] = (("1500.00", "22"),),
    *,
    title: str = "Одновременные звонки: 1–5",
    details: dict[str, object] | None = None,
) -> Invoice:
    """A draft of a whole month with one line for each of ``rows``."""
    period = month_of(month, subscription.time_zone)
    at = period.until + timedelta(days=3)
    last = Invoice.objects.filter(subscription=subscription, period_start=period.start).aggregate(
        n=Max("revision")
    )
    invoice = Invoice.objects.create(
        seller=subscription.seller, company=subscription.company, subscription=subscription,
        period_start=period.start, period_end=period.end, revision=(last["n"] or 0) + 1, input_hash="0" * 64,
        cut_event=period.until, cut_stored=at, drafted_at=at,
    )  # fmt: skip
    total = vat = ZERO
    for place, (amount, percent) in enumerate(rows, 1):
        mode = VatMode.INCLUDED if percent else VatMode.NONE
        money = taxed(
            Decimal(amount),
            mode=mode,
            rates=VatRates([(period.start, Decimal(percent or 0))]),
            supplied=period.last,
        )
        InvoiceLine.objects.create(
            invoice=invoice, position=place, kind="tier", title_ru=title, title_en="Calls at once: 1–5",
            begin_on=period.start, end_on=period.end, share_days=period.days, month_days=period.days, quantity=1,
            unit_price=Decimal(amount), net=money.net, vat_rate=money.rate, vat=money.vat, amount=money.amount,
            details=details or {},
        )  # fmt: skip
        total, vat = total + money.amount, vat + money.vat
    invoice.total, invoice.vat = total, vat
    invoice.save(update_fields=["total", "vat"])
    return invoice


def unpriced(subscription: Subscription, month: date = date(2026, 6, 1)) -> Invoice:
    """Above the last tier, nothing agreed: it waits for a person."""
    invoice = draft(subscription, month)
    invoice.lines.update(kind="unagreed", unit_price=None, net=None, vat=None, amount=None, quantity=41)
    invoice.state, invoice.total, invoice.vat = InvoiceState.NEEDS_APPROVAL, None, None
    invoice.save()
    return invoice
