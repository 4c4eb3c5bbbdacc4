"""What is too old goes, hour by hour; what a customer asked to have removed goes at once."""

from __future__ import annotations

from celery import shared_task

from monitoring.services import erasure, retention
from tenants.tasks import TenantTask


@shared_task(base=TenantTask, name="monitoring.clean")
def clean(company: str) -> None:
    """Remove what the company no longer keeps; more than fits into one task is taken up by the next one."""
    for unfinished in erasure.unfinished():
        erasure.carry_out(unfinished)
    if retention.clean():
        clean.apply_async((company,), countdown=5)


@shared_task(base=TenantTask, name="monitoring.erase")
def erase(company: str, erasure_id: int) -> None:
    """Remove one customer's data, as was asked."""
    erasure.carry_out(erasure_id)
