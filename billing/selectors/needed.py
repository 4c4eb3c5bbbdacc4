"""Which calls money still needs: those of months that are not invoiced yet are not removed before they are counted."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max, Q

from billing.domain.periods import midnight
from billing.models import InvoiceState, Subscription

# A platform that does not issue its invoices does not hold people's calls for ever.
AT_MOST = timedelta(days=100)


def calls_since(company: str, *, now: datetime) -> datetime | None:
    """Calls from this moment on are still to be billed; None when there are none. Asked within the company's scope."""
    issued = Q(invoices__state__in=(InvoiceState.FINALISED, InvoiceState.PAID))
    found = Subscription.objects.filter(company__schema_name=company).annotate(
        billed=Max("invoices__period_end", filter=issued)
    )
    needed = [
        midnight(max(one.billed or one.starts_on, one.starts_on), one.time_zone)
        for one in found
        if one.ends_on is None or (one.billed or one.starts_on) < one.ends_on
    ]
    return max(min(needed), now - AT_MOST) if needed else None
