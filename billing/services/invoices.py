"""Issuing invoices: a draft gets its number and does not change again; what was wrong is voided or credited.

The order within a transaction is always the company's money, the invoice's row, then its seller's numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.domain.money import ZERO
from billing.domain.periods import local_day
from billing.models import (
    OPEN_STATES,
    Account,
    Invoice,
    InvoiceLine,
    InvoiceState,
    ReviewItem,
    ReviewKind,
)
from billing.services import acts, payments, review
from billing.services.acts import Who
from billing.services.credits import credit
from billing.services.errors import BillingError, NotNow, NotPriced, NotThere
from billing.services.numbers import invoice_number
from billing.services.sides import copy_of, missing_of
from monitoring import facade

__all__ = ["Batch", "copy_of", "credit", "finalise", "finalise_many", "missing_of", "void"]


@dataclass(frozen=True, slots=True)
class Batch:
    """``refused``: (invoice, why not) for a person to read."""

    issued: list[Invoice]
    refused: list[tuple[Invoice, str]]


def finalise(*, who: Who, invoice: Invoice, today: date | None = None) -> Invoice:
    """Issue a draft. ``today``: the date of the paper; None: the present day in the subscription's zone.

    What the payer had over is spent on it at once; an invoice over nothing is paid by being issued. Raises NotPriced,
    NotNow (issued already, its days are not over, legal details are missing: that goes on the review list too).
    """
    day = today or local_day(timezone.now(), invoice.subscription.time_zone)
    _refuse_without_papers(invoice)
    with transaction.atomic():
        payments.hold(invoice.company)
        row = _locked(invoice)
        _refuse_unless_draft(row, day)
        account = Account.objects.get(company=row.company_id)
        row.year = day.year
        row.number = _next_number(row.seller_id, day.year)
        row.full_number = invoice_number(row.seller.prefix, day.year, row.number)
        row.issued_on, row.due_on = day, day + timedelta(days=settings.BILLING_DUE_DAYS)
        row.seller_copy, row.buyer_copy = copy_of(row.seller), copy_of(account)
        row.state, row.finalised_at = InvoiceState.FINALISED, timezone.now()
        row.save()
        if row.total == ZERO:
            row.state, row.paid_at = InvoiceState.PAID, row.finalised_at
            row.save(update_fields=["state", "paid_at"])
        acts.record(
            who=who, verb="invoice.finalise", company=row.company, what=row.full_number,
            details={"invoice": row.pk, "total": str(row.total), "issued_on": day.isoformat()},
        )  # fmt: skip
        ReviewItem.objects.filter(
            invoice=row, kind__in=(ReviewKind.NO_PAPERS, ReviewKind.NO_PRICE), settled_at=None
        ).update(settled_at=row.finalised_at, settled_by=who.name, note=_("The invoice is issued."))
        payments.settle(row.company)
        facade.tell(
            str(row.company.schema_name),
            "invoice.finalised",
            f"invoice-{row.pk}",
            _told(row),
            row.finalised_at,
        )
        transaction.on_commit(lambda: send_later(row.pk), robust=True)
    row.refresh_from_db()
    return row


def finalise_many(
    *, who: Who, invoices: Iterable[Invoice], today: date | None = None, batch: int | None = None
) -> Batch:
    """Each in its own transaction, in the order given; one that cannot be issued does not hold the others up.

    ``batch``: the act that asked for it, so that its page finds why some were refused.
    """
    done = Batch([], [])
    for invoice in invoices:
        try:
            done.issued.append(finalise(who=who, invoice=invoice, today=today))
        except BillingError as error:
            # Somebody else's click or a second worker has issued it meanwhile: that is no refusal.
            if Invoice.objects.filter(pk=invoice.pk, state__in=OPEN_STATES).exists():
                done.refused.append((invoice, str(error.message)))
                acts.record(
                    who=who, verb="invoice.finalise", company=invoice.company, what=invoice, done=False,
                    details={"invoice": invoice.pk, "why": str(error.message), "batch": batch},
                )  # fmt: skip
    return done


def void(*, who: Who, invoice: Invoice, reason: str) -> Invoice:
    """Take an issued invoice back; its number stays used, its month may be drafted anew. Raises NotNow.

    Not when money was paid or given back on it, nor when a later invoice corrects it: undo that first.
    """
    if not reason.strip():
        raise NotNow(_("Say why the invoice is taken back."))
    with transaction.atomic():
        payments.hold(invoice.company)
        row = _locked(invoice)
        if row.state not in (InvoiceState.FINALISED, InvoiceState.PAID):
            raise NotNow(_("Only an issued invoice can be voided."))
        if row.allocations.exists():
            raise NotNow(_("Money was paid on this invoice: take the payment off it first."))
        if row.credit_notes.exists():
            raise NotNow(_("Money was given back on this invoice: it cannot be voided any more."))
        if InvoiceLine.objects.filter(corrects=row).exclude(invoice__state=InvoiceState.VOID).exists():
            raise NotNow(_("A later invoice corrects this one: void or redraft that one first."))
        if row.state == InvoiceState.PAID:  # it was over nothing
            row.state, row.paid_at = InvoiceState.FINALISED, None
            row.save(update_fields=["state", "paid_at"])
        row.state, row.voided_at, row.void_reason = InvoiceState.VOID, timezone.now(), reason.strip()[:300]
        row.save(update_fields=["state", "voided_at", "void_reason"])
        acts.record(
            who=who, verb="invoice.void", company=row.company, what=row.full_number,
            details={"invoice": row.pk, "reason": row.void_reason, "total": str(row.total)},
        )  # fmt: skip
        payments.settle(row.company)
    return row


def send_later(invoice_id: int) -> None:
    """Queue the letter with the papers. A broker that is away is made up for by the timetable."""
    current_app.loader.import_default_modules()  # a web process has not read the tasks yet
    current_app.tasks["billing.send_invoice"].apply_async((invoice_id,), retry=False)


def _locked(invoice: Invoice) -> Invoice:
    row = (
        Invoice.objects.select_for_update(of=("self",))
        .select_related("company", "seller", "subscription")
        .filter(pk=invoice.pk)
        .first()
    )
    if row is None:
        raise NotThere(_("There is no such invoice."))
    return row


def _refuse_unless_draft(row: Invoice, day: date) -> None:
    if row.state == InvoiceState.NEEDS_APPROVAL:
        raise NotPriced(_("A price above the last tier is to be agreed first."))
    if row.state != InvoiceState.DRAFT:
        raise NotNow(_("This invoice is issued already."))
    if day < row.period_end:
        raise NotNow(_("Its days are not over yet: a month is billed afterwards."))


def _refuse_without_papers(invoice: Invoice) -> None:
    """Before the transaction: what is noted for a person must not be rolled back with the refusal."""
    if invoice.state not in OPEN_STATES:
        return
    account = Account.objects.filter(company=invoice.company_id).first() or Account(company=invoice.company)
    lacking = {"payer": missing_of(account), "seller": missing_of(invoice.seller)}
    if not any(lacking.values()):
        return
    review.note(
        kind=ReviewKind.NO_PAPERS, company=invoice.company, mark=f"papers-{invoice.pk}", now=timezone.now(),
        subscription=invoice.subscription, invoice=invoice, period_start=invoice.period_start, details=lacking,
        again=True,
    )  # fmt: skip
    said = []
    if lacking["payer"]:
        said.append(
            _("Fill in the payer's details first: %(names)s.") % {"names": ", ".join(lacking["payer"])}
        )
    if lacking["seller"]:
        said.append(
            _("Fill in the seller's details first: %(names)s.") % {"names": ", ".join(lacking["seller"])}
        )
    raise NotNow(" ".join(said))


def _next_number(seller: int, year: int) -> int:
    """Under the lock the table's own trigger takes: who comes second counts after the first has committed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('billing.invoice'), %s)", [seller * 10_000 + year]
        )
    last = Invoice.objects.filter(seller=seller, year=year).aggregate(last=Max("number"))["last"]
    return int(last or 0) + 1


def _told(row: Invoice) -> dict[str, object]:
    assert row.issued_on is not None
    assert row.due_on is not None
    return {
        "id": row.pk,
        "number": row.full_number,
        "period_start": row.period_start.isoformat(),
        "period_end": row.period_end.isoformat(),
        "issued_on": row.issued_on.isoformat(),
        "due_on": row.due_on.isoformat(),
        "total": str(row.total),
        "vat": str(row.vat),
    }
