"""Exports are made and tidied away in the background."""

from __future__ import annotations

from celery import shared_task

from monitoring.services import exports, journal_export, report_tables
from tenants.tasks import TenantTask

KINDS = (journal_export, report_tables)  # imported, so that the worker knows them


@shared_task(base=TenantTask, name="monitoring.make_export")
def make_export(company: str, export_id: int) -> None:
    """Write the file of an export; given twice it is written once."""
    exports.make(export_id)


@shared_task(base=TenantTask, name="monitoring.sweep_exports")
def sweep_exports(company: str) -> None:
    """Delete the company's expired exports, and hand over those whose maker has died."""
    exports.sweep()
