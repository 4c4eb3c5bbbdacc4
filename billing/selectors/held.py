"""What a company takes at a moment: its subscription, the plan of today, and the one it changes to.

All days are local to the subscription; whoever asks gives the moment, never a clock of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Max

from billing.domain.periods import local_day
from billing.models import Account, Invoice, InvoiceState, Phase, Subscription
from tenants.models import Company

ISSUED = (InvoiceState.FINALISED, InvoiceState.PAID)


@dataclass(frozen=True, slots=True)
class Held:
    """``phase``: the plan of ``today``, or the first one of a subscription that has not begun.

    ``coming``: the first of another plan after it, None when no change is planned.
    """

    subscription: Subscription
    today: date
    phase: Phase
    coming: Phase | None

    @property
    def has_begun(self) -> bool:
        return self.subscription.starts_on <= self.today


def held(company: Company, *, now: datetime) -> Held | None:
    """The subscription of the day ``now`` is in, else the next that begins; None when there is neither."""
    for subscription in company.subscriptions.order_by("starts_on"):
        today = local_day(now, subscription.time_zone)
        if subscription.ends_on is not None and subscription.ends_on <= today:
            continue
        phases = list(
            subscription.phases.select_related("version__plan", "subscription").order_by("starts_on")
        )
        left = [phase for phase in phases if phase.ends_on is None or phase.ends_on > today]
        if left:
            now_held = left[0].version.plan_id
            coming = next((phase for phase in left if phase.version.plan_id != now_held), None)
            return Held(subscription, today, left[0], coming)
    return None


def invoiced_until(subscription: Subscription) -> date | None:
    """The first day no issued invoice has billed; None when none was issued."""
    found: date | None = Invoice.objects.filter(subscription=subscription, state__in=ISSUED).aggregate(
        last=Max("period_end")
    )["last"]
    return found


def account_of(company: Company) -> Account:
    """The company as one who pays; a blank, unsaved one until somebody has filled it in."""
    return Account.objects.filter(company=company).select_related("company").first() or Account(
        company=company
    )
