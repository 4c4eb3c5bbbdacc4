"""AMI text → typed events: ``TABLE`` below is the whole list of what we listen to and what each line means.

The event's name is looked up before anything is parsed, so the unwanted four fifths of a full stream cost next to
nothing. A wanted event is read by a pattern learned from its first occurrence: the whole sequence of header names,
so a block laid out otherwise does not match and is learned anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from monitoring.domain import events as ev

TEXT_LIMIT: Final = 200
USUAL_SIZE: Final = 2048
_LATEST: Final = 1e11
_LONGEST: Final = 64
"""Lines of a block worth a pattern; a hostile peer cannot make us compile without end."""
_ALIKE: Final = 4
Values = tuple[str, ...]
Make = Callable[[float, Values], ev.Event | None]
Layout = tuple[Callable[[str], "re.Match[str] | None"], int, tuple[int, ...]]


def normalise(block: bytes, received: float = 0.0) -> ev.Event | None:
    """The event one AMI block holds, or None when it is not ours to hear. Never raises, whatever the bytes.

    ``received``: epoch seconds to stamp events of a PBX without ``timestampevents=yes``.
    """
    row = TABLE.get(block[: block.find(b"\r\n")])
    if row is None:
        if block.startswith(b"Event: "):
            return None
        row = _after_greeting(block)
        if row is None:
            return None
    if row.only and row.only not in block:
        return None
    text = block.decode("utf-8", "replace")
    if "<unknown>" in text:
        # Asterisk's way to say nothing.
        text = text.replace("<unknown>", "")
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    match = row.usual(text)
    if match is not None:
        stamp, values = match[row.stamp], match.group(*row.places)
    else:
        stamp, values = row.read(text)
    if len(block) > USUAL_SIZE:
        values = tuple(value[:TEXT_LIMIT] for value in values)
    try:
        at = float(stamp)
    except ValueError:
        at = received
    return row.make(at if 0.0 < at < _LATEST else received, values)


def _after_greeting(block: bytes) -> _Row | None:
    """An event that does not begin its block: the first one after the greeting line of a capture."""
    start = block.find(b"\nEvent: ") + 1
    end = block.find(b"\r\n", start)
    return TABLE.get(block[start : end if end >= 0 else len(block)]) if start else None


class _Row:
    """One line of the table: the headers it reads and how they become an event.

    ``only``: bytes a block must contain to be looked at. ``usual``, ``stamp``, ``places``: the layout met last, its
    pattern, the group of the Timestamp, the groups of the headers in order.
    """

    __slots__ = ("_layouts", "headers", "make", "only", "places", "stamp", "usual")

    def __init__(self, headers: tuple[str, ...], make: Make, *, only: bytes = b"") -> None:
        assert len(headers) > 1, "re gives one group as a string, not as a tuple"
        self.headers = headers
        self.make = make
        self.only = only
        self._layouts: dict[int, list[Layout]] = {}
        self.usual: Callable[[str], re.Match[str] | None] = re.compile(r"(?!)").fullmatch
        self.stamp = 0
        self.places: tuple[int, ...] = ()

    def read(self, text: str) -> tuple[str, Values]:
        """Timestamp and values of a block that is not laid out as the last one was."""
        for layout in self._layouts.get(text.count("\r\n"), ()):
            match = layout[0](text)
            if match is not None:
                self.usual, self.stamp, self.places = layout
                return match[self.stamp], match.group(*self.places)
        return self._learn(text)

    def _learn(self, text: str) -> tuple[str, Values]:
        lines = text.split("\r\n")
        found: dict[str, str] = {}
        patterns: list[str] = []
        for line in lines:
            key, colon, value = line.partition(": ")
            # Of repeated headers the first counts: what a caller can append never overrides what Asterisk wrote.
            if colon and (key in self.headers or key == "Timestamp") and key not in found:
                found[key] = value
                patterns.append(f"{re.escape(key)}: ([^\r]*)")
            else:
                patterns.append(f"{re.escape(key)}: [^\r]*" if colon else "[^\r:]*")
        alike = self._layouts.setdefault(len(lines) - 1, []) if len(self._layouts) < _LONGEST else []
        if len(lines) < _LONGEST and len(alike) < _ALIKE:
            # The empty last group stands for every header this layout does not have.
            groups = {key: index for index, key in enumerate(found, 1)}
            places = tuple(groups.get(header, len(found) + 1) for header in self.headers)
            pattern = re.compile("\r\n".join(patterns) + "()")
            alike.append((pattern.fullmatch, groups.get("Timestamp", len(found) + 1), places))
        return found.get("Timestamp", ""), tuple(found.get(header, "") for header in self.headers)


def _as(kind: type[Any]) -> Make:
    """The table's headers are the event's fields, in order."""
    new = tuple.__new__
    return lambda at, v: new(kind, (at, *v))


def _int(value: str) -> int:
    return int(value) if value.isdecimal() and len(value) < 10 else 0


def _opened(at: float, v: Values) -> ev.Event | None:
    return ev.ChannelOpened(at, v[0], v[1], v[2], v[3], _int(v[4]), v[5], v[6], v[7], v[8])


def _state(at: float, v: Values) -> ev.Event | None:
    return ev.ChannelState(at, v[0], v[1], v[2], v[3], _int(v[4]), v[5], v[6], v[7], v[8])


def _registration(at: float, v: Values) -> ev.Event | None:
    status = v[1].lower()
    if status in ("removed", "unreachable", "unregistered"):
        return ev.RegistrationChanged(at, v[0], registered=False)
    if status in ("reachable", "nonqualified", "created", "registered"):
        return ev.RegistrationChanged(at, v[0], registered=True)
    return None


def _member(at: float, v: Values, *, gone: bool = False) -> ev.Event | None:
    return ev.MemberChanged(at, v[0], interface(v[1]), v[2], v[3] == "1", v[4], _int(v[5]), gone)


def interface(value: str) -> str:
    """``Local/101@agents/n`` and ``Local/101@agents`` are one: what follows the second slash is options."""
    if value.count("/") < 2:
        return value
    return "/".join(value.split("/")[:2])


def _route(at: float, v: Values) -> ev.Event | None:
    return ev.RouteMarked(at, v[1], v[2], v[3], v[4]) if v[0] == "Route" else None


def _device(at: float, v: Values) -> ev.Event | None:
    """Phones only: queues, conferences and parking lots have device states too, but nobody answers them."""
    return ev.DeviceChanged(at, interface(v[0]), v[1]) if "/" in v[0] else None


def _queue_status(at: float, v: Values) -> ev.Event | None:
    return ev.QueueExit(at, v[0], v[1], v[3]) if v[2] == "QUEUESTATUS" and v[3] else None


def _attended(at: float, v: Values) -> ev.Event | None:
    return ev.AttendedTransferred(at, v[0], v[1], v[2], tuple(uid for uid in v[4:] if uid), v[3])


def _parked(state: str) -> Make:
    return lambda at, v: ev.ParkChanged(at, v[0], v[1], state, v[2], v[3])


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
        _opened,
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
        _state,
    ),
    b"Event: NewCallerid": _Row(
        ("Uniqueid", "Tenantid", "CallerIDNum", "CallerIDName"),
        _as(ev.CallerChanged),
    ),
    b"Event: Rename": _Row(("Uniqueid", "Tenantid", "Newname"), _as(ev.ChannelRenamed)),
    b"Event: HangupRequest": _Row(("Uniqueid", "Tenantid"), _as(ev.HangupAsked)),
    b"Event: Hangup": _Row(
        ("Uniqueid", "Linkedid", "Tenantid", "Channel", "Cause"),
        lambda at, v: ev.ChannelClosed(at, v[0], v[1], v[2], v[3], _int(v[4])),
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
    b"Event: Hold": _Row(("Uniqueid", "Tenantid"), lambda at, v: ev.HoldChanged(at, v[0], v[1], held=True)),
    b"Event: Unhold": _Row(
        ("Uniqueid", "Tenantid"), lambda at, v: ev.HoldChanged(at, v[0], v[1], held=False)
    ),
    # what the caller pressed, what our dialplan says of the route
    b"Event: DTMFEnd": _Row(
        ("Uniqueid", "Tenantid", "Digit", "Direction"),
        lambda at, v: ev.KeyPressed(at, v[0], v[1], v[2][:1]) if v[3] == "Received" else None,
    ),
    b"Event: UserEvent": _Row(
        ("UserEvent", "Uniqueid", "Tenantid", "Kind", "What"), _route, only=b"UserEvent: Route"
    ),
    b"Event: VarSet": _Row(("Uniqueid", "Tenantid", "Variable", "Value"), _queue_status, only=b"QUEUESTATUS"),
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
        lambda at, v: ev.QueueJoined(at, v[0], v[1], v[2], v[3], v[4], _int(v[5]), v[6], v[7]),
    ),
    b"Event: QueueCallerLeave": _Row(("Uniqueid", "Tenantid", "Queue"), _as(ev.QueueLeft)),
    b"Event: QueueCallerAbandon": _Row(("Uniqueid", "Tenantid", "Queue"), _as(ev.QueueAbandoned)),
    b"Event: AgentCalled": _Row(
        _AGENT,
        lambda at, v: ev.AgentCalled(at, v[0], v[1], v[2], interface(v[3]), v[4], v[5], v[6]),
    ),
    b"Event: AgentConnect": _Row(
        _AGENT,
        lambda at, v: ev.AgentConnected(at, v[0], v[1], v[2], interface(v[3]), v[4], v[5], v[6]),
    ),
    b"Event: AgentRingNoAnswer": _Row(
        (*_AGENT[:6], "RingTime"),
        lambda at, v: ev.AgentMissed(at, v[0], v[1], v[2], interface(v[3]), v[4], v[5], _int(v[6]) / 1000),
    ),
    b"Event: QueueMember": _Row(("Queue", "Location", "Name", "Paused", "PausedReason", "Status"), _member),
    b"Event: QueueMemberStatus": _Row(_MEMBER, _member),
    b"Event: QueueMemberAdded": _Row(_MEMBER, _member),
    b"Event: QueueMemberRemoved": _Row(_MEMBER, lambda at, v: _member(at, v, gone=True)),
    b"Event: QueueMemberPause": _Row(
        _MEMBER[:5],
        lambda at, v: ev.MemberPaused(at, v[0], interface(v[1]), v[2], v[3] == "1", v[4]),
    ),
    # phones
    b"Event: DeviceStateChange": _Row(("Device", "State"), _device),
    b"Event: ContactStatus": _Row(_ENDPOINT, _registration),
    # the PBX itself
    b"Event: FullyBooted": _Row(
        ("Uptime", "LastReload"), lambda at, v: ev.PbxBooted(at, at - _int(v[0])) if v[0] else None
    ),
}
"""AMI event → our event. What is not here is not heard."""
