"""Scheduled reports go out: what is due is claimed once, then sent one run at a time."""

from __future__ import annotations

from celery import shared_task

from monitoring.services import report_letters, reports
from tenants.models import Company
from tenants.tasks import TenantTask


@shared_task(base=TenantTask, name="monitoring.send_due_reports", ignore_result=True)
def send_due_reports(company: str) -> None:
    """Claim what is due now and queue its sending."""
    row = Company.objects.get(schema_name=company)
    for run in reports.claim_due(zone=row.time_zone):
        send_report.delay(company, run)


@shared_task(base=TenantTask, name="monitoring.send_report", ignore_result=True)
def send_report(company: str, run: int) -> None:
    """Send one run. Given twice, every letter goes out once."""
    row = Company.objects.get(schema_name=company)
    report_letters.send(run, company=row.name, zone=row.time_zone)
