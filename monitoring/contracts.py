"""What monitoring tells the rooms above it, frozen: no model and no queryset crosses this border."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class CompanySize:
    """What is in use in a company now; archived rows do not count."""

    company: str
    managers: int
    supervisors: int
    groups: int
    queues: int
    lines: int


@dataclass(frozen=True, slots=True)
class ProfileActive:
    """[``started``, ``ended``) in which a monitoring profile was on, UTC, as switched: nobody has clipped it.

    ``ended`` None: it is on. ``profile``: its number, the same in all its intervals.
    """

    profile: int
    started: datetime
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class HandledCall:
    """One call and the half-open times [from, until) in which a manager was bridged with the customer, hold included.

    PBX time to the microsecond, UTC; disjoint, in order, never empty, not clipped. ``until`` None: it goes on.
    """

    key: str
    kind: Literal["handled", "internal"]
    intervals: tuple[tuple[datetime, datetime | None], ...]
