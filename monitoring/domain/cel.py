"""A PBX's call event log (CEL) told again as the events AMI would have told: what the reducer did not hear, it reads.

So calls are rebuilt by the same rules as live ones. CEL says less than AMI: who dialled whom, why a ring ended and
who hung up are concluded here from the order of its rows; ``docs/adr/0012`` lists what cannot be known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from . import events as ev
from .calls import interface_of

SOON: Final = 0.25
"""Seconds within which an end that follows another was caused by it."""
_NEVER_JOINED: Final = frozenset({"FULL", "JOINEMPTY", "JOINUNAVAIL"})
_BUSY: Final = frozenset({17, 21})
_FAILED: Final = {1: "CONGESTION", 34: "CONGESTION", 38: "CONGESTION", 3: "CHANUNAVAIL", 20: "CHANUNAVAIL"}
_PARKED: Final = {
    "ParkedCallTimeOut": "timeout",
    "ParkedCallGiveUp": "gaveup",
    "ParkedCallUnparked": "unparked",
}


class CelRow(NamedTuple):
    """One row as Asterisk writes it; ``at``: epoch seconds by its own clock, ``mark``: a user-defined event's name."""

    at: float
    kind: str
    uniqueid: str
    linkedid: str
    company: str
    channel: str
    number: str
    name: str
    exten: str
    context: str
    app: str
    data: str
    mark: str
    extra: str


class _Party:
    """What the rows have said of one channel so far."""

    __slots__ = (
        "answered", "app", "app_data", "app_since", "bridge", "caller", "company", "connected", "dialled_by", "exit",
        "interface", "joined", "kind", "linkedid", "name", "rang", "spying", "uniqueid",
    )  # fmt: skip

    def __init__(self, row: CelRow) -> None:
        self.uniqueid, self.linkedid, self.name, self.rang = row.uniqueid, row.linkedid, row.channel, row.at
        self.interface = interface_of(row.channel)
        self.company, self.caller = row.company, (row.number, row.name)
        self.app = self.app_data = self.bridge = self.kind = self.spying = self.exit = ""
        self.app_since = 0.0
        self.dialled_by: _Party | None = None
        self.answered = self.connected = self.joined = False

    @property
    def queue(self) -> str:
        return self.app_data.partition(",")[0] if self.app == "Queue" else ""

    def dials(self, interface: str) -> bool:
        """Whether its Dial names this device: ``PJSIP/acme_101``, or a number at it (``PJSIP/7495…@trunk``)."""
        for target in self.app_data.partition(",")[0].split("&"):
            tech, _, rest = target.partition("/")
            if interface in (f"{tech}/{rest.partition('/')[0]}", f"{tech}/{rest.rpartition('@')[2]}"):
                return True
        return False


def events(rows: Sequence[CelRow]) -> Iterator[ev.Event]:
    """The events of ``rows``, which are whole calls in the order in which they were written."""
    yield from _Reading(sorted(rows, key=lambda row: row.at)).events()


