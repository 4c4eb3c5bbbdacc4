"""AMI text → typed events: ``TABLE`` below is the whole list of what we listen to and what each line means.

The event's name is looked up before anything is parsed, so the unwanted four fifths of a full stream cost next to
nothing. A wanted event is read by a pattern learned from its first occurrence (``layouts``); what it finds is decoded
in one piece, so the letters nobody asked for are never decoded at all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from monitoring.domain import events as ev

from .layouts import Layouts

TEXT_LIMIT: Final = 200
USUAL_SIZE: Final = 2048
_LATEST: Final = 1e11
Values = list[Any]
"""PBX time, then the row's headers in order: text, until ``make`` reads more into them."""
Make = Callable[[Values], ev.Event | None]


def normalise(block: bytes, received: float = 0.0) -> ev.Event | None:
    """The event one AMI block holds, or None when it is not ours to hear. Never raises, whatever the bytes.

    ``received``: epoch seconds to stamp events of a PBX without ``timestampevents=yes``.
    """
    row = TABLE.get(block[: block.find(b"\r")])
    if row is None:
        if block.startswith(b"Event: "):
            return None
        row = _after_greeting(block)
        if row is None:
            return None
    if row.only and row.only not in block:
        return None
    layouts = row.layouts
    match = layouts.usual(block)
    found = match.group(*layouts.places) if match is not None else layouts.read(block)
    # No value can contain the separator, so decoding all at once is decoding each.
    text = b"\r".join(found).decode("utf-8", "replace")
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    values: Values = text.split("\r")
    if len(block) > USUAL_SIZE:
        values = [value[:TEXT_LIMIT] for value in values]
    try:
        at = float(values[0])
    except ValueError:
        at = received
    values[0] = at if 0.0 < at < _LATEST else received
    return row.make(values)


def _after_greeting(block: bytes) -> _Row | None:
    """An event that does not begin its block: the first one after the greeting line of a capture."""
    start = block.find(b"\nEvent: ") + 1
    end = block.find(b"\r\n", start)
    return TABLE.get(block[start : end if end >= 0 else len(block)]) if start else None


class _Row:
    """One line of the table: the headers it reads and how they become an event.

    ``only``: bytes a block must contain to be looked at.
    """

    __slots__ = ("headers", "layouts", "make", "only")

    def __init__(self, headers: tuple[str, ...], make: Make, *, only: bytes = b"") -> None:
        self.headers = headers
        self.make = make
        self.only = only
        self.layouts = Layouts(b"Timestamp", *(header.encode() for header in headers))


def _as(kind: type[Any]) -> Make:
    """The table's headers are the event's fields, in order. (``kind._make`` would do, at twice the price.)"""
    return partial(tuple.__new__, kind)


def _int(value: str) -> int:
    return int(value) if value.isdecimal() and len(value) < 10 else 0


def _with_number(kind: type[Any], field: str) -> Make:
    """As ``_as``, with one field that is a whole number."""
    place = kind._fields.index(field)
    new = partial(tuple.__new__, kind)

    def make(v: Values) -> ev.Event | None:
        v[place] = _int(v[place])
        event: ev.Event = new(v)
        return event

    return make


def _with_interface(kind: type[Any], field: str = "interface") -> Make:
    """As ``_as``, with one field that names a device."""
    place = kind._fields.index(field)
    new = partial(tuple.__new__, kind)

    def make(v: Values) -> ev.Event | None:
        v[place] = interface(v[place])
        event: ev.Event = new(v)
        return event

    return make


def _registration(v: Values) -> ev.Event | None:
    status = v[2].lower()
    if status in ("removed", "unreachable", "unregistered"):
        return ev.RegistrationChanged(v[0], v[1], registered=False)
    if status in ("reachable", "nonqualified", "created", "registered"):
        return ev.RegistrationChanged(v[0], v[1], registered=True)
    return None


def _member(*, gone: bool = False) -> Make:
    new = partial(tuple.__new__, ev.MemberChanged)

    def make(v: Values) -> ev.Event | None:
        # With its options: a pause must name the member as the queue does.
        v[4], v[6] = v[4] == "1", _int(v[6])
        v.append(gone)
        event: ev.Event = new(v)
        return event

    return make


def interface(value: str) -> str:
    """``Local/101@agents/n`` and ``Local/101@agents`` are one: what follows the second slash is options."""
    return value if value.count("/") < 2 else "/".join(value.split("/")[:2])


