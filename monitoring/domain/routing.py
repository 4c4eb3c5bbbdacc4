"""Which company an event belongs to: its Tenantid, else the channel it speaks of, else the name's prefix, else nobody.

An event nobody can claim yet is held by its channel (a trunk's channel gets its tenant some events after its birth);
when the channel ends unclaimed, or too much is held, it is quarantined: counted, never shown to anyone. A device
without any prefix (a trunk) is nobody's and no incident.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from . import events as ev

HELD_PER_CHANNEL: Final = 64
HELD_CHANNELS: Final = 2_000
REMEMBERED: Final = 200_000
REMEMBERED_NAMES: Final = 50_000

Routed = tuple[str, ev.Event]
_Part = tuple[
    list[ev.SnapshotChannel],
    list[ev.SnapshotCaller],
    list[ev.MemberChanged],
    list[ev.DeviceChanged],
    list[ev.RegistrationChanged],
]


def prefix_of(name: str) -> str:
    """``romashka`` for ``PJSIP/romashka_101-0000002a`` and ``romashka_sales``; empty when there is no prefix."""
    head, underscore, rest = name.rpartition("/")[2].partition("_")
    return head if underscore and rest else ""


class Router:
    """``route`` gives (company, event) pairs, in order. ``sole``: the PBX's only company, owner of everything."""

    def __init__(self, companies: Iterable[str], *, sole: str | None = None) -> None:
        self.companies = frozenset(companies)
        self.sole = sole
        self.quarantined = 0
        self._owner: OrderedDict[str, str] = OrderedDict()
        self._held: OrderedDict[str, list[ev.Event]] = OrderedDict()
        self._absent: set[str] = set()
        self._named: dict[str, str] = {}
        # Where in an event of each kind the name stands that settles its company, and who knows that name.
        self._ways: dict[type, tuple[dict[str, str], int, int]] = {
            **{kind: (self._owner, *places) for kind, places in _IDS.items()},
            **{kind: (self._named, place, 0) for kind, place in _NAMED.items()},
        }

    def serve(self, companies: Iterable[str]) -> None:
        """The PBX has these companies now."""
        self.companies = frozenset(companies)
        self._named.clear()

    def owner(self, uniqueid: str) -> str | None:
        return self._owner.get(uniqueid)

    def sure(self, event: ev.Event) -> str | None:
        """The company of an event about names whose owner is known: the short way nearly all events take."""
        if self.sole is not None:
            return self.sole
        way = self._ways.get(type(event))
        if way is None:
            return None
        known, place, other = way
        fields: tuple[Any, ...] = event
        company = known.get(fields[place])
        return company if company is None or not other or fields[other] in known else None

    def route(self, event: ev.Event) -> Iterator[Routed]:
        """Every (company, event) this event sets free: itself, and what was held until its company was known."""
        if self.sole is not None:
            yield self.sole, event
            return
        if type(event) in _NAMED:
            company = self._by_name(event)
            if company is not None:
                yield company, event
            return
        speaks_of = _CHANNELS.get(type(event))
        if speaks_of is None:
            for company in self.companies:
                yield company, event
            return
        yield from self._by_channel(event, *speaks_of(event))

    def _by_name(self, event: tuple[Any, ...]) -> str | None:
        name = event[_NAMED[type(event)]]
        prefix = prefix_of(name)
        if prefix not in self.companies:
            self.quarantined += bool(prefix)
            return None
        if len(self._named) >= REMEMBERED_NAMES:
            self._named.clear()
        self._named[name] = prefix
        return prefix

    def _by_channel(self, event: Any, ids: tuple[str, ...], tenant: str, name: str) -> Iterator[Routed]:
        company = None
        for uid in ids:
            company = self._owner.get(uid)
            if company is not None:
                break
        if company is None:
            company = self._known(tenant) or (self._known(prefix_of(name)) if not tenant else None)
        elif tenant and tenant != company and self._owner.get(ids[0]) is None:
            # A channel born under another company's linkedid: its own tenant decides, never its neighbour's.
            company = self._known(tenant)
        if company is None:
            self._hold(ids[0] if ids else "", event)
            return
        for uid in ids:
            if uid and uid not in self._owner:
                if (
                    uid != ids[0]
                    and isinstance(event, ev.DialStarted)
                    and event.dest_tenant not in ("", company)
                ):
                    continue
                self._owner[uid] = company
                for earlier in self._held.pop(uid, ()):
                    yield company, earlier
        while len(self._owner) > REMEMBERED:
            self._owner.popitem(last=False)
        yield company, event

    def _known(self, company: str) -> str | None:
        return company if company in self.companies else None

    def _hold(self, uid: str, event: ev.Event) -> None:
        if isinstance(event, ev.ChannelClosed) or not uid:
            self.quarantined += 1 + len(self._held.pop(uid, ()))
            return
        waiting = self._held.setdefault(uid, [])
        if len(waiting) >= HELD_PER_CHANNEL:
            self.quarantined += 1
            return
        waiting.append(event)
        if len(self._held) > HELD_CHANNELS:
            self.quarantined += len(self._held.popitem(last=False)[1])

    def split(self, snapshot: ev.Snapshot) -> dict[str, ev.Snapshot]:
        """The snapshot cut into one per company, so that no board ever sees another's channels."""
        if self.sole is not None:
            return {self.sole: snapshot}
        owner: dict[str, str] = {}
        for row in sorted(snapshot.channels, key=lambda c: -c.age):
            company = self._owner.get(row.uniqueid) or self._known(row.tenant)
            if company is None and not row.tenant:
                company = owner.get(row.linkedid) or self._known(prefix_of(row.channel))
            if company is None:
                self.quarantined += 1
                continue
            owner[row.uniqueid] = self._owner[row.uniqueid] = company
            owner.setdefault(row.linkedid, company)
        self._forget_all_but({row.uniqueid for row in snapshot.channels})
        parts: dict[str, _Part] = {company: ([], [], [], [], []) for company in sorted(self.companies)}
        for channel in snapshot.channels:
            if channel.uniqueid in owner:
                parts[owner[channel.uniqueid]][0].append(channel)
        for caller in snapshot.callers:
            if caller.uniqueid in owner:
                parts[owner[caller.uniqueid]][1].append(caller)
        for member in snapshot.members:
            if (company := prefix_of(member.queue)) in parts:
                parts[company][2].append(member)
        for device in snapshot.devices:
            if (company := prefix_of(device.device)) in parts:
                parts[company][3].append(device)
        for phone in snapshot.registrations:
            if (company := prefix_of(phone.endpoint)) in parts:
                parts[company][4].append(phone)
        return {
            company: ev.Snapshot(
                snapshot.at, tuple(part[0]), tuple(part[1]), tuple(part[2]), tuple(part[3]), tuple(part[4])
            )
            for company, part in parts.items()
        }

    def _forget_all_but(self, present: set[str]) -> None:
        """Owners of channels that two looks at the PBX in a row did not find: nobody will speak of them again."""
        absent = self._owner.keys() - present
        for uniqueid in absent & self._absent:
            del self._owner[uniqueid]
        self._absent = absent

    def give_up(self) -> None:
        """Quarantine what is still held: the stream is over."""
        self.quarantined += sum(map(len, self._held.values()))
        self._held.clear()


