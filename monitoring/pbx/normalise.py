"""AMI text → typed events: ``TABLE`` below is the whole list of what we listen to and what each line means.

The event's name is looked up before anything is parsed, so the unwanted four fifths of a full stream cost next to
nothing. Wanted events are read by a remembered layout (which line holds which header), checked on every use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from monitoring.domain import events as ev

TEXT_LIMIT: Final = 200
_LATEST: Final = 1e11
BEYOND: Final = 1 << 20
Values = list[str]
Make = Callable[[float, Values], ev.Event | None]


def normalise(block: bytes, received: float = 0.0) -> ev.Event | None:
    """The event one AMI block holds, or None when it is not ours to hear. Never raises, whatever the bytes.

    ``received``: epoch seconds to stamp events of a PBX without ``timestampevents=yes``.
    """
    if block[:7] == b"Event: ":
        start = 7
    else:
        start = block.find(b"\nEvent: ") + 8
        if start < 8:
            return None
    end = block.find(b"\r\n", start)
    row = TABLE.get(block[start:end] if end >= 0 else block[start:])
    if row is None or (row is _VARSET and b"QUEUESTATUS" not in block):
        return None
    text = block.decode("utf-8", "replace")
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    values = row.read(text)
    try:
        at = float(values[0]) if values[0] else received
    except ValueError:
        at = received
    if not 0.0 < at < _LATEST:
        at = received
    return row.make(at, values)


class _Row:
    """One line of the table: the headers it reads (Timestamp always first) and how they become an event."""

    __slots__ = ("headers", "layouts", "make")

    def __init__(self, headers: tuple[str, ...], make: Make) -> None:
        self.headers = ("Timestamp", *headers)
        self.make = make
        self.layouts: dict[int, tuple[list[tuple[int, str, int]], list[str]]] = {}

    def read(self, text: str) -> Values:
        lines = text.split("\r\n")
        known = self.layouts.get(len(lines))
        if known is not None:
            layout, absent = known
            values: Values = []
            for index, prefix, size in layout:
                line = lines[index]
                if not line.startswith(prefix):
                    break
                values.append(line[size:])
            else:
                # A header this layout knows as absent must still be absent, else it would be silently missed.
                if not any(header in text for header in absent):
                    return values
        return self._learn(lines)

    def _learn(self, lines: list[str]) -> Values:
        where: dict[str, int] = {}
        for index, line in enumerate(lines):
            key, colon, _ = line.partition(":")
            # Of repeated headers the first counts: what a caller can append never overrides what Asterisk wrote.
            if colon and key not in where:
                where[key] = index
        values = [lines[where[h]].partition(":")[2].strip() if h in where else "" for h in self.headers]
        layout = []
        for header in self.headers:
            prefix = f"{header}: "
            if header not in where:
                layout.append((0, "", BEYOND))
            elif lines[where[header]].startswith(prefix):
                layout.append((where[header], prefix, len(prefix)))
            else:
                return values
        if len(self.layouts) < 64:
            self.layouts[len(lines)] = (layout, [f"\r\n{h}:" for h in self.headers if h not in where])
        return values


def _text(value: str) -> str:
    """A caller-supplied text: bounded, and Asterisk's way to say nothing made nothing."""
    if value == "<unknown>":
        return ""
    return value if len(value) <= TEXT_LIMIT else value[:TEXT_LIMIT]


def _int(value: str) -> int:
    return int(value) if value.isdecimal() and len(value) < 10 else 0


def _opened(at: float, v: Values) -> ev.Event | None:
    return ev.ChannelOpened(
        at, v[1], v[2], v[3], v[4], _int(v[5]), _text(v[6]), _text(v[7]), _text(v[8]), v[9]
    )


def _state(at: float, v: Values) -> ev.Event | None:
    return ev.ChannelState(
        at, v[1], v[2], v[3], v[4], _int(v[5]), _text(v[6]), _text(v[7]), _text(v[8]), _text(v[9])
    )


def _registration(at: float, v: Values) -> ev.Event | None:
    status = v[2].lower()
    if status in ("removed", "unreachable", "unregistered"):
        return ev.RegistrationChanged(at, v[1], registered=False)
    if status in ("reachable", "nonqualified", "created", "registered"):
        return ev.RegistrationChanged(at, v[1], registered=True)
    return None


