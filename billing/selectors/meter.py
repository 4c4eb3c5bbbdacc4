"""Counts in a company's facts, by monitoring's front door: what billing.domain asks of a meter, swept in PostgreSQL.

Its answers are those of billing.domain.metering.Facts over the same calls; a property test compares them.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from billing.domain.metering import Measure, Measured, profiles_measured
from billing.domain.periods import Period
from monitoring import facade


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
