"""What a PBX can tell us, typed: one class per meaning, named in the field's words.

``pbx/normalise`` makes them from AMI text; the table there says which AMI event becomes which class.
``at`` is the PBX's own clock, epoch seconds. NamedTuples, because they are immutable and cheap to make.
"""

from __future__ import annotations

from typing import NamedTuple


class ChannelOpened(NamedTuple):
    """A party's channel came into being. ``channel``: PBX name (``PJSIP/acme_101-0000002a``); ``exten``: dialled."""

    at: float
    uniqueid: str
    linkedid: str
    tenant: str
    channel: str
    state: int
    number: str
    name: str
    exten: str
    context: str


class ChannelState(NamedTuple):
    """``state``: Asterisk's channel state (4 ring, 5 ringing, 6 up)."""

    at: float
    uniqueid: str
    linkedid: str
    tenant: str
    channel: str
    state: int
    number: str
    name: str
    connected: str
    exten: str


class CallerChanged(NamedTuple):
    at: float
    uniqueid: str
    tenant: str
    number: str
    name: str


class ChannelRenamed(NamedTuple):
    at: float
    uniqueid: str
    tenant: str
    channel: str


class ChannelClosed(NamedTuple):
    at: float
    uniqueid: str
    linkedid: str
    tenant: str
    channel: str
    cause: int


class HangupAsked(NamedTuple):
    """This party's end asked to hang up: the only honest witness of who ended the call."""

    at: float
    uniqueid: str
    tenant: str


class DialStarted(NamedTuple):
    """``uniqueid`` may be empty (Originate has no dialling channel)."""

    at: float
    uniqueid: str
    tenant: str
    dest: str
    dest_channel: str
    dest_tenant: str
    linkedid: str
    dialstring: str


class DialEnded(NamedTuple):
    """``status``: ANSWER, NOANSWER, BUSY, CANCEL, CONGESTION, CHANUNAVAIL…"""

    at: float
    uniqueid: str
    tenant: str
    dest: str
    dest_channel: str
    status: str


class BridgeEntered(NamedTuple):
    at: float
    uniqueid: str
    linkedid: str
    tenant: str
    channel: str
    bridge: str
    kind: str


class BridgeLeft(NamedTuple):
    at: float
    uniqueid: str
    tenant: str
    bridge: str


class LocalJoined(NamedTuple):
    """The two halves of a Local channel."""

    at: float
    one: str
    two: str
    tenant: str


class HoldChanged(NamedTuple):
    at: float
    uniqueid: str
    tenant: str
    held: bool


class KeyPressed(NamedTuple):
    """A DTMF digit received from this channel."""

    at: float
    uniqueid: str
    tenant: str
    digit: str


class RouteMarked(NamedTuple):
    """Our dialplan says where a call is (UserEvent). ``kind``: ivr | line | voicemail | queue_exit | listen."""

    at: float
    uniqueid: str
    tenant: str
    kind: str
    what: str


class BlindTransferred(NamedTuple):
    at: float
    uniqueid: str
    tenant: str
    transferee: str
    exten: str
    result: str


class AttendedTransferred(NamedTuple):
    """``first`` / ``second``: the transferer's two channels; ``others``: every further uniqueid the event names."""

    at: float
    first: str
    second: str
    tenant: str
    others: tuple[str, ...]
    result: str


class PickedUp(NamedTuple):
    """``uniqueid`` took the call that rang at ``target``."""

    at: float
    uniqueid: str
    tenant: str
    target: str


class ParkChanged(NamedTuple):
    """``state``: parked | unparked | timeout | gaveup."""

    at: float
    uniqueid: str
    tenant: str
    state: str
    space: str
    retriever: str


class SpyStarted(NamedTuple):
    at: float
    spyer: str
    spyer_channel: str
    spyee: str
    tenant: str


class SpyStopped(NamedTuple):
    at: float
    spyer: str
    spyee: str
    tenant: str


