"""A month of one subscription, measured and rated, with all that its lines follow from.

The state of the raw facts is read before they are counted: what comes in between is then noticed as a change,
never missed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from billing.domain.metering import Measure, Measured
from billing.domain.periods import Period, month_of
from billing.domain.pricing import ChargeKind
from billing.domain.rating import Bill, Line, rate
from billing.domain.vat import NoRate
from billing.models import InvoiceLine, Subscription, UsageRecord
from billing.selectors.meter import CompanyMeter
from billing.selectors.subscriptions import Held, held_in, without_plan
from billing.selectors.taxes import vat_rates
from billing.selectors.terms import BadTerms as UnreadableTerms
from billing.services.errors import BadTerms
from billing.services.wording import title
from tenants.models import Company

OF_CALLS = (Measure.CALLS, Measure.MANAGERS)
KEYS_KEPT = 300  # of the calls or profiles at a peak; enough to be looked at


@dataclass(frozen=True, slots=True)
class Read:
    """One counting. ``mark``: the raw facts before it, {} where nothing tells (profiles)."""

    part: Period
    internal: bool
    found: Measured
    mark: dict[str, Any]


@dataclass(slots=True)
class Reading:
    """A meter that keeps what it was asked and what it answered. ``now``: whose rules of removal are told by."""

    meter: CompanyMeter
    now: datetime
    reads: list[Read] = field(default_factory=list)

    def measure(self, what: Measure, part: Period, *, internal: bool = False) -> Measured:
        mark = dict(self.meter.mark(part.begin, part.until, now=self.now)) if what in OF_CALLS else {}
        found = self.meter.measure(what, part, internal=internal)
        self.reads.append(Read(part, internal, found, mark))
        return found


@dataclass(frozen=True, slots=True)
class Month:
    """``bill`` by what ``held`` says and ``reads`` found."""

    period: Period
    held: list[Held]
    bill: Bill
    reads: list[Read]

    def inputs(self) -> dict[str, Any]:
        """Everything the lines follow from, as JSON has it."""
        return {
            "zone": self.period.zone,
            "month": [self.period.start, self.period.end],
            "plans": [
                {
                    "phase": held.row.pk,
                    "from": held.row.starts_on,
                    "until": held.end,
                    "agreed": held.row.agreed_price,
                    "connected": held.connected_on,
                    "paid_further": held.paid_further,
                    "prices": [
                        [day, version.pk, version.plan.model, version.terms, version.vat_mode]
                        for day, version in held.prices
                    ],
                }
                for held in self.held
            ],
            "measured": [
                {
                    "from": read.part.start, "until": read.part.end, "measure": read.found.measure,
                    "internal": read.internal, "quantity": read.found.quantity, "at": read.found.at,
                    "keys": read.found.keys, "by_day": read.found.by_day, "mark": _told(read.mark),
                }
                for read in self.reads
            ],
            "vat": [line.money and line.money.rate for line in self.bill.lines],
        }  # fmt: skip

    def lines(self) -> list[InvoiceLine]:
        """Unsaved, in order, without their invoice."""
        return [self._line(place, line) for place, line in enumerate(self.bill.lines, 1)]

    def usage(self, *, now: datetime) -> list[UsageRecord]:
        """Unsaved evidence of each counting, without its invoice. ``now``: facts known by then are in it."""
        return [
            UsageRecord(
                begin=read.part.begin, until=read.part.until, measure=read.found.measure.value,
                quantity=read.found.quantity, at=read.found.at, keys=list(read.found.keys[:KEYS_KEPT]),
                mark=read.mark, cut_event=min(read.part.until, now), cut_stored=now,
            )
            for read in self.reads
        ]  # fmt: skip

    @property
    def whole(self) -> bool:
        """Whether none of the calls may have been removed before they were counted."""
        return all(read.mark.get("whole", True) for read in self.reads)

    def _line(self, place: int, line: Line) -> InvoiceLine:
        money, charge = line.money, line.charge
        month = month_of(line.part.start, line.part.zone).days
        held = self._held_on(line.part.start)
        version = held.version_on(line.part.start)
        details: dict[str, Any] = {
            "measure": line.measured.measure.value,
            "measured": line.measured.quantity,
            "at": line.measured.at,
            "keys": line.measured.keys[:KEYS_KEPT],
            "bounds": charge.bounds,
            "plan": version.plan.code,
            "version": version.pk,
            "vat_mode": version.vat_mode,
        }
        if charge.kind in (ChargeKind.BASE, ChargeKind.FURTHER):
            details |= {"included": version.terms.get("included"), "fee": version.terms.get("fee", "monthly")}
        if charge.kind is ChargeKind.FURTHER and line.measured.by_day:
            details["by_day"] = line.measured.by_day
        if charge.kind is ChargeKind.FURTHER and held.paid_further:
            details["paid_further"] = held.paid_further
        return InvoiceLine(
            position=place, kind=charge.kind.value, title_ru=title(line, "ru"), title_en=title(line, "en"),
            begin_on=line.part.start, end_on=line.part.end,
            share_days=line.part.days if charge.prorated else month, month_days=month,
            quantity=charge.quantity, unit_price=charge.unit,
            net=money.net if money else None, vat_rate=money.rate if money else None,
            vat=money.vat if money else None, amount=money.amount if money else None,
            details=plain(details),
        )  # fmt: skip

    def _held_on(self, day: date) -> Held:
        return next(h for h in self.held if h.row.starts_on <= day and (h.end is None or day < h.end))


def month_measured(
    subscription: Subscription, period: Period, *, now: datetime, versions: Collection[int] | None = None
) -> Month | None:
    """``period``: a whole month. ``versions``: as for held_in. None when nothing of it is served.

    Raises BadTerms: days without a plan, terms that make no tariff, no VAT rate for a day.
    """
    served = period.part(subscription.starts_on, subscription.ends_on)
    if served is None:
        return None
    held = held_in(subscription, period, versions=versions)
    gap = without_plan(held, served)
    if gap is not None:
        raise BadTerms(_("The subscription has no plan on %(day)s.") % {"day": f"{gap:%d.%m.%Y}"})
    reading = Reading(CompanyMeter(subscription.company.slug), now)
    try:
        phases = [phase for one in held for phase in one.rated()]
        bill = rate(period, phases, reading, vat_rates())
    except NoRate as error:
        raise BadTerms(_("A VAT rate is missing: %(why)s") % {"why": error}) from error
    except UnreadableTerms as error:
        raise BadTerms(_("The prices of the plan cannot be read: %(why)s") % {"why": error}) from error
    return Month(period, held, bill, reading.reads)


def hashed(inputs: Mapping[str, Any]) -> str:
    """SHA-256 of canonical JSON: the same inputs give the same bytes on every machine."""
    text = json.dumps(plain(inputs), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """As JSON keeps it: decimals and dates as text."""
    match value:
        case dict():
            return {str(key): plain(one) for key, one in value.items()}
        case list() | tuple():
            return [plain(one) for one in value]
        case bool() | int() | float() | None:
            return value
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)


def same_facts(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether two marks tell of the same calls; how long their past is kept is no fact of theirs."""
    return _told(before) == _told(now)


def _told(mark: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in mark.items() if name != "whole"}


def alone(company: Company) -> None:
    """Wait for whoever drafts or corrects for this company; nobody else does until the transaction ends.

    Per company and not per month: two months drafted at once would both make up for the same late call.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('billing.draft'), %s)", [company.pk])
