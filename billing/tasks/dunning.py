"""Reminders go out by day, one task a company: a slow mail server holds nobody else up."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from billing.services import dunning
from tenants.models import Company
from tenants.scope import public_scope


@shared_task(name="billing.remind_debtors", ignore_result=True)
def remind_debtors() -> None:
    """For the timetable: look at everybody who is late."""
    with public_scope():
        late = dunning.late_companies(now=timezone.now())
    for company in late:
        remind_company.delay(company)


@shared_task(name="billing.remind_company", ignore_result=True)
def remind_company(company_id: int) -> None:
    """Write what is due to one company. Given twice, each letter goes out once."""
    with public_scope():
        dunning.remind(now=timezone.now(), company=Company.objects.get(pk=company_id))
