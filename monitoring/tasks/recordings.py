"""Recordings come from the PBXs' folders into the storage; now and then both are compared."""

from __future__ import annotations

import logging

from celery import shared_task

from monitoring.services import recording_inbox
from tenants.tasks import TenantTask

log = logging.getLogger(__name__)


@shared_task(base=TenantTask, name="monitoring.collect_recordings")
def collect_recordings(company: str) -> None:
    """Take in what the company's PBXs have left; a second worker finds nothing to do."""
    done = recording_inbox.collect()
    if done.stored or done.orphans or done.broken:
        log.info("Recordings of %s: %s", company, done)


@shared_task(base=TenantTask, name="monitoring.check_recordings")
def check_recordings(company: str) -> None:
    """Find the rows whose file is gone."""
    gone = recording_inbox.scan()
    if gone:
        log.warning("Recordings of %s: the files of %d are gone", company, gone)
