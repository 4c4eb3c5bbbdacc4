"""Taking a plan, changing it, agreeing on a price, ending: a phase is cut and the next begins, in one transaction.

Two who act for one company at once wait for each other; the second sees what the first did. What is invoiced stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal

from django.db import connection, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import Phase, Plan, Seller, Subscription
from billing.selectors.held import Held, held, invoiced_until
from billing.services.acts import Who, record
from billing.services.errors import BadTerms, NotNow, NotThere
from billing.services.offers import Offer, offer, version_on
from tenants.models import Company

__all__ = [
    "Offer",
    "agree_price",
    "cancel_change",
    "change_plan",
    "close",
    "offer",
    "open_subscription",
]


def open_subscription(
    *, who: Who, company: Company, plan: Plan, seller: Seller | None = None, starts_on: date
) -> Subscription:
    """A subscription from ``starts_on``, in the company's time zone, frozen. ``seller``: the first one by default.

    The same asked twice is one. Raises NotThere (a plan not on offer, or without prices), NotNow.
    """
    _may_choose(who, plan)
    with _alone(company):
        same: Subscription | None = company.subscriptions.filter(starts_on=starts_on).first()
        if same is not None and same.phases.filter(starts_on=starts_on, version__plan=plan).exists():
            return same
        if any(other.ends_on is None or other.ends_on > starts_on for other in company.subscriptions.all()):
            raise NotNow(_("The company has a plan already: change it instead."))
        seller = seller or Seller.objects.first()
        if seller is None:
            raise NotNow(_("The platform has not entered who issues its invoices yet. Ask its support."))
        made = Subscription.objects.create(
            company=company, seller=seller, time_zone=company.time_zone, starts_on=starts_on, made_by=who.name
        )
        version = version_on(plan, starts_on)
        Phase.objects.create(subscription=made, version=version, starts_on=starts_on, made_by=who.name)
        record(
            who=who, verb="subscription.open", company=company, what=plan,
            details={"starts_on": starts_on.isoformat(), "version": version.pk, "seller": seller.pk},
        )  # fmt: skip
    return made


def change_plan(*, who: Who, company: Company, plan: Plan, now: datetime, shown: date | None = None) -> Phase:
    """Put the company on ``plan`` from the day its offer says. The same asked twice is one.

    ``shown``: the day the person was shown; another one by now is refused, for they agreed to that one. Raises
    NotThere, NotNow.
    """
    _may_choose(who, plan)
    with _alone(company):
        has = _held(company, now)
        if has.coming is not None:
            if has.coming.version.plan_id == plan.pk:
                return has.coming
            raise NotNow(
                _("A change to “%(plan)s” from %(day)s is planned already. Cancel it first.")
                % {"plan": has.coming.version.plan, "day": _day(has.coming.starts_on)}
            )
        if has.phase.version.plan_id == plan.pk:
            raise NotNow(_("The company has this plan already."))
        offered = offer(company, plan, now=now)
        if shown is not None and shown != offered.starts_on:
            raise NotNow(
                _("The change would begin on %(day)s now, not on the day you were shown. Look again, please.")
                % {"day": _day(offered.starts_on)}
            )
        _not_invoiced(has.subscription, offered.starts_on)
        begun = _instead(has, offered, who)
        record(
            who=who, verb="plan.change", company=company, what=plan,
            details={
                "from": has.phase.version.plan.code, "starts_on": offered.starts_on.isoformat(),
                "version": offered.version.pk, "upgrade": offered.upgrade,
            },
        )  # fmt: skip
    return begun


def cancel_change(*, who: Who, company: Company, now: datetime) -> bool:
    """Take back a change that has not begun; whether there was one. Raises NotNow without a subscription."""
    with _alone(company):
        has = _held(company, now)
        coming = has.coming
        if coming is None:
            return False
        has.subscription.phases.filter(starts_on__gte=coming.starts_on).delete()
        _last_until(has.subscription, has.subscription.ends_on)
        record(
            who=who, verb="plan.change_cancelled", company=company, what=coming.version.plan,
            details={"starts_on": coming.starts_on.isoformat()},
        )  # fmt: skip
    return True


def agree_price(*, who: Who, subscription: Subscription, price: Decimal | None, from_day: date) -> Phase:
    """A month above the last tier costs ``price`` from ``from_day`` on, as long as the plan of that day lasts.

    None: nothing is agreed any more. Raises BadTerms, NotNow (invoiced days, no plan on that day).
    """
    if price is not None and (not price.is_finite() or price < 0 or price != round(price, 2)):
        raise BadTerms(_("An agreed price is an amount from 0, with kopecks at most."))
    with _alone(subscription.company):
        phase = _phase_on(subscription, from_day)
        _not_invoiced(subscription, from_day)
        if phase.agreed_price == price:
            return phase
        before = phase.agreed_price
        if phase.starts_on == from_day:
            phase.agreed_price = price
            phase.save(update_fields=["agreed_price"])
        else:
            ends_on, phase.ends_on = phase.ends_on, from_day
            phase.save(update_fields=["ends_on"])
            phase = Phase.objects.create(
                subscription=subscription, version=phase.version, starts_on=from_day, ends_on=ends_on,
                agreed_price=price, made_by=who.name,
            )  # fmt: skip
        record(
            who=who, verb="price.agree", company=subscription.company, what=phase.version.plan,
            details={
                "from_day": from_day.isoformat(), "price": None if price is None else str(price),
                "before": None if before is None else str(before),
            },
        )  # fmt: skip
    return phase


def close(*, who: Who, subscription: Subscription, ends_on: date) -> Subscription:
    """The subscription ends: ``ends_on`` is the first day without it. A planned end may be moved. Raises NotNow."""
    with _alone(subscription.company):
        subscription = Subscription.objects.select_for_update().get(pk=subscription.pk)
        if subscription.ends_on == ends_on:
            return subscription
        if ends_on <= subscription.starts_on:
            raise NotNow(_("A subscription lasts a day at least."))
        _not_invoiced(subscription, ends_on)
        subscription.phases.filter(starts_on__gte=ends_on).delete()
        last = _last_until(subscription, ends_on)
        subscription.ends_on = ends_on
        subscription.save(update_fields=["ends_on"])
        record(
            who=who, verb="subscription.close", company=subscription.company, what=last.version.plan,
            details={"ends_on": ends_on.isoformat()},
        )  # fmt: skip
    return subscription


def _instead(has: Held, offered: Offer, who: Who) -> Phase:
    """Cut what the company has at the offer's day and begin the offered plan; what had not begun by then is gone."""
    subscription = has.subscription
    if subscription.ends_on is not None and subscription.ends_on <= offered.starts_on:
        raise NotNow(
            _("The subscription ends on %(day)s, before another plan could begin.")
            % {"day": _day(subscription.ends_on)}
        )
    subscription.phases.filter(starts_on__gte=offered.starts_on).delete()
    if subscription.starts_on < offered.starts_on:
        _last_until(subscription, offered.starts_on)
    return Phase.objects.create(
        subscription=subscription, version=offered.version, starts_on=offered.starts_on,
        ends_on=subscription.ends_on, made_by=who.name,
    )  # fmt: skip


