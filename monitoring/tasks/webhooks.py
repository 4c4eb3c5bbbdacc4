"""Messages to webhooks leave by these tasks: soon after they are queued, and by the timetable for what was put off."""

from __future__ import annotations

from celery import shared_task

from monitoring.services import delivery
from tenants.tasks import TenantTask


@shared_task(base=TenantTask, name=delivery.TASK)
def deliver_webhooks(company: str) -> None:
    """Send what is due; goes on in another task when there is much, so that other companies get their turn."""
    if delivery.deliver():
        deliver_webhooks.delay(company)


@shared_task(base=TenantTask, name="monitoring.forget_deliveries")
def forget_deliveries(company: str) -> None:
    """Delete old messages."""
    delivery.forget()
