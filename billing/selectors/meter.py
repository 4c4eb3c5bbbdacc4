"""Counts in a company's facts, by monitoring's front door: what billing.domain asks of a meter, swept in PostgreSQL.

Its answers are those of billing.domain.metering.Facts over the same calls; a property test compares them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from billing.domain.metering import Measure, Measured, Meter, profiles_measured
from billing.domain.periods import Period
from billing.models import UsageRecord
from monitoring import facade
from tenants.scope import public_scope

logger = logging.getLogger(__name__)
OF_CALLS = (Measure.CALLS, Measure.MANAGERS)
KEPT = 3600  # seconds for which a counting may be shown at all


class CompanyMeter:
    """One company's meter. Nothing is remembered between two questions. Raises tenants.scope.UnknownCompany."""

    def __init__(self, company: str) -> None:
        self.company = company

    def measure(self, what: Measure, part: Period, *, internal: bool = False) -> Measured:
        match what:
            case Measure.CALLS:
                found = facade.busiest(self.company, part.begin, part.until, internal=internal)
                return Measured(what, found.count, found.at, found.keys)
            case Measure.MANAGERS:
                names = facade.handling_managers(self.company, part.begin, part.until, internal=internal)
                return Measured(what, len(names), None, names)
            case _:
                told = facade.profile_activity(self.company, part.begin, part.until)
                activity = [(str(one.profile), (one.started, one.ended)) for one in told]
                return profiles_measured(what, activity, part)

    def mark(self, begin: datetime, until: datetime, *, now: datetime | None = None) -> dict[str, Any]:
        """The state of the calls of [``begin``, ``until``), fit for a JSON column; another one: measure again."""
        return asdict(facade.calls_mark(self.company, begin, until, now=now))


class ShownMeter:
    """For pages, never for an invoice: a month of calls is swept again only when the last time is ``fresh`` seconds
    ago; None: as long as the setting says.

    Kept in the platform's own part of the cache, so that staff and company read the same counting.
    """

    def __init__(self, company: str, *, fresh: float | None = None) -> None:
        self._meter = CompanyMeter(company)
        self._fresh = settings.BILLING_USAGE_SECONDS if fresh is None else fresh

    def measure(self, what: Measure, part: Period, *, internal: bool = False) -> Measured:
        if what not in OF_CALLS or not settings.BILLING_USAGE_SECONDS:
            return self._meter.measure(what, part, internal=internal)
        window = f"{part.begin:%Y%m%d%H%M}-{part.until:%Y%m%d%H%M}"
        name = f"billing.usage:{self._meter.company}:{what.value}:{window}:{internal:d}"
        now = timezone.now().timestamp()
        known = _kept(name)
        if known is not None and 0 <= now - known[0] < self._fresh:
            return Measured(what, known[1], known[2], tuple(known[3]))
        found = self._meter.measure(what, part, internal=internal)
        _keep(name, (now, found.quantity, found.at, list(found.keys)))
        return found


class RecordedMeter:
    """What was measured for issued invoices, where that answers the question; else ``then`` is asked.

    ``records``: of one company. ``internal``: whether calls between own people were counted in them.
    """

    def __init__(self, records: Sequence[UsageRecord], *, internal: bool, then: Meter) -> None:
        self._records, self._internal, self._then = records, internal, then

    def measure(self, what: Measure, part: Period, *, internal: bool = False) -> Measured:
        found = self._recorded(what, part) if internal == self._internal else None
        return found or self._then.measure(what, part, internal=internal)

    def _recorded(self, what: Measure, part: Period) -> Measured | None:
        """A peak over several segments is the highest of theirs; people of two segments may be the same."""
        if what not in OF_CALLS:
            return None
        own = sorted((r for r in self._records if r.measure == what), key=lambda record: record.begin)
        inside = [record for record in own if part.begin <= record.begin and record.until <= part.until]
        if not inside or (what is Measure.MANAGERS and len(inside) > 1):
            return None
        ends = [part.begin, *(record.until for record in inside)]
        if [record.begin for record in inside] != ends[:-1] or ends[-1] != part.until:
            return None
        top = max(inside, key=lambda record: record.quantity)
        return Measured(what, top.quantity, top.at, tuple(top.keys))


def _kept(name: str) -> Any:
    try:
        with public_scope():
            return cache.get(name)
    except Exception as error:  # whatever keeps it, when that is away: it costs a sweep, not the page
        logger.warning("The cache cannot be read: %s", error)
        return None


def _keep(name: str, counting: tuple[Any, ...]) -> None:
    try:
        with public_scope():
            cache.set(name, counting, KEPT)
    except Exception as error:
        logger.warning("The cache cannot be written: %s", error)
