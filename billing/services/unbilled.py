"""Use that no invoice will ever hold: by companies without a subscription, and late calls of those that have left."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Q

from billing.domain.periods import month_of
from billing.models import ReviewKind
from billing.services import corrections, review
from monitoring import facade
from tenants.models import Company


def look(*, month: date, now: datetime) -> int:
    """Note every company that used the portal in ``month`` and had no subscription in it; how many entries.

    A month is the company's own, in its present time zone.
    """
    return sum(_look_at(company, month, now) for company in _without(month))


def _without(month: date) -> list[Company]:
    end = month_of(month, "UTC").end
    served = Q(subscriptions__starts_on__lt=end) & (
        Q(subscriptions__ends_on=None) | Q(subscriptions__ends_on__gt=month)
    )
    with_one = Company.objects.filter(served).values("pk")
    return list(Company.objects.exclude(pk__in=with_one).exclude(schema_name="public").order_by("pk"))


def _look_at(company: Company, month: date, now: datetime) -> int:
    period = month_of(month, company.time_zone)
    noted = corrections.look_at_left(company, month, now=now)
    calls = facade.calls_mark(company.slug, period.begin, period.until, now=now).calls
    profiles = {one.profile for one in facade.profile_activity(company.slug, period.begin, period.until)}
    if not calls and not profiles:
        return noted
    review.note(
        kind=ReviewKind.NO_SUBSCRIPTION, company=company, period_start=period.start, now=now,
        details={"calls": calls, "profiles": len(profiles)}, mark=review.fingerprint("use", period.start),
    )  # fmt: skip
    return noted + 1