def families(rows: Sequence[CelRow]) -> dict[str, frozenset[str]]:
    """Channel → all channels of the same journey: those that ever bore the same linkedid, however often it changed."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    for row in rows:
        parent[root(row.uniqueid)] = root(f"linked {row.linkedid}")
    found: dict[str, set[str]] = {}
    channels = {row.uniqueid for row in rows}
    for uniqueid in channels:
        found.setdefault(root(uniqueid), set()).add(uniqueid)
    return {uniqueid: frozenset(found[root(uniqueid)]) for uniqueid in channels}


def unended(rows: Sequence[CelRow]) -> frozenset[str]:
    """Channels that began and of which no end is written: they live, or the PBX or its database was away."""
    ended = {row.uniqueid for row in rows if row.kind == "CHAN_END"}
    return frozenset(row.uniqueid for row in rows) - ended


class _Reading:
    def __init__(self, rows: list[CelRow]) -> None:
        self.rows = rows
        self.parties: dict[str, _Party] = {}
        self.by_name: dict[str, _Party] = {}
        self.bridges: dict[str, list[_Party]] = {}
        self.asked: set[str] = set()
        self.later: dict[str, list[CelRow]] = {}
        for row in reversed(rows):
            self.later.setdefault(row.uniqueid, []).append(row)

    def events(self) -> Iterator[ev.Event]:
        for row in self.rows:
            self.later[row.uniqueid].pop()  # from now on: what comes after this row
            party = self.parties.get(row.uniqueid)
            if party is None:
                if row.kind in ("CHAN_END", "LINKEDID_END"):
                    continue
                party = self.parties[row.uniqueid] = _Party(row)
                self.by_name[row.channel] = party
                yield from self._opened(row, party)
            elif row.channel != party.name and "<" not in row.channel:
                yield from self._renamed(row, party)
            if (row.number, row.name) != party.caller:
                party.caller = row.number, row.name
                yield ev.CallerChanged(row.at, row.uniqueid, row.company, row.number, row.name)
            party.company = row.company or party.company
            party.linkedid = row.linkedid
            handler = getattr(self, f"_{row.kind.lower()}", None)
            if handler is not None:
                yield from handler(row, party)

    # channels

    def _opened(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        yield ev.ChannelOpened(
            row.at, row.uniqueid, row.linkedid, row.company, row.channel, 0, row.number, row.name, row.exten,
            row.context,
        )  # fmt: skip
        if row.channel.endswith(";2"):
            other = self.by_name.get(f"{row.channel[:-1]}1")
            if other is not None:
                yield ev.LocalJoined(row.at, other.uniqueid, row.uniqueid, row.company)
            return
        if row.linkedid == row.uniqueid:
            return
        caller = self._dialler(party)
        if caller is None:
            return
        party.dialled_by = caller
        yield ev.DialStarted(
            row.at,
            caller.uniqueid,
            caller.company,
            row.uniqueid,
            row.channel,
            row.company,
            row.linkedid,
            caller.app_data,
        )
        if caller.queue:
            yield ev.AgentCalled(
                row.at,
                caller.uniqueid,
                caller.company,
                caller.queue,
                party.interface,
                "",
                row.uniqueid,
                row.channel,
            )

    def _dialler(self, party: _Party) -> _Party | None:
        """Who rang this channel: the party whose Dial names it, else the one who waits in a queue."""
        busy = [
            other
            for other in self.parties.values()
            if other is not party and other.linkedid == party.linkedid and not other.connected
        ]
        named = [other for other in busy if other.app == "Dial" and other.dials(party.interface)]
        found = named or [other for other in busy if other.queue]
        return max(found, key=lambda other: other.app_since) if found else None

    def _renamed(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        party.name, party.interface = row.channel, interface_of(row.channel)
        self.by_name[row.channel] = party
        yield ev.ChannelRenamed(row.at, row.uniqueid, row.company, row.channel)

    def _answer(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        party.answered = True
        yield ev.ChannelState(
            row.at,
            row.uniqueid,
            row.linkedid,
            row.company,
            row.channel,
            6,
            row.number,
            row.name,
            "",
            row.exten,
        )

    def _hangup(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        said = _extra(row)
        source = self.by_name.get(str(said.get("hangupsource", "")))
        if source is not None and source.uniqueid not in self.asked:
            self.asked.add(source.uniqueid)
            yield ev.HangupAsked(row.at, source.uniqueid, source.company)
        if party.dialled_by is not None and not party.answered:
            yield from self._rang_in_vain(row, party, party.dialled_by, _cause(said))

    def _rang_in_vain(self, row: CelRow, party: _Party, caller: _Party, cause: int) -> Iterator[ev.Event]:
        taken_away = (
            (not caller.app and caller.exit != "TIMEOUT")
            or self._given_up(caller, row.at)
            or any(
                other.answered
                for other in self.parties.values()
                if other.dialled_by is caller
                and other.linkedid == party.linkedid
                and other.rang >= caller.app_since
            )
        )
        if caller.queue or caller.kind == "Queue":
            if not taken_away or cause in _BUSY:
                yield ev.AgentMissed(
                    row.at, caller.uniqueid, caller.company, caller.queue, party.interface, "", row.uniqueid,
                    0.0 if cause in _BUSY else max(row.at - party.rang, 0.001),
                )  # fmt: skip
            return
        status = "BUSY" if cause in _BUSY else _FAILED.get(cause) or ("CANCEL" if taken_away else "NOANSWER")
        yield ev.DialEnded(row.at, caller.uniqueid, caller.company, row.uniqueid, row.channel, status)

    def _given_up(self, caller: _Party, at: float) -> bool:
        """Whether the caller's own end, told a moment later, took the ringing away."""
        if caller.uniqueid in self.asked:
            return True
        for row in reversed(self.later[caller.uniqueid]):
            if row.at > at + SOON:
                return False
            if row.kind == "HANGUP":
                return bool(_extra(row).get("hangupsource") == row.channel)
        return False

    def _chan_end(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        if party.spying:
            yield ev.SpyStopped(row.at, party.uniqueid, party.spying, party.company)
        for members in self.bridges.values():
            if party in members:
                members.remove(party)
        party.app = ""
        yield ev.ChannelClosed(row.at, row.uniqueid, row.linkedid, row.company, row.channel, 0)

    # applications

    def _app_start(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        party.app, party.app_data, party.app_since = row.app, row.data, row.at
        party.kind, party.connected, party.joined, party.exit = row.app, False, False, ""
        if party.queue and self._joins(row.uniqueid):
            party.joined = True
            yield ev.QueueJoined(
                row.at,
                row.uniqueid,
                row.linkedid,
                row.company,
                row.channel,
                party.queue,
                0,
                row.number,
                row.name,
            )
        elif row.app == "ChanSpy":
            target = row.data.partition(",")[0]
            spied = self.parties.get(target) or self.by_name.get(target)
            party.spying = spied.uniqueid if spied is not None else target
            yield ev.SpyStarted(row.at, row.uniqueid, row.channel, party.spying, row.company)

    def _joins(self, uniqueid: str) -> bool:
        """Whether the queue took the caller in: one that is full or has nobody says so right after."""
        for row in reversed(self.later[uniqueid]):
            if row.kind == "USER_DEFINED" and row.mark == "queue_exit":
                return str(_extra(row).get("extra", "")).upper() not in _NEVER_JOINED
            if row.kind not in ("APP_END", "STREAM_BEGIN", "STREAM_END"):
                return True
        return True

    def _app_end(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        queue, joined, connected = party.queue, party.joined, party.connected
        party.app, party.joined = "", False
        if row.app == "ChanSpy" and party.spying:
            spied, party.spying = party.spying, ""
            yield ev.SpyStopped(row.at, row.uniqueid, spied, row.company)
        if not queue or not joined or connected:
            return
        if self._hung_up_inside(row):
            self.asked.add(row.uniqueid)
            yield ev.HangupAsked(row.at, row.uniqueid, row.company)
            yield ev.QueueAbandoned(row.at, row.uniqueid, row.company, queue)
        else:
            yield ev.QueueLeft(row.at, row.uniqueid, row.company, queue)

    def _hung_up_inside(self, row: CelRow) -> bool:
        """Whether the next that is told of this caller is that it hung up by itself."""
        for later in reversed(self.later[row.uniqueid]):
            if later.kind == "HANGUP":
                return later.at - row.at < SOON and bool(_extra(later).get("hangupsource") == later.channel)
            if later.kind not in ("STREAM_BEGIN", "STREAM_END", "BRIDGE_EXIT"):
                return False
        return False

    def _user_defined(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        what = str(_extra(row).get("extra", ""))
        if row.mark == "queue_exit":
            party.exit = what.upper()
        yield ev.RouteMarked(row.at, row.uniqueid, row.company, row.mark, what)

    # bridges

    def _bridge_enter(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        said = _extra(row)
        bridge, kind = str(said.get("bridge_id", "")), str(said.get("bridge_technology", ""))
        caller = party.dialled_by
        if caller is not None and caller.joined and not caller.connected and kind != "holding_bridge":
            caller.connected = True
            yield ev.QueueLeft(row.at, caller.uniqueid, caller.company, caller.queue)
            yield ev.AgentConnected(
                row.at,
                caller.uniqueid,
                caller.company,
                caller.queue,
                party.interface,
                "",
                row.uniqueid,
                row.channel,
            )
        party.bridge = bridge
        if kind != "holding_bridge":
            self.bridges.setdefault(bridge, []).append(party)
        yield ev.BridgeEntered(row.at, row.uniqueid, row.linkedid, row.company, row.channel, bridge, kind)

    def _bridge_exit(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        bridge = str(_extra(row).get("bridge_id", ""))
        members = self.bridges.get(bridge, [])
        if party in members:
            members.remove(party)
        party.bridge = ""
        yield ev.BridgeLeft(row.at, row.uniqueid, row.company, bridge)

    def _stream_begin(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        yield from self._held(row, party, held=True)

    def _stream_end(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        yield from self._held(row, party, held=False)

    def _held(self, row: CelRow, party: _Party, *, held: bool) -> Iterator[ev.Event]:
        """Music in the middle of a conversation is played to who was put on hold, by the other one."""
        others = [other for other in self.bridges.get(party.bridge, ()) if other is not party]
        if row.mark.startswith("MOH") and len(others) == 1:
            yield ev.HoldChanged(row.at, others[0].uniqueid, others[0].company, held=held)

    # transfers

    def _blindtransfer(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        said = _extra(row)
        transferee = str(said.get("transferee_channel_uniqueid", ""))
        yield ev.BlindTransferred(
            row.at, row.uniqueid, row.company, transferee, str(said.get("extension", "")), ""
        )

    def _attendedtransfer(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        said = _extra(row)
        second = str(said.get("channel2_uniqueid", ""))
        others = tuple(
            uniqueid
            for key in ("transferee_channel_uniqueid", "transfer_target_channel_uniqueid")
            if (uniqueid := str(said.get(key, "")))
        )
        yield ev.AttendedTransferred(row.at, row.uniqueid, second, row.company, others, "")

    def _pickup(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        taker = str(_extra(row).get("pickup_channel_uniqueid", ""))
        party.answered = True  # by somebody else, so it is nobody's miss
        if taker in self.parties:
            self.parties[taker].dialled_by = party.dialled_by
        yield ev.PickedUp(row.at, taker, row.company, row.uniqueid)

    def _park_start(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        space = str(_extra(row).get("parking_lot", ""))
        yield ev.ParkChanged(row.at, row.uniqueid, row.company, "parked", space, "")

    def _park_end(self, row: CelRow, party: _Party) -> Iterator[ev.Event]:
        said = _extra(row)
        retriever = self.by_name.get(str(said.get("retriever", "")))
        state = _PARKED.get(str(said.get("reason", "")), "unparked")
        yield ev.ParkChanged(
            row.at, row.uniqueid, row.company, state, "", retriever.uniqueid if retriever is not None else ""
        )


def _extra(row: CelRow) -> dict[str, Any]:
    try:
        said = json.loads(row.extra) if row.extra else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _cause(said: dict[str, Any]) -> int:
    cause = said.get("hangupcause")
    return cause if isinstance(cause, int) else 0
