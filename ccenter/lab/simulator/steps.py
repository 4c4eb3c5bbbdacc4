"""The single acts calls are made of: a phone rings, answers, is hung up; a caller joins and leaves a queue.

Each says what Asterisk says at that moment, in Asterisk's order.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from random import Random

from ccenter.lab.customers import label, number
from ccenter.lab.plan import CompanyPlan, LinePlan
from ccenter.lab.simulator.wire import Channel, Member, bridge_headers, fields
from ccenter.lab.simulator.world import Call, QueueState, Waiting, World

TRUNK = "PJSIP/trunk"


@dataclass(frozen=True, slots=True)
class Habits:
    """Means in seconds. ``answers``: the chance that a rung manager takes the call."""

    talk: float = 60.0
    rings: float = 4.0
    gives_up_after: float = 8.0
    patience: float = 90.0
    answers: float = 0.88
    moved_on: float = 0.04


def spread(dice: Random, mean: float) -> float:
    """Around the mean, never nothing."""
    return mean * dice.uniform(0.4, 1.6)


def mark(world: World, channel: Channel, kind: str, what: str) -> None:
    world.tell("UserEvent", channel, "user", fields(UserEvent="Route", Kind=kind, What=what))


def arrive(world: World, call: Call, company: CompanyPlan, line: LinePlan) -> Channel:
    dice = world.dice
    customer = world.channel(
        call, TRUNK, number=number(dice), title=label(dice), context="from-trunk", exten=line.number, state=4
    )
    customer.tenant = company.slug
    mark(world, customer, "line", line.number)
    return customer


def queue_member(queue: QueueState, agent: Channel) -> Member:
    return next(m for m in queue.members if m.device == agent.device)


def member_fields(queue: QueueState, member: Member) -> str:
    return fields(Queue=queue.key, Interface=member.interface, MemberName=member.name)


def leave_queue(world: World, customer: Channel, queue: QueueState, place: Waiting) -> None:
    position = queue.waiting.index(place) + 1
    queue.waiting.remove(place)
    world.tell(
        "QueueCallerLeave", customer, "agent",
        fields(Queue=queue.key, Position=position, Count=len(queue.waiting)),
    )  # fmt: skip


def give_up(world: World, customer: Channel, queue: QueueState, place: Waiting) -> None:
    position = queue.waiting.index(place) + 1
    world.tell(
        "QueueCallerAbandon", customer, "agent",
        fields(Queue=queue.key, Position=position, OriginalPosition=position, HoldTime=int(world.now - place.joined)),
    )  # fmt: skip
    leave_queue(world, customer, queue, place)


def call_phone(world: World, call: Call, caller: Channel, device: str, exten: str) -> Channel:
    """The called leg as it is born: not ringing yet."""
    company, manager = world.managers[device]
    leg = world.channel(
        call, device, number=manager.extension, title=manager.title, context=company.slug, exten="s",
        tenant=company.slug, linked=caller.linkedid,
    )  # fmt: skip
    leg.connected_number, leg.connected_title = caller.number, caller.title
    leg.exten, leg.application, leg.data = exten, "AppDial", "(Outgoing Line)"
    return leg


def dialled(world: World, caller: Channel, leg: Channel) -> None:
    """The phone begins to ring; it shows busy to its queues before anybody else can take it."""
    world.tell_both("DialBegin", caller, leg, more=fields(DialString=leg.device))
    world.state(leg, 5)
    world.device(leg.device, "RINGING")


def ring(
    world: World, habits: Habits, call: Call, customer: Channel, queue: QueueState, member: Member
) -> Generator[float | None, None, Channel | None]:
    """Rings one member; returns the answered channel, or None when he did not answer in time."""
    leg = call_phone(world, call, customer, member.device, queue.plan.name)
    more = member_fields(queue, member)
    world.tell_both("AgentCalled", customer, leg, "agent", more)
    dialled(world, customer, leg)
    answers = world.dice.random() < habits.answers
    yield spread(world.dice, habits.rings) if answers else min(habits.gives_up_after, queue.plan.ring_timeout)
    if answers:
        answered(world, customer, leg)
        return leg
    rang = fields(RingTime=int(habits.gives_up_after * 1000))
    world.tell_both("AgentRingNoAnswer", customer, leg, "agent", more + rang)
    world.tell_both("DialEnd", customer, leg, more=fields(DialStatus="NOANSWER"))
    world.hang_up(leg, 0)
    yield 1.0
    return None


def answered(world: World, caller: Channel, leg: Channel) -> None:
    world.state(leg, 6)
    caller.connected_number, caller.connected_title = leg.number, leg.title
    world.tell_both("DialEnd", caller, leg, more=fields(DialStatus="ANSWER"))
    if leg.device in world.devices:
        world.device(leg.device, "INUSE")


def blind_transfer(world: World, agent: Channel, customer: Channel, company: CompanyPlan, exten: str) -> None:
    """The manager leaves, the customer goes on: said the way Asterisk says it."""
    bridge = agent.bridge
    if world.listener:
        world.say(
            "BlindTransfer",
            "call",
            fields(Result="Success")
            + agent.headers("Transferer")
            + customer.headers("Transferee")
            + bridge_headers(bridge, 2)
            + fields(IsExternal="Yes", Context=company.slug, Extension=exten),
        )
    world.leave(customer)
    world.leave(agent)
    world.hang_up(agent, 16)
    customer.context, customer.exten = company.slug, exten


def own_phone(world: World, call: Call, company: CompanyPlan, device: str, dials: str) -> Channel:
    _, manager = world.managers[device]
    channel = world.channel(
        call, device, number=manager.extension, title=manager.title, context=company.slug, exten=dials,
        tenant=company.slug, state=4,
    )  # fmt: skip
    world.device(device, "INUSE")
    return channel


def drop_legs(world: World, call: Call, customer: Channel) -> None:
    """The caller goes: whatever still rings for him stops."""
    for leg in [channel for channel in call.channels if channel is not customer]:
        world.tell_both("DialEnd", customer, leg, more=fields(DialStatus="CANCEL"))
        world.hang_up(leg, 0)
