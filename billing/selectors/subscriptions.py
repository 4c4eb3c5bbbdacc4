"""What a subscription says about a month: which plans held on which days, by which prices, as the domain wants it.

All days are local to the subscription's frozen time zone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from billing.domain.periods import Period, month_of
from billing.domain.pricing import ChargeKind, Fee
from billing.domain.rating import Phase as RatedPhase
from billing.domain.vat import VatMode
from billing.models import InvoiceLine, InvoiceState, Phase, PlanVersion, Subscription
from billing.selectors.terms import model_of
from tenants.models import Company


@dataclass(frozen=True, slots=True)
class Held:
    """One plan of a subscription as its rows have it. ``prices``: versions by the day they take over, in order.

    ``end``: exclusive, the subscription's if that is earlier. ``connected_on``: when this plan was taken.
    """

    row: Phase
    end: date | None
    prices: tuple[tuple[date, PlanVersion], ...]
    connected_on: date
    paid_further: int

    def version_on(self, day: date) -> PlanVersion:
        return [version for since, version in self.prices if since <= day][-1]

    def rated(self) -> Iterator[RatedPhase]:
        """As the domain wants it: prices of another VAT mode are a phase of their own, which connects nothing."""
        start = 0
        for place in range(1, len(self.prices) + 1):
            ends = place == len(self.prices)
            mode = self.prices[start][1].vat_mode
            if not ends and self.prices[place][1].vat_mode == mode:
                continue
            yield RatedPhase(
                start=self.prices[start][0],
                end=self.end if ends else self.prices[place][0],
                prices=tuple((day, model_of(version)) for day, version in self.prices[start:place]),
                agreed=self.row.agreed_price,
                vat=VatMode(mode),
                paid_further=self.paid_further,
                connected_on=self.connected_on,
            )
            start = place


def on(company: Company, day: date) -> Subscription | None:
    """The company's subscription on a local ``day``; at most one, the database sees to it."""
    return (
        Subscription.objects.filter(Q(ends_on=None) | Q(ends_on__gt=day), company=company, starts_on__lte=day)
        .select_related("company", "seller")
        .first()
    )


def month_for(subscription: Subscription, month: date) -> Period | None:
    """The whole calendar month ``month`` is in, in the subscription's zone; None when it has no day of it."""
    period = month_of(month, subscription.time_zone)
    return period if period.part(subscription.starts_on, subscription.ends_on) else None


def in_month(month: date) -> list[Subscription]:
    """Every subscription with a day in the month, by company."""
    period = month_of(month, "UTC")  # days are compared by name: each has its own zone
    return list(
        Subscription.objects.filter(
            Q(ends_on=None) | Q(ends_on__gt=period.start), starts_on__lt=period.end
        ).order_by("company", "starts_on")
    )


def phases_for(
    subscription: Subscription, period: Period, *, versions: Collection[int] | None = None
) -> list[RatedPhase]:
    """The plans of ``period`` with every price that may hold in it. ``versions``: as for ``held_in``."""
    return [phase for held in held_in(subscription, period, versions=versions) for phase in held.rated()]


def held_in(
    subscription: Subscription, period: Period, *, versions: Collection[int] | None = None
) -> list[Held]:
    """The plans of ``period`` in order of time.

    ``versions``: only these later versions count (a month is corrected by the prices it was billed by); None: all.
    """
    rows = list(subscription.phases.select_related("version__plan").order_by("starts_on"))
    touching = [row for row in rows if period.part(row.starts_on, _end(row, subscription)) is not None]
    later = _reaching(touching, versions) if touching else []
    found = []
    for row in touching:
        prices = tuple(_prices(row, _end(row, subscription), later))
        connected_on = _connected_on(row, rows)
        once = any(version.terms.get("fee") == Fee.ONCE for _, version in prices)
        paid = _paid_further(subscription, connected_on, period.start) if once else 0
        found.append(Held(row, _end(row, subscription), prices, connected_on, paid))
    return found


def without_plan(held: Sequence[Held], served: Period) -> date | None:
    """The first of the ``served`` days that no plan covers; None when each has one."""
    day = served.start
    for one in held:
        if one.row.starts_on > day:
            return day
        if one.end is None or one.end >= served.end:
            return None
        day = max(day, one.end)
    return day


def _end(row: Phase, subscription: Subscription) -> date | None:
    return min((day for day in (row.ends_on, subscription.ends_on) if day is not None), default=None)


def _reaching(rows: Sequence[Phase], versions: Collection[int] | None) -> list[PlanVersion]:
    """Versions that reach subscribers who have an earlier one, in the order they take over."""
    found = PlanVersion.objects.filter(
        plan__in={row.version.plan_id for row in rows}, existing_from__isnull=False
    ).select_related("plan")
    if versions is not None:
        found = found.filter(pk__in=list(versions))
    return list(found.order_by("existing_from", "starts_on"))


def _prices(row: Phase, end: date | None, later: Sequence[PlanVersion]) -> Iterator[tuple[date, PlanVersion]]:
    """A version older than what holds already never takes over, whenever its day comes."""
    holds = row.version
    taken = {row.starts_on: holds}
    for version in later:
        if version.plan_id == holds.plan_id and version.starts_on > holds.starts_on:
            assert version.existing_from is not None
            day = max(version.existing_from, row.starts_on)
            if end is None or day < end:
                holds = taken[day] = version
    yield from taken.items()


def _connected_on(row: Phase, rows: Sequence[Phase]) -> date:
    """Rows that follow each other in one plan (a price was agreed on) are one taking of it."""
    first = row.starts_on
    for before in reversed([one for one in rows if one.starts_on < row.starts_on]):
        if before.version.plan_id != row.version.plan_id or before.ends_on != first:
            break
        first = before.starts_on
    return first


def _paid_further(subscription: Subscription, connected_on: date, before: date) -> int:
    """Further profiles whose connection earlier months have charged since the plan was taken."""
    lines = InvoiceLine.objects.filter(
        invoice__subscription=subscription, invoice__period_start__lt=before, begin_on__gte=connected_on,
        kind=ChargeKind.FURTHER.value, details__fee=Fee.ONCE.value,
    ).exclude(invoice__state=InvoiceState.VOID)  # fmt: skip
    return sum(lines.values_list("quantity", flat=True))
