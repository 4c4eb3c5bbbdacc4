"""What a change of plan would mean, said before anybody agrees to it: from which day, and what the month would cost.

An upgrade is a plan that would not cost less for what this month has measured so far; it begins at the next local
midnight. A downgrade begins with the next month, so that nobody pays little for a month of much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.domain.metering import Measure, Measured, Meter
from billing.domain.money import ZERO
from billing.domain.periods import DAY, Period, following, local_day, month_of
from billing.domain.rating import Bill, rate
from billing.domain.rating import Phase as RatedPhase
from billing.domain.vat import VatMode, VatRates
from billing.models import Plan, PlanVersion
from billing.selectors.held import Held, held
from billing.selectors.meter import CompanyMeter
from billing.selectors.subscriptions import phases_for
from billing.selectors.taxes import vat_rates
from billing.selectors.terms import Model, model_of
from billing.services.errors import NotNow, NotThere
from tenants.models import Company


@dataclass(frozen=True, slots=True)
class Offer:
    """``plan`` from ``starts_on``. ``bill``, ``present``: this whole month by what was measured so far, with either.

    Their totals are None where the price is a matter of agreement. ``upgrade``: it does not cost less. ``taken``:
    the company has it now; ``coming``: it is the change that is planned already.
    """

    plan: Plan
    version: PlanVersion
    model: Model
    starts_on: date
    bill: Bill
    present: Bill | None
    upgrade: bool
    taken: bool
    coming: bool

    @property
    def price(self) -> Decimal | None:
        return self.bill.total

    @property
    def difference(self) -> Decimal | None:
        """More (+) or less (−) than the present plan for the same month; None when either is not known."""
        if self.present is None or self.present.total is None or self.bill.total is None:
            return None
        return self.bill.total - self.present.total

    @property
    def saves(self) -> Decimal:
        """How much less it is; zero when it is not."""
        return max(ZERO, -(self.difference or ZERO))


def offer(company: Company, plan: Plan, *, now: datetime) -> Offer:
    """What taking ``plan`` now would mean. Raises NotThere when it has no prices yet."""
    has = held(company, now=now)
    return _offer(company, plan, has, _Remembering(CompanyMeter(company.slug)), now)


def offers(company: Company, *, now: datetime) -> list[Offer]:
    """Every plan a company may choose itself, and the one it has."""
    has = held(company, now=now)
    meter = _Remembering(CompanyMeter(company.slug))
    found = []
    for plan in Plan.objects.all():
        mine = has is not None and plan.pk in (
            has.phase.version.plan_id,
            has.coming.version.plan_id if has.coming else None,
        )
        if plan.on_offer or mine:
            try:
                found.append(_offer(company, plan, has, meter, now))
            except NotThere:
                continue  # announced, but without a price yet
    return found


def version_on(plan: Plan, day: date) -> PlanVersion:
    """The prices in force on ``day``. Raises NotThere."""
    found = plan.versions.filter(starts_on__lte=day).order_by("-starts_on").select_related("plan").first()
    if found is None:
        raise NotThere(_("This plan has no prices for that day."))
    return found


def _offer(company: Company, plan: Plan, has: Held | None, meter: Meter, now: datetime) -> Offer:
    zone = has.subscription.time_zone if has else company.time_zone
    today = local_day(now, zone)
    month = month_of(today, zone)
    rates = vat_rates()
    present = _present(has, month, meter, rates) if has else None
    version = version_on(plan, today)
    bill = _whole_month(version, month, meter, rates)
    upgrade = present is None or _not_less(bill, present)
    if has is None:
        starts_on = today
    elif not has.has_begun:
        starts_on = has.subscription.starts_on
    else:
        starts_on = today + DAY if upgrade else following(month).start
    in_force = version_on(plan, starts_on)
    if in_force != version:
        version, bill = in_force, _whole_month(in_force, month, meter, rates)
    return Offer(
        plan=plan,
        version=version,
        model=model_of(version),
        starts_on=starts_on,
        bill=bill,
        present=present,
        upgrade=upgrade,
        taken=has is not None and has.phase.version.plan_id == plan.pk,
        coming=has is not None and has.coming is not None and has.coming.version.plan_id == plan.pk,
    )


def _whole_month(version: PlanVersion, month: Period, meter: Meter, rates: VatRates) -> Bill:
    phase = RatedPhase(month.start, None, [(month.start, model_of(version))], vat=VatMode(version.vat_mode))
    return rate(month, [phase], meter, rates)


def _present(has: Held, month: Period, meter: Meter, rates: VatRates) -> Bill | None:
    """The whole month as if the plan of today had been held in all of it: what two plans are compared by."""
    day = max(has.today, has.subscription.starts_on)
    of_month = month_of(day, has.subscription.time_zone)
    for phase in phases_for(has.subscription, of_month):
        if phase.start <= day and (phase.end is None or day < phase.end):
            whole = replace(
                phase, start=month.start, end=None, connected_on=phase.connected_on or phase.start
            )
            return rate(month, [whole], meter, rates)
    raise NotNow(_("The subscription has no plan on this day."))


def _not_less(bill: Bill, present: Bill) -> bool:
    """A price nobody has agreed on yet is above the last tier: no known one is more."""
    if bill.total is None:
        return True
    return present.total is not None and bill.total >= present.total


class _Remembering:
    """A meter that counts the same thing once, however many plans ask."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._known: dict[tuple[Measure, Period, bool], Measured] = {}

    def measure(self, what: Measure, part: Period, *, internal: bool = False) -> Measured:
        asked = (what, part, internal)
        if asked not in self._known:
            self._known[asked] = self._meter.measure(what, part, internal=internal)
        return self._known[asked]