Speaks = Callable[[Any], tuple[tuple[str, ...], str, str]]


def _linked(event: Any) -> tuple[tuple[str, ...], str, str]:
    return (event.uniqueid, event.linkedid), event.tenant, event.channel


def _single(event: Any) -> tuple[tuple[str, ...], str, str]:
    return (event.uniqueid,), event.tenant, ""


def _agent(event: Any) -> tuple[tuple[str, ...], str, str]:
    return (event.uniqueid, event.dest), event.tenant, event.queue


_CHANNELS: Final[dict[type, Speaks]] = {
    ev.ChannelOpened: _linked,
    ev.ChannelState: _linked,
    ev.ChannelClosed: _linked,
    ev.BridgeEntered: _linked,
    ev.CallerChanged: _single,
    ev.ChannelRenamed: _single,
    ev.HangupAsked: _single,
    ev.BridgeLeft: _single,
    ev.HoldChanged: _single,
    ev.KeyPressed: _single,
    ev.RouteMarked: _single,
    ev.BlindTransferred: _single,
    ev.ParkChanged: _single,
    ev.QueueExit: _single,
    ev.DialStarted: lambda e: ((e.uniqueid or e.dest, e.dest), e.tenant or e.dest_tenant, e.dest_channel),
    ev.DialEnded: lambda e: ((e.uniqueid or e.dest, e.dest), e.tenant, e.dest_channel),
    ev.LocalJoined: lambda e: ((e.one, e.two), e.tenant, ""),
    ev.AttendedTransferred: lambda e: ((e.first, e.second, *e.others), e.tenant, ""),
    ev.PickedUp: lambda e: ((e.uniqueid, e.target), e.tenant, ""),
    ev.SpyStarted: lambda e: ((e.spyee, e.spyer), e.tenant, ""),
    ev.SpyStopped: lambda e: ((e.spyee, e.spyer), e.tenant, ""),
    ev.QueueJoined: lambda e: ((e.uniqueid, e.linkedid), e.tenant, e.queue),
    ev.QueueLeft: lambda e: ((e.uniqueid,), e.tenant, e.queue),
    ev.QueueAbandoned: lambda e: ((e.uniqueid,), e.tenant, e.queue),
    ev.AgentCalled: _agent,
    ev.AgentConnected: _agent,
    ev.AgentMissed: _agent,
}
_IDS: Final[dict[type, tuple[int, int]]] = {
    kind: (names.index("uniqueid"), names.index("dest") if "dest" in names else 0)
    for kind in _CHANNELS
    if "uniqueid" in (names := getattr(kind, "_fields", ()))
}
"""Where an event's channels stand in it: (the channel it speaks of, the channel it rings or 0)."""
_NAMED: Final[dict[type, int]] = {
    ev.MemberChanged: ev.MemberChanged._fields.index("queue"),
    ev.MemberPaused: ev.MemberPaused._fields.index("queue"),
    ev.DeviceChanged: ev.DeviceChanged._fields.index("device"),
    ev.RegistrationChanged: ev.RegistrationChanged._fields.index("endpoint"),
    ev.StatusDeclared: ev.StatusDeclared._fields.index("manager"),
}
"""Events without a channel: where the name stands whose prefix is the company."""
