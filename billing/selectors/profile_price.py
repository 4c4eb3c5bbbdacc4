"""What one more monitoring profile would cost a company: asked by monitoring before it switches one on.

Nothing is asked where nothing is charged: no tariff by profiles, or one of those that are included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.domain.metering import Facts
from billing.domain.money import ZERO
from billing.domain.periods import Period, following, month_of
from billing.domain.pricing import Fee, PerProfile
from billing.domain.rating import Phase, rate
from billing.domain.spans import Open
from billing.selectors.held import account_of, held
from billing.selectors.rubles import rubles_short
from billing.selectors.subscriptions import phases_for
from billing.selectors.taxes import vat_rates
from monitoring import facade
from monitoring.contracts import FurtherProfile
from tenants.models import Company


@dataclass(frozen=True, slots=True)
class OneMore:
    """Roubles as the company pays them, with tax. ``on``: how many are on now, ``included`` in the plan.

    ``this_month``: more on this month's invoice than if nothing changed until its end. ``monthly``: more in every
    whole month after it, ``total``: what such a month costs then. ``once``: paid on connection and never again.
    """

    on: int
    included: int
    this_month: Decimal
    monthly: Decimal
    total: Decimal
    once: bool


def further(company: str, *, now: datetime) -> FurtherProfile | None:
    """What to ask before one more profile is on, or why it may not be; None when there is nothing to say."""
    row = Company.objects.get(schema_name=company)
    limit = account_of(row).profile_limit
    on = profiles_on(company, now=now)
    if limit is not None and on >= limit:
        return FurtherProfile(
            refusal=_(
                "The company has limited itself to %(limit)d profiles at once. Switch another one off, or ask an "
                "admin to raise the limit under “Tariff and invoices”."
            )
            % {"limit": limit}
        )
    more = one_more(row, now=now)
    return None if more is None else _in_words(more)


def profiles_on(company: str, *, now: datetime) -> int:
    """How many monitoring profiles are on and stay on."""
    second = timedelta(seconds=1)
    return sum(span.ended is None for span in facade.profile_activity(company, now - second, now + second))


def one_more(company: Company, *, now: datetime) -> OneMore | None:
    """None where it is not charged for."""
    has = held(company, now=now)
    if has is None or not has.has_begun:
        return None
    month = month_of(has.today, has.subscription.time_zone)
    phases = phases_for(has.subscription, month)
    today = next((p for p in phases if p.start <= has.today and (p.end is None or has.today < p.end)), None)
    if today is None or not isinstance(model := today.model_on(has.today), PerProfile):
        return None
    activity: list[tuple[str, Open]] = [
        (str(span.profile), (span.started, span.ended))
        for span in facade.profile_activity(company.slug, month.begin, month.until)
    ]
    on = sum(span[1] is None for _profile, span in activity)
    if on < model.included:
        return None
    this_month = _cost(month, phases, [*activity, ("one more", (now, None))]) - _cost(month, phases, activity)
    once = model.fee is Fee.ONCE
    if once and not this_month:
        return None
    monthly, total = (ZERO, ZERO) if once else _whole_month(today, following(month), on)
    return OneMore(on, model.included, this_month, monthly, total, once)


def _whole_month(phase: Phase, month: Period, on: int) -> tuple[Decimal, Decimal]:
    """How much more a month with one more profile costs than with ``on``, and what it costs."""
    whole = [replace(phase, start=month.start, end=None)]

    def with_profiles(count: int) -> Decimal:
        return _cost(month, whole, [(str(n), (month.begin, None)) for n in range(count)])

    total = with_profiles(on + 1)
    return total - with_profiles(on), total


def _cost(month: Period, phases: list[Phase], activity: list[tuple[str, Open]]) -> Decimal:
    # Calls are left out on both sides of the difference: tiers are the same in both.
    total = rate(month, phases, Facts(profiles=activity), vat_rates()).total
    return ZERO if total is None else total


def _in_words(more: OneMore) -> FurtherProfile:
    price = rubles_short(more.this_month if more.once else more.monthly)
    points = [
        _("On now: %(on)d; included in the plan: %(included)d.") % {"on": more.on, "included": more.included}
    ]
    if more.once:
        title = _("One more monitoring profile: %(price)s, paid once") % {"price": price}
        confirm = _("Switch it on for %(price)s") % {"price": price}
    else:
        title = _("One more monitoring profile: +%(price)s a month") % {"price": price}
        confirm = _("Switch it on for +%(price)s a month") % {"price": price}
        if more.this_month:
            points.append(
                _("On this month's invoice: +%(price)s.") % {"price": rubles_short(more.this_month)}
            )
        else:
            points.append(_("Nothing more this month: as many were on at once before."))
        points.append(_("A whole month with all of them: %(price)s.") % {"price": rubles_short(more.total)})
    return FurtherProfile(
        agreement=f"{more.on + 1}:{more.this_month}:{more.monthly}",
        title=title, points=tuple(points), confirm=confirm,
    )  # fmt: skip