def _member(at: float, v: Values, *, gone: bool = False) -> ev.Event | None:
    return ev.MemberChanged(
        at, v[1], _interface(v[2]), _text(v[3]), v[4] == "1", _text(v[5]), _int(v[6]), gone
    )


def _interface(value: str) -> str:
    """``Local/101@agents/n`` and ``Local/101@agents`` are one interface: what follows the second slash is options."""
    parts = value.split("/")
    return "/".join(parts[:2]) if len(parts) > 2 else value


def _route(at: float, v: Values) -> ev.Event | None:
    if v[1] == "Route":
        return ev.RouteMarked(at, v[2], v[3], v[4], _text(v[5]))
    return None


def _queue_status(at: float, v: Values) -> ev.Event | None:
    return ev.QueueExit(at, v[1], v[2], v[4]) if v[3] == "QUEUESTATUS" and v[4] else None


def _attended(at: float, v: Values) -> ev.Event | None:
    return ev.AttendedTransferred(at, v[1], v[2], v[3], tuple(uid for uid in v[5:] if uid), v[4])


def _parked(state: str) -> Make:
    return lambda at, v: ev.ParkChanged(at, v[1], v[2], state, v[3], v[4])


_AGENT = ("Uniqueid", "Tenantid", "Queue", "Interface", "MemberName", "DestUniqueid", "DestChannel")
_MEMBER = ("Queue", "Interface", "MemberName", "Paused", "PausedReason", "Status")
_PARK = ("ParkeeUniqueid", "ParkeeTenantid", "ParkingSpace", "RetrieverUniqueid")
_ENDPOINT = ("EndpointName", "ContactStatus")

