"""Norms are looked at every quarter of a minute, and letters about what was found are written."""

from __future__ import annotations

from celery import shared_task

from monitoring.services import alert_letters, alerts
from tenants.tasks import TenantTask


# What waited longer than until the next look is of no use to anybody.
@shared_task(base=TenantTask, name="monitoring.watch_norms", expires=15)
def watch_norms(company: str) -> None:
    """Judge the company's norms by its live board. Two at once: one does it."""
    alerts.look()
    alert_letters.write()
