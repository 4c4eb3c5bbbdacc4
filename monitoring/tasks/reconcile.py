"""Windows in which a PBX was not heard are filled from its own records, as soon as it is heard again."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from monitoring.models.quality import BlindWindow
from monitoring.services import call_records
from monitoring.services.reconcile import reconcile as fill_windows
from tenants.models import Company
from tenants.scope import ScopeError, company_scope, public_scope
from tenants.tasks import TenantTask

UNSETTLED = (BlindWindow.State.OPEN, BlindWindow.State.WAITING)


@shared_task(base=TenantTask, name="monitoring.reconcile")
def reconcile(company: str) -> int:
    """Fill what can be filled now; how many windows were looked at."""
    return len(fill_windows(company, now=timezone.now()))


@shared_task(name="monitoring.reconcile_where_needed")
def reconcile_where_needed() -> list[str]:
    """For the timetable: ``reconcile`` for the companies that have an unsettled window, hardly ever any."""
    with public_scope():
        slugs = list(Company.objects.filter(active=True).values_list("schema_name", flat=True))
    needed = [slug for slug in slugs if _has_unsettled(slug)]
    for slug in needed:
        reconcile.apply_async((slug,), expires=60)
    return needed


@shared_task(name="monitoring.forget_records")
def forget_records() -> int:
    """Delete what PBXs wrote of calls longer ago than any of their companies keeps events; how many rows."""
    return call_records.forget_old(now=timezone.now())


def _has_unsettled(slug: str) -> bool:
    try:
        with company_scope(slug):
            return BlindWindow.objects.filter(state__in=UNSETTLED).exists()
    except ScopeError:
        return False  # it is being made, or its schema is gone