TABLE: Final[dict[bytes, _Row]] = {
    # channels
    b"Newchannel": _Row(
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
    b"Newstate": _Row(
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
    b"NewCallerid": _Row(
        ("Uniqueid", "Tenantid", "CallerIDNum", "CallerIDName"),
        lambda at, v: ev.CallerChanged(at, v[1], v[2], _text(v[3]), _text(v[4])),
    ),
    b"Rename": _Row(
        ("Uniqueid", "Tenantid", "Newname"), lambda at, v: ev.ChannelRenamed(at, v[1], v[2], v[3])
    ),
    b"HangupRequest": _Row(("Uniqueid", "Tenantid"), lambda at, v: ev.HangupAsked(at, v[1], v[2])),
    b"Hangup": _Row(
        ("Uniqueid", "Linkedid", "Tenantid", "Channel", "Cause"),
        lambda at, v: ev.ChannelClosed(at, v[1], v[2], v[3], v[4], _int(v[5])),
    ),
    # one party calls another
    b"DialBegin": _Row(
        ("Uniqueid", "Tenantid", "DestUniqueid", "DestChannel", "DestTenantid", "DestLinkedid", "DialString"),
        lambda at, v: ev.DialStarted(at, v[1], v[2], v[3], v[4], v[5], v[6], _text(v[7])),
    ),
    b"DialEnd": _Row(
        ("Uniqueid", "Tenantid", "DestUniqueid", "DestChannel", "DialStatus"),
        lambda at, v: ev.DialEnded(at, v[1], v[2], v[3], v[4], v[5]),
    ),
    # who is connected with whom
    b"BridgeEnter": _Row(
        ("Uniqueid", "Linkedid", "Tenantid", "Channel", "BridgeUniqueid", "BridgeTechnology"),
        lambda at, v: ev.BridgeEntered(at, v[1], v[2], v[3], v[4], v[5], v[6]),
    ),
    b"BridgeLeave": _Row(
        ("Uniqueid", "Tenantid", "BridgeUniqueid"), lambda at, v: ev.BridgeLeft(at, v[1], v[2], v[3])
    ),
    b"LocalBridge": _Row(
        ("LocalOneUniqueid", "LocalTwoUniqueid", "LocalOneTenantid"),
        lambda at, v: ev.LocalJoined(at, v[1], v[2], v[3]),
    ),
    b"Hold": _Row(("Uniqueid", "Tenantid"), lambda at, v: ev.HoldChanged(at, v[1], v[2], held=True)),
    b"Unhold": _Row(("Uniqueid", "Tenantid"), lambda at, v: ev.HoldChanged(at, v[1], v[2], held=False)),
    # what the caller pressed, what our dialplan says of the route
    b"DTMFEnd": _Row(
        ("Uniqueid", "Tenantid", "Digit", "Direction"),
        lambda at, v: ev.KeyPressed(at, v[1], v[2], v[3][:1]) if v[4] == "Received" else None,
    ),
    b"UserEvent": _Row(("UserEvent", "Uniqueid", "Tenantid", "Kind", "What"), _route),
    b"VarSet": _Row(("Uniqueid", "Tenantid", "Variable", "Value"), _queue_status),
    # transfers, pickup, parking
    b"BlindTransfer": _Row(
        ("TransfererUniqueid", "TransfererTenantid", "TransfereeUniqueid", "Extension", "Result"),
        lambda at, v: ev.BlindTransferred(at, v[1], v[2], v[3], _text(v[4]), v[5]),
    ),
    b"AttendedTransfer": _Row(
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
    b"Pickup": _Row(
        ("Uniqueid", "Tenantid", "TargetUniqueid"), lambda at, v: ev.PickedUp(at, v[1], v[2], v[3])
    ),
    b"ParkedCall": _Row(_PARK, _parked("parked")),
    b"UnParkedCall": _Row(_PARK, _parked("unparked")),
    b"ParkedCallTimeOut": _Row(_PARK, _parked("timeout")),
    b"ParkedCallGiveUp": _Row(_PARK, _parked("gaveup")),
    # listening
    b"ChanSpyStart": _Row(
        ("SpyerUniqueid", "SpyerChannel", "SpyeeUniqueid", "SpyeeTenantid"),
        lambda at, v: ev.SpyStarted(at, v[1], v[2], v[3], v[4]),
    ),
    b"ChanSpyStop": _Row(
        ("SpyerUniqueid", "SpyeeUniqueid", "SpyeeTenantid"), lambda at, v: ev.SpyStopped(at, v[1], v[2], v[3])
    ),
    # queues
    b"QueueCallerJoin": _Row(
        ("Uniqueid", "Linkedid", "Tenantid", "Channel", "Queue", "Position", "CallerIDNum", "CallerIDName"),
        lambda at, v: ev.QueueJoined(at, v[1], v[2], v[3], v[4], v[5], _int(v[6]), _text(v[7]), _text(v[8])),
    ),
    b"QueueCallerLeave": _Row(
        ("Uniqueid", "Tenantid", "Queue"), lambda at, v: ev.QueueLeft(at, v[1], v[2], v[3])
    ),
    b"QueueCallerAbandon": _Row(
        ("Uniqueid", "Tenantid", "Queue"), lambda at, v: ev.QueueAbandoned(at, v[1], v[2], v[3])
    ),
    b"AgentCalled": _Row(
        _AGENT,
        lambda at, v: ev.AgentCalled(at, v[1], v[2], v[3], _interface(v[4]), _text(v[5]), v[6], v[7]),
    ),
    b"AgentConnect": _Row(
        _AGENT,
        lambda at, v: ev.AgentConnected(at, v[1], v[2], v[3], _interface(v[4]), _text(v[5]), v[6], v[7]),
    ),
    b"AgentRingNoAnswer": _Row(
        (*_AGENT[:6], "RingTime"),
        lambda at, v: ev.AgentMissed(
            at, v[1], v[2], v[3], _interface(v[4]), _text(v[5]), v[6], _int(v[7]) / 1000
        ),
    ),
    b"QueueMember": _Row(("Queue", "Location", "Name", "Paused", "PausedReason", "Status"), _member),
    b"QueueMemberStatus": _Row(_MEMBER, _member),
    b"QueueMemberAdded": _Row(_MEMBER, _member),
    b"QueueMemberRemoved": _Row(_MEMBER, lambda at, v: _member(at, v, gone=True)),
    b"QueueMemberPause": _Row(
        _MEMBER[:5],
        lambda at, v: ev.MemberPaused(at, v[1], _interface(v[2]), _text(v[3]), v[4] == "1", _text(v[5])),
    ),
    # phones
    b"DeviceStateChange": _Row(
        ("Device", "State"), lambda at, v: ev.DeviceChanged(at, _interface(v[1]), v[2])
    ),
    b"ContactStatus": _Row(_ENDPOINT, _registration),
    # the PBX itself
    b"FullyBooted": _Row(("Uptime",), lambda at, v: ev.PbxBooted(at, at - _int(v[1])) if v[1] else None),
}
"""AMI event → our event. What is not here is not heard."""
_VARSET: Final = TABLE[b"VarSet"]