def _route(v: Values) -> ev.Event | None:
    return ev.RouteMarked(v[0], *v[2:]) if v[1] == "Route" else None


def _device(v: Values) -> ev.Event | None:
    """Phones only: queues, conferences and parking lots have device states too, but nobody answers them."""
    return _device_event(v) if "/" in v[1] else None


_device_event = _with_interface(ev.DeviceChanged, "device")


def _queue_status(v: Values) -> ev.Event | None:
    at, uniqueid, tenant, variable, value = v
    return ev.QueueExit(at, uniqueid, tenant, value) if variable == "QUEUESTATUS" and value else None


def _attended(v: Values) -> ev.Event | None:
    at, first, second, tenant, result, *others = v
    return ev.AttendedTransferred(at, first, second, tenant, tuple(uid for uid in others if uid), result)


def _missed(v: Values) -> ev.Event | None:
    v[4], v[7] = interface(v[4]), _int(v[7]) / 1000
    return ev.AgentMissed(*v)


def _paused(v: Values) -> ev.Event | None:
    at, queue, where, name, paused, reason = v
    return ev.MemberPaused(at, queue, interface(where), name, paused == "1", reason)


def _parked(state: str) -> Make:
    return lambda v: ev.ParkChanged(v[0], v[1], v[2], state, v[3], v[4])


_AGENT = ("Uniqueid", "Tenantid", "Queue", "Interface", "MemberName", "DestUniqueid", "DestChannel")
_MEMBER = ("Queue", "Interface", "MemberName", "Paused", "PausedReason", "Status")
_PARK = ("ParkeeUniqueid", "ParkeeTenantid", "ParkingSpace", "RetrieverUniqueid")
_ENDPOINT = ("EndpointName", "ContactStatus")

