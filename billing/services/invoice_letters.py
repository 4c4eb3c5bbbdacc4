"""The letter with an issued invoice and its act, to the payer, once; what was not sent is found again."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Act, Invoice, InvoiceState
from billing.selectors.rubles import rubles
from billing.services import acts, letters, paper
from billing.services.acts import TIMETABLE

SENT = "invoice.send"
# A lost message to a worker is made up for within a day or two; an older invoice is no news any more.
_LOOKED_BACK, _LEFT_ALONE = timedelta(days=2), timedelta(minutes=10)


def send(invoice_id: int) -> list[str]:
    """Send the papers unless they were; returns the addresses.

    What is written before the letter goes out is that it goes: a crash between the two loses a letter, never sends
    two. The invoice is on the company's page either way.
    """
    with transaction.atomic():
        invoice = (
            Invoice.objects.select_for_update(of=("self",))
            .select_related("company", "seller")
            .filter(pk=invoice_id, state__in=(InvoiceState.FINALISED, InvoiceState.PAID))
            .first()
        )
        if invoice is None or Act.objects.filter(verb=SENT, details__invoice=invoice_id).exists():
            return []
        to = letters.addresses(invoice.company)
        acts.record(
            who=TIMETABLE, verb=SENT, company=invoice.company, what=invoice.full_number, done=bool(to),
            details={"invoice": invoice.pk, "to": to},
        )  # fmt: skip
    name = invoice.full_number.replace("/", "-")
    files = [
        (f"{name}.pdf", paper.invoice_pdf(invoice), "application/pdf"),
        (f"{name}-akt.pdf", paper.act_pdf(invoice), "application/pdf"),
    ]
    with letters.speaking(invoice.company):
        words = {
            "number": invoice.full_number, "total": rubles(invoice.total), "due": f"{invoice.due_on:%d.%m.%Y}",
            "company": invoice.buyer_copy.get("legal_name", ""),
            "address": letters.address_of(invoice.company, "billing:invoice", invoice.pk),
        }  # fmt: skip
        subject = _("Invoice No. %(number)s for %(total)s") % words
        if invoice.state == InvoiceState.PAID:
            text = _(
                "%(company)s: invoice No. %(number)s for %(total)s is issued. It is paid already."
                "\n\nThe invoice and the act are attached. What it consists of, line by line: %(address)s"
            )
        else:
            text = _(
                "%(company)s: invoice No. %(number)s for %(total)s is issued. Please pay it by %(due)s."
                "\n\nThe invoice and the act are attached. What it consists of, line by line: %(address)s"
            )
        return letters.send(company=invoice.company, subject=subject, text=text % words, attachments=files)


def unsent(*, now: datetime) -> list[int]:
    """Invoices issued a while ago whose letter nobody has begun to send."""
    since = now - _LOOKED_BACK
    known = Act.objects.filter(verb=SENT, at__gte=since).values_list("details__invoice", flat=True)
    rows = Invoice.objects.filter(
        state__in=(InvoiceState.FINALISED, InvoiceState.PAID), finalised_at__range=(since, now - _LEFT_ALONE)
    )
    return list(rows.exclude(pk__in=[pk for pk in known if pk]).order_by("pk").values_list("pk", flat=True))
