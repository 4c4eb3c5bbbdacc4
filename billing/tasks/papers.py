"""Issuing many drafts at somebody's click, and the letters with what was issued."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from billing.services import batches, invoice_letters
from tenants.scope import public_scope


@shared_task(name="billing.send_invoice", ignore_result=True)
def send_invoice(invoice_id: int) -> None:
    """Send one issued invoice to its payer. Given twice, one letter goes out."""
    with public_scope():
        invoice_letters.send(invoice_id)


@shared_task(name="billing.send_unsent_invoices", ignore_result=True)
def send_unsent_invoices() -> None:
    """For the timetable: letters whose message to a worker was lost."""
    with public_scope():
        waiting = invoice_letters.unsent(now=timezone.now())
    for invoice_id in waiting:
        send_invoice.delay(invoice_id)


@shared_task(name="billing.finalise_batch", ignore_result=True)
def finalise_batch(act_id: int) -> None:
    """Issue the drafts of one request. Given twice, or again after a crash, each is issued once."""
    with public_scope():
        batches.carry_out(act_id)