def _last_until(subscription: Subscription, ends_on: date | None) -> Phase:
    """The last plan there is lasts until ``ends_on``: plans follow one another without a gap."""
    last = subscription.phases.select_related("version__plan").order_by("starts_on").last()
    if last is None:
        raise NotNow(_("The subscription has no plan on this day."))
    last.ends_on = ends_on
    last.save(update_fields=["ends_on"])
    return last


@contextmanager
def _alone(company: Company) -> Iterator[None]:
    """A transaction in which nobody else changes this company's subscription: the lock its trigger takes too."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('billing.subscription'), %s)", [company.pk])
        yield


def _held(company: Company, now: datetime) -> Held:
    has = held(company, now=now)
    if has is None:
        raise NotNow(_("The company has no plan yet: choose one."))
    return has


def _phase_on(subscription: Subscription, day: date) -> Phase:
    for phase in subscription.phases.select_related("version__plan"):
        if phase.starts_on <= day and (phase.ends_on is None or day < phase.ends_on):
            return phase
    raise NotNow(_("The subscription has no plan on this day."))


def _not_invoiced(subscription: Subscription, day: date) -> None:
    until = invoiced_until(subscription)
    if until is not None and day < until:
        raise NotNow(
            _("Days until %(day)s are invoiced already: nothing before changes.") % {"day": _day(until)}
        )


def _may_choose(who: Who, plan: Plan) -> None:
    """The platform's staff may put somebody on a plan that companies cannot choose themselves."""
    if who.side == "company" and not plan.on_offer:
        raise NotThere(_("There is no such plan on offer."))


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")
