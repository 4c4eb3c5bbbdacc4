"""What the reducer says happened: rows to be, upserted by their keys so that saying it twice changes nothing.

Times are PBX epoch seconds (UTC). ``call`` keys are ``<pbx>:<uniqueid of the first channel>``.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Disposition = Literal["open", "answered", "abandoned", "no_answer", "busy", "failed", "interrupted", "merged"]
VisitOutcome = Literal["open", "answered", "abandoned", "flow-out", "interrupted"]
Interval = tuple[float, float | None]
AutoKind = Literal["unregistered", "missing_calls", "wrap_up"]


class StepFact(NamedTuple):
    kind: str
    what: str
    at: float
    until: float | None
    note: str = ""


class LegFact(NamedTuple):
    """One manager's channel in a call. ``talk`` and ``hold``: disjoint intervals; talk excludes hold.

    ``origin``: this manager placed the channel (dialled out, picked up, retrieved), the PBX did not ring it.
    """

    uniqueid: str
    manager: str
    queue: str
    rang: float
    answered: float | None
    ended: float | None
    outcome: str
    talk: tuple[Interval, ...]
    hold: tuple[Interval, ...]
    available: bool = True
    origin: bool = False


class CallFact(NamedTuple):
    """A call as known so far; said at its start, answer and end. ``merged_into``: the call that absorbed it.

    ``revision``: PBX time of the last evidence in it; a later one replaces an earlier one.
    ``reconciled``: its end was not seen, it ends at the last evidence.
    """

    key: str
    direction: str
    number: str
    name: str
    line: str
    started: float
    answered: float | None
    ended: float | None
    disposition: Disposition
    hung_up_by: str
    legs: tuple[LegFact, ...]
    steps: tuple[StepFact, ...]
    merged_into: str | None = None
    revision: float = 0.0
    reconciled: bool = False


class VisitFact(NamedTuple):
    """One stay of one call in one queue; key = (call channel, queue, joined). ``wait`` seconds, ringing included."""

    uniqueid: str
    call: str
    queue: str
    joined: float
    left: float | None
    outcome: VisitOutcome
    reason: str
    manager: str
    wait: float
    position: int
    answer_within: float
    short_abandon: float


class PauseFact(NamedTuple):
    """A pause made or ended on the phone or by the PBX, in every queue of this manager."""

    manager: str
    at: float
    paused: bool
    reason: str


class ListenFact(NamedTuple):
    """Somebody listened to, whispered into or joined a call."""

    call: str
    spyer: str
    manager: str
    mode: str
    at: float
    until: float | None


class AutoFact(NamedTuple):
    """A status nobody declared: said at its start and again at its end. ``call``: whose handling a wrap-up ends."""

    manager: str
    kind: AutoKind
    started: float
    ended: float | None
    call: str = ""


class BlindFact(NamedTuple):
    """The PBX was not heard from ``began`` to ``ended`` (None: it still lasts), by the collector's own clock.

    ``skew``: seconds by which the PBX's clock is ahead of it. ``booted``: PBX time of a start in between.
    """

    began: float
    ended: float | None
    cause: str
    skew: float = 0.0
    booted: float | None = None


Fact = CallFact | VisitFact | PauseFact | ListenFact | AutoFact | BlindFact
