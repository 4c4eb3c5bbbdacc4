"""Ended sessions are forgotten."""

from __future__ import annotations

from celery import shared_task
from django.core.management import call_command

from tenants.scope import public_scope
from tenants.tasks import TenantTask


@shared_task(base=TenantTask, name="monitoring.forget_sessions")
def forget_sessions(company: str) -> None:
    """Delete the company's ended sessions; a live one is never touched."""
    call_command("clearsessions")


@shared_task(name="monitoring.forget_platform_sessions")
def forget_platform_sessions() -> None:
    """The same for platform staff, who live in no company."""
    with public_scope():
        call_command("clearsessions")
