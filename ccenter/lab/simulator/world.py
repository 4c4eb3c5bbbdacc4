"""The simulated PBX: its clock, devices, queues and channels, and what it says when they change.

Time is virtual and handed in, so a day can be lived in a second and the same seed tells the same story.
"""

from __future__ import annotations

import heapq
import itertools
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from random import Random

from ccenter.lab.plan import CompanyPlan, ManagerPlan, PbxPlan, QueuePlan
from ccenter.lab.simulator.wire import CAUSES, Channel, Member, bridge_headers, event, fields

Script = Generator[float | None, None, None]
Listener = Callable[[str, str, bytes], None]
DEVICE_NUMBERS = {"NOT_INUSE": 1, "INUSE": 2, "UNAVAILABLE": 5, "RINGING": 6, "ONHOLD": 8}


class Ended(Exception):
    """Somebody ended one of the call's channels."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel.name)
        self.channel = channel


class Moved(Exception):
    """Somebody sent the customer to an extension."""

    def __init__(self, exten: str) -> None:
        super().__init__(exten)
        self.exten = exten


@dataclass(slots=True, eq=False)
class Call:
    script: Script
    ticket: int = 0
    channels: list[Channel] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Waiting:
    """A caller in a queue; ``ringing``: a member is being rung for him."""

    channel: Channel
    call: Call
    joined: float
    ringing: bool = False


@dataclass(slots=True, eq=False)
class QueueState:
    """``free``: members who could be rung, longest idle first. ``waiting``: who waits, in order of joining."""

    plan: QueuePlan
    company: CompanyPlan
    key: str
    members: list[Member]
    free: dict[str, Member] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)


class World:
    """``listener`` gets (event name, class, block); without one nothing is written, which makes warming up quick."""

    def __init__(self, plan: PbxPlan, *, seed: int = 1, now: float = 0.0) -> None:
        self.plan, self.dice, self.now, self.booted = plan, Random(seed), now, now
        self.listener: Listener | None = None
        self.agenda: list[tuple[float, int, Call, int]] = []
        self.order = itertools.count()
        self.serial = itertools.count()
        self.channels: dict[str, tuple[Channel, Call]] = {}
        self.globals: dict[str, str] = {}
        self.managers: dict[str, tuple[CompanyPlan, ManagerPlan]] = {
            f"PJSIP/{c.endpoint(m.name)}": (c, m) for c in plan.companies for m in c.managers
        }
        self.devices = dict.fromkeys(self.managers, "NOT_INUSE")
        self.seats: dict[str, list[Member]] = {device: [] for device in self.managers}
        self.queues = {state.key: state for c in plan.companies for state in self._queues(c)}

    def _queues(self, company: CompanyPlan) -> list[QueueState]:
        made = []
        for plan in company.queues:
            members = [self._member(company, plan, name) for name in plan.members]
            state = QueueState(plan, company, company.queue_key(plan.name), members)
            state.free = {member.device: member for member in members}
            made.append(state)
        return made

    def _member(self, company: CompanyPlan, plan: QueuePlan, name: str) -> Member:
        device = f"PJSIP/{company.endpoint(name)}"
        exten = self.managers[device][1].extension
        interface = f"Local/{exten}@{company.slug}-members/n" if plan.via_local else device
        member = Member(company.queue_key(plan.name), company.endpoint(name), interface, device, self.now)
        self.seats[device].append(member)
        return member

    # ---- time

    def begin(self, script: Callable[[Call], Script]) -> Call:
        call = Call(script=iter_nothing())
        call.script = script(call)
        self.resume_at(call, self.now)
        return call

    def resume_at(self, call: Call, at: float) -> None:
        call.ticket += 1
        heapq.heappush(self.agenda, (at, next(self.order), call, call.ticket))

    def run_until(self, now: float) -> None:
        """Live on to ``now`` (epoch seconds)."""
        while self.agenda and self.agenda[0][0] <= now:
            at, _, call, ticket = heapq.heappop(self.agenda)
            if ticket != call.ticket:
                continue
            self.now = max(self.now, at)
            self.step(call, None)
        self.now = max(self.now, now)

    def step(self, call: Call, news: Exception | None) -> None:
        """Let a call's script go on; it says after how many seconds it wants to go on again, None = when called."""
        call.ticket += 1
        try:
            pause = call.script.throw(news) if news else next(call.script)
        except (StopIteration, Ended, Moved):
            for channel in list(call.channels):
                self.hang_up(channel, 16)
            return
        if pause is not None:
            self.resume_at(call, self.now + pause)

    # ---- what is said

    def say(self, name: str, privilege: str, body: str) -> None:
        if self.listener:
            self.listener(name, privilege, event(name, privilege, self.now, body))

    def tell(self, name: str, channel: Channel, privilege: str = "call", more: str = "") -> None:
        if self.listener:
            self.say(name, privilege, channel.headers() + more)

    def tell_both(
        self, name: str, one: Channel, other: Channel, privilege: str = "call", more: str = ""
    ) -> None:
        if self.listener:
            self.say(name, privilege, one.headers() + other.headers("Dest") + more)

    # ---- channels

    def channel(
        self, call: Call, device: str, *, number: str, title: str, context: str, exten: str,
        tenant: str = "", state: int = 0, linked: str = "",
    ) -> Channel:  # fmt: skip
        serial = next(self.serial)
        uniqueid = f"{int(self.now)}.{serial}"
        made = Channel(
            name=f"{device}-{serial:08x}", uniqueid=uniqueid, linkedid=linked or uniqueid, tenant=tenant,
            number=number, title=title, context=context, exten=exten, created=self.now, state=state,
        )  # fmt: skip
        self.channels[made.name] = (made, call)
        call.channels.append(made)
        self.tell("Newchannel", made)
        return made

    def state(self, channel: Channel, state: int) -> None:
        channel.state = state
        self.tell("Newstate", channel)

    def hang_up(self, channel: Channel, cause: int) -> None:
        if channel.name not in self.channels:
            return
        if channel.bridge:
            self.leave(channel)
        _, call = self.channels.pop(channel.name)
        call.channels.remove(channel)
        self.tell("Hangup", channel, more=fields(Cause=cause, Cause_txt=CAUSES.get(cause, "Unknown")))
        if channel.device in self.devices:
            self.device(channel.device, "NOT_INUSE")

    def bridge(self, *members: Channel) -> None:
        identity = str(uuid.UUID(int=self.dice.getrandbits(128)))
        for count, channel in enumerate(members, 1):
            channel.bridge = identity
            self.bridge_event("BridgeEnter", channel, count)

    def leave(self, channel: Channel) -> None:
        together = [c for c in self.channels[channel.name][1].channels if c.bridge == channel.bridge]
        self.bridge_event("BridgeLeave", channel, len(together) - 1)
        channel.bridge = ""

    def bridge_event(self, name: str, channel: Channel, count: int) -> None:
        if not self.listener:
            return
        self.say(name, "call", bridge_headers(channel.bridge, count) + channel.headers())

    # ---- devices and queues

    def device(self, device: str, state: str) -> None:
        """A phone's state, with what every queue it serves says of it."""
        if self.devices.get(device) == state:
            return
        self.devices[device] = state
        self.say("DeviceStateChange", "call", fields(Device=device, State=state))
        for member in self.seats.get(device, ()):
            member.status = DEVICE_NUMBERS[state]
            self.say("QueueMemberStatus", "agent", member.headers() if self.listener else "")
            self.offer(member)

    def offer(self, member: Member) -> None:
        """Keep the list of free members true, and let the first who waits go on when there is one."""
        queue = self.queues[member.queue]
        if member.paused or member.status != 1:
            queue.free.pop(member.device, None)
            return
        queue.free.setdefault(member.device, member)
        for waiting in queue.waiting:
            if not waiting.ringing:
                self.resume_at(waiting.call, self.now + 0.05)
                return

    def pause(self, interface: str, paused: bool, reason: str, queue: str = "") -> int:
        """How many seats were changed."""
        found = [
            m for q in self.queues.values() for m in q.members
            if m.interface == interface and queue in ("", q.key)
        ]  # fmt: skip
        for member in found:
            member.paused, member.reason = paused, reason if paused else ""
            member.last_pause = self.now if paused else member.last_pause
            self.say("QueueMemberPause", "agent", member.headers())
            self.offer(member)
        return len(found)


def iter_nothing() -> Script:
    yield from ()
