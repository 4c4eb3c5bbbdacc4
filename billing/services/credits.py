"""Credit notes: money given back on an issued invoice, with its VAT, never more than is left of it."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.domain.crediting import RateShare, divided
from billing.domain.money import ZERO, kopecks
from billing.domain.periods import local_day
from billing.models import CreditNote, Invoice, InvoiceState
from billing.selectors.rates import standing
from billing.services import acts, payments
from billing.services.acts import Who
from billing.services.errors import BadTerms, NotNow, NotThere
from billing.services.numbers import credit_number

ISSUED = (InvoiceState.FINALISED, InvoiceState.PAID)


def credit(
    *,
    who: Who,
    invoice: Invoice,
    amount: Decimal,
    reason: str,
    kind: str = "by hand",
    fingerprint: str | None = None,
    vat_rate: Decimal | None = None,
    today: date | None = None,
) -> CreditNote:
    """Give ``amount`` (roubles with VAT) back. Asked twice under one ``fingerprint`` it is given once.

    ``vat_rate``: percent of the lines it is for; None divides it over all rates of the invoice by what is left of
    each. ``today``: the note's date; None: the present day in the subscription's zone. What was paid beyond the rest
    returns to the payer's balance, and from there to its other invoices. Raises NotNow, BadTerms.
    """
    sum_ = kopecks(amount)
    if sum_ != amount or sum_ <= 0:
        raise BadTerms(_("Write an amount above zero, in roubles and kopecks."))
    if not reason.strip():
        raise BadTerms(_("Say why money is given back."))
    mark = fingerprint or uuid.uuid4().hex
    with transaction.atomic():
        payments.hold(invoice.company)
        row = (
            Invoice.objects.select_for_update(of=("self",))
            .select_related("company", "seller", "subscription")
            .filter(pk=invoice.pk)
            .first()
        )
        if row is None:
            raise NotThere(_("There is no such invoice."))
        known = row.credit_notes.filter(fingerprint=mark).first()
        if known is not None:
            return known
        shares = _shares(row, sum_, vat_rate)
        day = today or local_day(timezone.now(), row.subscription.time_zone)
        note = _write(who, row, sum_, shares, day, reason.strip()[:300], kind, mark)
        acts.record(
            who=who, verb="invoice.credit", company=row.company, what=row.full_number,
            details={
                "invoice": row.pk, "note": note.full_number, "amount": str(sum_), "reason": note.reason, "kind": kind,
            },
        )  # fmt: skip
        payments.settle(row.company)
    return note


def _shares(row: Invoice, amount: Decimal, vat_rate: Decimal | None) -> list[RateShare]:
    if row.state not in ISSUED:
        raise NotNow(_("Money is given back on an issued invoice only."))
    left = standing(row)
    if vat_rate is not None:
        left = [share for share in left if share.rate == vat_rate]
    most = sum((max(share.amount, ZERO) for share in left), ZERO)
    if amount > most:
        raise NotNow(_("At most %(most)s ₽ can be given back on this invoice.") % {"most": f"{most:.2f}"})
    return divided(left, amount)


def _write(
    who: Who,
    row: Invoice,
    amount: Decimal,
    shares: list[RateShare],
    day: date,
    reason: str,
    kind: str,
    mark: str,
) -> CreditNote:
    vat = sum((share.vat for share in shares), ZERO)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('billing.credit'), %s)",
            [row.seller_id * 10_000 + day.year],
        )
    last = CreditNote.objects.filter(seller=row.seller_id, year=day.year).aggregate(last=Max("number"))[
        "last"
    ]
    number = int(last or 0) + 1
    return CreditNote.objects.create(
        seller=row.seller, company=row.company, invoice=row, kind=kind, year=day.year, number=number,
        full_number=credit_number(row.seller.prefix, day.year, number), issued_on=day,
        net=amount - vat, vat=vat, amount=amount, vat_rate=shares[0].rate if len(shares) == 1 else None,
        reason=reason, fingerprint=mark, made_at=timezone.now(), made_by=who.name,
        # The sides as the invoice names them: the note is about that paper, whatever they are called since.
        seller_copy=row.seller_copy, buyer_copy=row.buyer_copy,
    )  # fmt: skip
