"""The look at every company's use of its plan and of its own limits, every few minutes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from billing.services import limits
from tenants.models import Company
from tenants.tasks import TenantTask


@shared_task(base=TenantTask, name="billing.watch_limits", ignore_result=True)
def watch_limits(company: str) -> None:
    """Tell the company what it has reached. Run twice or by two at once, it is told once."""
    limits.watch(Company.objects.get(schema_name=company), now=timezone.now())
