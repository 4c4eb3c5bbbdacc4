"""Reminders of invoices that are overdue: a letter one, five and ten days after the day it was due, each once.

That a reminder goes out is committed before the letter does: whatever dies between the two loses a letter and never
sends it twice. Where no mail server took it, the row goes again and the next look tries anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from billing.models import Reminder
from billing.selectors import balance
from billing.selectors.balance import OwedInvoice
from billing.selectors.rubles import rubles
from billing.selectors.standing import days_late
from billing.services import acts, letters
from billing.services.acts import TIMETABLE
from tenants.models import Company


def late_companies(*, now: datetime) -> list[int]:
    """Ids of companies with an overdue invoice a reminder of which may be due."""
    found = balance.unpaid().filter(due_on__lt=now.date() + timedelta(days=1))
    return sorted({invoice.company_id for invoice in found})


def remind(*, now: datetime, company: Company | None = None) -> int:
    """Write what is due by ``now`` to one company or all; returns how many letters went out.

    Days are local to each subscription. After a pause only the latest letter is written, the earlier are marked as
    left out: three at once would be noise.
    """
    rows = balance.unpaid(company).select_related("company", "subscription", "seller")
    sent = 0
    for invoice in rows.filter(due_on__lt=now.date() + timedelta(days=1)):
        day = _claim(invoice, now)
        if day is not None:
            sent += _write(invoice, day, now)
    return sent


def _claim(invoice: OwedInvoice, now: datetime) -> int | None:
    """Which letter this one is to write, None when there is none: of two workers one gets the row."""
    late = days_late(invoice, now)
    due = [day for day in sorted(settings.BILLING_REMINDER_DAYS) if day <= late]
    known = set(invoice.reminders.values_list("day", flat=True))
    if not due or due[-1] in known:
        return None
    with transaction.atomic(durable=True):
        for day in due:
            _row, made = Reminder.objects.get_or_create(invoice=invoice, day=day, defaults={"sent_at": now})
    return due[-1] if made else None


def _write(invoice: OwedInvoice, day: int, now: datetime) -> int:
    company = invoice.company
    with letters.speaking(company):
        words = _words(invoice, days_late(invoice, now))
        subject = _("Reminder: invoice No. %(number)s for %(total)s is not paid") % {
            "number": invoice.full_number, "total": rubles(invoice.total),
        }  # fmt: skip
        text = render_to_string("billing/letters/reminder.txt", words)
    sent = letters.send(company=company, subject=subject, text=text)
    row = Reminder.objects.filter(invoice=invoice, day=day)
    if sent:
        row.update(sent_to=", ".join(sent)[:500])
    else:
        row.delete()
    acts.record(
        who=TIMETABLE, verb="invoice.remind", company=company, what=invoice.full_number, done=bool(sent),
        details={"invoice": invoice.pk, "day": day, "to": sent, "owed": f"{invoice.owed:.2f}"},
    )  # fmt: skip
    return len(sent)


def _words(invoice: OwedInvoice, late: int) -> dict[str, Any]:
    assert invoice.due_on is not None
    return {
        "number": invoice.full_number,
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "late": late,
        "owed": invoice.owed,
        "seller": invoice.seller_copy,
        "read_only_on": invoice.due_on + timedelta(days=settings.BILLING_READ_ONLY_DAYS),
        "suspended_on": invoice.due_on + timedelta(days=settings.BILLING_SUSPENDED_DAYS),
        "address": letters.address_of(invoice.company, "billing:overview"),
    }
