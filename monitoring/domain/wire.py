"""The live board as it travels: the shapes of every entity a browser, the API and ``replay`` receive.

A change is ``[kind, id, fields]``: ``fields`` holds only what changed, ``null`` removes the entity.
Times are PBX epoch seconds (float, UTC); durations are never sent, a reader subtracts. ``groups`` are group ids:
an audience sees an entity when they share a group (an empty list is for company-wide audiences only).
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

Kind = Literal["call", "queue", "manager", "group", "status", "line", "link"]
CallState = Literal["ivr", "waiting", "ringing", "talking", "held", "parked", "ended"]
Direction = Literal["in", "out", "internal"]
StepKind = Literal[
    "line", "ivr", "queue", "ring", "talk", "hold", "transfer", "pickup", "park", "dial", "voicemail"
]
ListenMode = Literal["listen", "whisper", "join"]
Registration = Literal["registered", "unregistered", "unknown"]
Activity = Literal["free", "ringing", "talking", "held", "unavailable", "unknown"]
LinkState = Literal["connecting", "connected", "stale", "down", "refused", "orphaned"]


class StepWire(TypedDict):
    """One stop of the route. ``what``: number, key, queue or manager key; ``until`` is null while it lasts."""

    kind: StepKind
    what: str
    at: float
    until: float | None
    note: NotRequired[str]


class PartyWire(TypedDict):
    """A manager's part in a live call."""

    manager: str
    state: Literal["ringing", "talking", "held"]
    since: float


class ListenerWire(TypedDict):
    who: str
    mode: ListenMode
    since: float


class CallWire(TypedDict):
    key: str
    direction: Direction
    number: str
    name: str
    line: str
    state: CallState
    since: float
    started: float
    answered: float | None
    queue: str | None
    joined: float | None
    position: int | None
    managers: list[PartyWire]
    steps: list[StepWire]
    listeners: list[ListenerWire]
    groups: list[int]


class QueueCounts(TypedDict):
    """Raw counts of the company's day so far; ratios are the metric registry's business."""

    offered: int
    answered: int
    answered_within: int
    abandoned: int
    short_abandoned: int
    flow_out: int
    wait_answered: float


class QueueWire(TypedDict):
    key: str
    title: str
    groups: list[int]
    answer_within: float
    short_abandon: float
    managers: list[str]
    waiting: int
    earliest: float | None
    today: QueueCounts


class ManagerCounts(TypedDict):
    """``missed``: rang while available and was not answered. Times in seconds, settled legs only."""

    answered: int
    missed: int
    outgoing: int
    talk_in: float
    talk_out: float
    hold: float


class ManagerWire(TypedDict):
    """Declared status, registration and live channels are three facts, kept apart; ``flags`` names contradictions."""

    key: str
    title: str
    extension: str
    groups: list[int]
    queues: list[str]
    status: int | None
    status_since: float | None
    paused: bool
    pause_reason: str
    registration: Registration
    activity: Activity
    activity_since: float | None
    calls: list[str]
    missed_in_row: int
    wrap_until: float | None
    flags: list[Literal["missing_calls", "unregistered", "pause_differs"]]
    today: ManagerCounts


class GroupWire(TypedDict):
    id: int
    title: str
    groups: list[int]


class StatusWire(TypedDict):
    id: int
    label: str
    kind: Literal["available", "break", "away"]
    colour: str


class LineWire(TypedDict):
    number: str
    title: str
    groups: list[int]


class LinkWire(TypedDict):
    """The PBX link as the collector sees it. ``lag`` in seconds (event time against receipt); times are epoch UTC.

    ``blind``: [from, until] for each window of today in which it was not heard, [from, until, 1] once it is filled.
    """

    pbx: str
    state: LinkState
    simulated: bool
    since: float
    lag: float
    error: str
    next_try: float | None
    blind: list[list[float]]


class BoardWire(TypedDict):
    """Keyed by entity id as text; ``at`` is the PBX time of the last event applied."""

    at: float
    call: dict[str, CallWire]
    queue: dict[str, QueueWire]
    manager: dict[str, ManagerWire]
    group: dict[str, GroupWire]
    status: dict[str, StatusWire]
    line: dict[str, LineWire]
    link: dict[str, LinkWire]


Op = tuple[Kind, str, dict[str, object] | None]