class QueueJoined(NamedTuple):
    at: float
    uniqueid: str
    linkedid: str
    tenant: str
    channel: str
    queue: str
    position: int
    number: str
    name: str


class QueueLeft(NamedTuple):
    at: float
    uniqueid: str
    tenant: str
    queue: str


class QueueAbandoned(NamedTuple):
    at: float
    uniqueid: str
    tenant: str
    queue: str


class QueueExit(NamedTuple):
    """Why the queue let the caller go on: TIMEOUT, FULL, JOINEMPTY, LEAVEEMPTY, … (QUEUESTATUS)."""

    at: float
    uniqueid: str
    tenant: str
    reason: str


class AgentCalled(NamedTuple):
    """The queue rings a member for this caller."""

    at: float
    uniqueid: str
    tenant: str
    queue: str
    interface: str
    member: str
    dest: str
    dest_channel: str


class AgentConnected(NamedTuple):
    at: float
    uniqueid: str
    tenant: str
    queue: str
    interface: str
    member: str
    dest: str
    dest_channel: str


class AgentMissed(NamedTuple):
    """Rang and was not answered (AgentRingNoAnswer). ``rang`` in seconds."""

    at: float
    uniqueid: str
    tenant: str
    queue: str
    interface: str
    member: str
    dest: str
    rang: float


class MemberChanged(NamedTuple):
    """``gone``: removed from the queue. ``device``: app_queue's device-state number (1 idle … 5 unavailable)."""

    at: float
    queue: str
    interface: str
    member: str
    paused: bool
    reason: str
    device: int
    gone: bool = False


class MemberPaused(NamedTuple):
    at: float
    queue: str
    interface: str
    member: str
    paused: bool
    reason: str


class DeviceChanged(NamedTuple):
    """``state``: Asterisk's word (NOT_INUSE, INUSE, RINGING, ONHOLD, UNAVAILABLE, INVALID, UNKNOWN…)."""

    at: float
    device: str
    state: str


class RegistrationChanged(NamedTuple):
    at: float
    endpoint: str
    registered: bool


class StatusDeclared(NamedTuple):
    """The portal's own: a manager's status as stored (``status``: id in the directory; 0 = none)."""

    at: float
    manager: str
    status: int


class PbxBooted(NamedTuple):
    """The PBX's clock came back with a new boot: everything before it is gone. ``boot``: epoch seconds of the start."""

    at: float
    boot: float


class SnapshotChannel(NamedTuple):
    uniqueid: str
    linkedid: str
    tenant: str
    channel: str
    state: int
    number: str
    name: str
    exten: str
    context: str
    bridge: str
    application: str
    data: str
    age: float


class SnapshotCaller(NamedTuple):
    queue: str
    uniqueid: str
    position: int
    wait: float


class Snapshot(NamedTuple):
    """The PBX's own answer to "what is there now": the board is marked and swept against it.

    ``at``: PBX time just *before* the lists were asked for; an event stamped later may or may not be in them.
    """

    at: float
    channels: tuple[SnapshotChannel, ...]
    callers: tuple[SnapshotCaller, ...]
    members: tuple[MemberChanged, ...]
    devices: tuple[DeviceChanged, ...]
    registrations: tuple[RegistrationChanged, ...]


Event = (
    ChannelOpened
    | ChannelState
    | CallerChanged
    | ChannelRenamed
    | ChannelClosed
    | HangupAsked
    | DialStarted
    | DialEnded
    | BridgeEntered
    | BridgeLeft
    | LocalJoined
    | HoldChanged
    | KeyPressed
    | RouteMarked
    | BlindTransferred
    | AttendedTransferred
    | PickedUp
    | ParkChanged
    | SpyStarted
    | SpyStopped
    | QueueJoined
    | QueueLeft
    | QueueAbandoned
    | QueueExit
    | AgentCalled
    | AgentConnected
    | AgentMissed
    | MemberChanged
    | MemberPaused
    | DeviceChanged
    | RegistrationChanged
    | StatusDeclared
    | PbxBooted
    | Snapshot
)
