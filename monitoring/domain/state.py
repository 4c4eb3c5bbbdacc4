"""What the reducer remembers of one company: channels, calls, legs, visits, queues and managers, all plain data.

Times are PBX epoch seconds. Mutable on purpose: the reducer owns them, everybody else sees ``wire`` and ``facts``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from .facts import AutoKind
from .wire import Direction, ListenMode, ManagerCounts, QueueCounts, Registration, StepKind, StepWire

UP = 6
LegOutcome = Literal["ringing", "answered", "missed", "cancelled", "busy", "failed"]


def no_queue_counts() -> QueueCounts:
    return {
        "offered": 0,
        "answered": 0,
        "answered_within": 0,
        "abandoned": 0,
        "short_abandoned": 0,
        "flow_out": 0,
        "wait_answered": 0.0,
    }


def no_manager_counts() -> ManagerCounts:
    return {"answered": 0, "missed": 0, "outgoing": 0, "talk_in": 0.0, "talk_out": 0.0, "hold": 0.0}


@dataclass(slots=True)
class Step:
    kind: StepKind
    what: str
    at: float
    until: float | None = None
    note: str = ""
    told: StepWire | None = None
    """How it was rendered last; the ended steps of a route stay as they are, and there are more of them each minute."""


@dataclass(slots=True, eq=False)
class Leg:
    """One manager's part in a call. ``real``: the phone behind a Local pair has taken the pair's place."""

    uniqueid: str
    manager: str
    queue: str
    rang: float
    channels: dict[str, None] = field(default_factory=dict)
    origin: bool = False
    real: bool = False
    consult: bool = False
    answered: float | None = None
    ended: float | None = None
    outcome: LegOutcome = "ringing"
    talking_since: float | None = None
    held_since: float | None = None
    talk: list[tuple[float, float]] = field(default_factory=list)
    hold: list[tuple[float, float]] = field(default_factory=list)
    ring_step: Step | None = None
    talk_step: Step | None = None
    hold_step: Step | None = None
    available: bool = True
    counted_miss: bool = False

    @property
    def live(self) -> bool:
        return self.ended is None


@dataclass(slots=True, eq=False)
class Visit:
    """One stay in one queue. ``settled``: its outcome is counted.

    ``given_up``: the queue said "abandoned", which it also says of its own time-outs; the channel will tell.
    ``met``: a snapshot told of it, in whole seconds; its beginning may still be on its way as an event.
    """

    uniqueid: str
    queue: str
    joined: float
    position: int
    left: float | None = None
    outcome: Literal["open", "answered", "abandoned", "flow-out", "interrupted"] = "open"
    reason: str = ""
    manager: str = ""
    connected: float | None = None
    step: Step | None = None
    given_up: bool = False
    met: bool = False

    @property
    def settled(self) -> bool:
        return self.outcome != "open"


@dataclass(slots=True, eq=False)
class Call:
    key: str
    started: float
    direction: Direction = "in"
    number: str = ""
    name: str = ""
    line: str = ""
    customer: str = ""
    channels: dict[str, None] = field(default_factory=dict)
    aliases: list[str] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    listeners: dict[str, tuple[str, ListenMode, float]] = field(default_factory=dict)
    answered: float | None = None
    ended: float | None = None
    parked: bool = False
    hung_up_by: str = ""
    dial_status: str = ""
    interrupted: bool = False
    reconciled: bool = False
    seen: float = 0.0
    has_local: bool = False
    shown: bool = False
    said: bool = False

    @property
    def visit(self) -> Visit | None:
        """The open queue visit, if the caller is in a queue now."""
        for visit in reversed(self.visits):
            if visit.left is None and visit.outcome == "open":
                return visit
        return None

    def visit_of(self, uniqueid: str) -> Visit | None:
        """The visit of this channel whose outcome is not known yet."""
        for visit in reversed(self.visits):
            if visit.uniqueid == uniqueid and visit.outcome == "open":
                return visit
        return None


@dataclass(slots=True, eq=False)
class Channel:
    uniqueid: str
    linkedid: str
    name: str
    interface: str
    opened: float
    manager: str = ""
    state: int = 0
    number: str = ""
    caller: str = ""
    exten: str = ""
    dialled: bool = False
    bridge: str = ""
    bridged: float = 0.0
    holding: bool = False
    held_at: float = 0.0
    key_at: float = 0.0
    peer: str = ""
    call: Call | None = None
    leg: Leg | None = None
    spying: str = ""
    hanging_up: bool = False

    @property
    def local(self) -> bool:
        return self.name.startswith("Local/")


@dataclass(slots=True, eq=False)
class Queue:
    key: str
    title: str
    groups: tuple[int, ...] = ()
    answer_within: float = 20.0
    short_abandon: float = 5.0
    wrap_up: float = 0.0
    members: dict[str, bool] = field(default_factory=dict)
    waiting: dict[str, float] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    today: QueueCounts = field(default_factory=no_queue_counts)


class Owed(NamedTuple):
    """A wrap-up to come: its manager still has another channel. ``call``: what it follows."""

    started: float
    until: float
    call: str


class WrapUp(NamedTuple):
    """[``started``, ``until``) after ``call``, unless something cuts it short."""

    started: float
    until: float
    call: str


@dataclass(slots=True, eq=False)
class Manager:
    """``paused``: queue → reason, for the queues this manager is paused in. ``automatic``: what stands since when."""

    key: str
    title: str
    extension: str
    groups: tuple[int, ...] = ()
    status: int | None = None
    status_since: float | None = None
    queues: set[str] = field(default_factory=set)
    paused: dict[str, str] = field(default_factory=dict)
    registration: Registration = "unknown"
    legs: dict[Leg, Call] = field(default_factory=dict)
    idle_since: float | None = None
    missed_in_row: int = 0
    reported_pause: bool = False
    automatic: dict[AutoKind, float] = field(default_factory=dict)
    wrap_up: WrapUp | None = None
    owed: Owed | None = None
    today: ManagerCounts = field(default_factory=no_manager_counts)