TABLE: Final[dict[bytes, _Row]] = {
    # channels
    b"Event: Newchannel": _Row(
        (
            "Uniqueid",
            "Linkedid",
            "Tenantid",
            "Channel",
            "ChannelState",
            "CallerIDNum",
            "CallerIDName",
            "Exten",
            "Context",
        ),
        _with_number(ev.ChannelOpened, "state"),
    ),
    b"Event: Newstate": _Row(
        (
            "Uniqueid",
            "Linkedid",
            "Tenantid",
            "Channel",
            "ChannelState",
            "CallerIDNum",
            "CallerIDName",
            "ConnectedLineNum",
            "Exten",
        ),
        _with_number(ev.ChannelState, "state"),
        # Only the answer: that it rings is told by DialBegin and AgentCalled, and costs as much to read.
        only=b"\r\nChannelState: 6",
    ),
    b"Event: NewCallerid": _Row(
        ("Uniqueid", "Tenantid", "CallerIDNum", "CallerIDName"),
        _as(ev.CallerChanged),
    ),
    b"Event: Rename": _Row(("Uniqueid", "Tenantid", "Newname"), _as(ev.ChannelRenamed)),
    b"Event: HangupRequest": _Row(("Uniqueid", "Tenantid"), _as(ev.HangupAsked)),
    b"Event: Hangup": _Row(
        ("Uniqueid", "Linkedid", "Tenantid", "Channel", "Cause"),
        _with_number(ev.ChannelClosed, "cause"),
    ),
    # one party calls another
    b"Event: DialBegin": _Row(
        ("Uniqueid", "Tenantid", "DestUniqueid", "DestChannel", "DestTenantid", "DestLinkedid", "DialString"),
        _as(ev.DialStarted),
    ),
    b"Event: DialEnd": _Row(
        ("Uniqueid", "Tenantid", "DestUniqueid", "DestChannel", "DialStatus"),
        _as(ev.DialEnded),
    ),
    # who is connected with whom
    b"Event: BridgeEnter": _Row(
        ("Uniqueid", "Linkedid", "Tenantid", "Channel", "BridgeUniqueid", "BridgeTechnology"),
        _as(ev.BridgeEntered),
    ),
    b"Event: BridgeLeave": _Row(("Uniqueid", "Tenantid", "BridgeUniqueid"), _as(ev.BridgeLeft)),
    b"Event: LocalBridge": _Row(
        ("LocalOneUniqueid", "LocalTwoUniqueid", "LocalOneTenantid"),
        _as(ev.LocalJoined),
    ),
    b"Event: Hold": _Row(("Uniqueid", "Tenantid"), lambda v: ev.HoldChanged(v[0], v[1], v[2], held=True)),
    b"Event: Unhold": _Row(("Uniqueid", "Tenantid"), lambda v: ev.HoldChanged(v[0], v[1], v[2], held=False)),
    # what the caller pressed, what our dialplan says of the route
    b"Event: DTMFEnd": _Row(
        ("Uniqueid", "Tenantid", "Digit", "Direction"),
        lambda v: ev.KeyPressed(v[0], v[1], v[2], v[3][:1]) if v[4] == "Received" else None,
    ),
    b"Event: UserEvent": _Row(
        ("UserEvent", "Uniqueid", "Tenantid", "Kind", "What"), _route, only=b"UserEvent: Route"
    ),
    b"Event: VarSet": _Row(("Uniqueid", "Tenantid", "Variable", "Value"), _queue_status, only=b"Variable: QUEUESTATUS"),
    # transfers, pickup, parking
    b"Event: BlindTransfer": _Row(
        ("TransfererUniqueid", "TransfererTenantid", "TransfereeUniqueid", "Extension", "Result"),
        _as(ev.BlindTransferred),
    ),
    b"Event: AttendedTransfer": _Row(
        (
            "OrigTransfererUniqueid",
            "SecondTransfererUniqueid",
            "OrigTransfererTenantid",
            "Result",
            "TransfereeUniqueid",
            "TransferTargetUniqueid",
            "LocalOneUniqueid",
            "LocalTwoUniqueid",
        ),
        _attended,
    ),
    b"Event: Pickup": _Row(("Uniqueid", "Tenantid", "TargetUniqueid"), _as(ev.PickedUp)),
    b"Event: ParkedCall": _Row(_PARK, _parked("parked")),
    b"Event: UnParkedCall": _Row(_PARK, _parked("unparked")),
    b"Event: ParkedCallTimeOut": _Row(_PARK, _parked("timeout")),
    b"Event: ParkedCallGiveUp": _Row(_PARK, _parked("gaveup")),
    # listening
    b"Event: ChanSpyStart": _Row(
        ("SpyerUniqueid", "SpyerChannel", "SpyeeUniqueid", "SpyeeTenantid"),
        _as(ev.SpyStarted),
    ),
    b"Event: ChanSpyStop": _Row(("SpyerUniqueid", "SpyeeUniqueid", "SpyeeTenantid"), _as(ev.SpyStopped)),
    # queues
    b"Event: QueueCallerJoin": _Row(
        ("Uniqueid", "Linkedid", "Tenantid", "Channel", "Queue", "Position", "CallerIDNum", "CallerIDName"),
        _with_number(ev.QueueJoined, "position"),
    ),
    b"Event: QueueCallerLeave": _Row(("Uniqueid", "Tenantid", "Queue"), _as(ev.QueueLeft)),
    b"Event: QueueCallerAbandon": _Row(("Uniqueid", "Tenantid", "Queue"), _as(ev.QueueAbandoned)),
    b"Event: AgentCalled": _Row(_AGENT, _with_interface(ev.AgentCalled)),
    b"Event: AgentConnect": _Row(_AGENT, _with_interface(ev.AgentConnected)),
    b"Event: AgentRingNoAnswer": _Row((*_AGENT[:6], "RingTime"), _missed),
    b"Event: QueueMember": _Row(("Queue", "Location", "Name", "Paused", "PausedReason", "Status"), _member()),
    b"Event: QueueMemberStatus": _Row(_MEMBER, _member()),
    b"Event: QueueMemberAdded": _Row(_MEMBER, _member()),
    b"Event: QueueMemberRemoved": _Row(_MEMBER, _member(gone=True)),
    b"Event: QueueMemberPause": _Row(_MEMBER[:5], _paused),
    # phones
    b"Event: DeviceStateChange": _Row(("Device", "State"), _device, only=b"/"),
    b"Event: ContactStatus": _Row(_ENDPOINT, _registration),
    # the PBX itself
    b"Event: FullyBooted": _Row(
        ("Uptime", "LastReload"), lambda v: ev.PbxBooted(v[0], v[0] - _int(v[1])) if v[1] else None
    ),
}
"""AMI event → our event. What is not here is not heard."""
