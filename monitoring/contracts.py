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


@dataclass(frozen=True, slots=True)
class FurtherProfile:
    """What one more monitoring profile switched on means for the tariff, in words for whoever switches it.

    ``agreement``: what the answer "yes" repeats, so that it is to this price and no other. ``title``, ``points``,
    ``confirm``: the question and its button. ``refusal``: why it cannot be at all; then there is no question.
    """

    agreement: str = ""
    title: str = ""
    points: tuple[str, ...] = ()
    confirm: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Busiest:
    """The most calls handled at once: ``at`` the first moment of it (UTC; None for zero).

    ``keys``: who they were, sorted, the first 500.
    """

    count: int
    at: datetime | None
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BusyPart:
    """The most calls handled at once in one part of a period. ``begin``: UTC; the next part's is its end."""

    begin: datetime
    most: int


@dataclass(frozen=True, slots=True)
class CallsMark:
    """The state of the handled calls of a window, by which a later change is noticed.

    ``calls``: how many, ``open``: of them without an end, ``talk_seconds``: their sum. ``digest``: changes with every
    interval of them, also when the sums stay. ``whole`` False: some may have been removed since, by the company's
    rule of how long calls are kept; then fewer calls mean nothing.
    """

    calls: int
    open: int
    talk_seconds: float
    whole: bool
    digest: str = ""


@dataclass(frozen=True, slots=True)
class CallShown:
    """A call to be shown beside money. ``customer``: digits, "" when withheld or removed. Names of who talked."""

    key: str
    pk: int
    started: datetime
    ended: datetime | None
    customer: str
    line: str
    managers: tuple[str, ...]
