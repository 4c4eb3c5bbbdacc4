"""The sums of the past are built while they are fresh: every company is looked at three times a minute."""

from __future__ import annotations

from celery import shared_task

from monitoring.services import rollups
from tenants.tasks import TenantTask


@shared_task(base=TenantTask, name="monitoring.build_rollups", ignore_result=True)
def build_rollups(company: str) -> None:
    """Build what is over or stale. Two at once, or one twice, leave the same sums."""
    rollups.build(seconds=10.0)
