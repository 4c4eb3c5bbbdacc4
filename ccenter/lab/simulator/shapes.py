"""The calls people make in the simulated world, told step by step as Asterisk would tell them.

Each shape is a generator: it acts, then says after how many seconds it goes on. What others do to the call
(hang up, transfer) is thrown into it.
"""

from __future__ import annotations

from collections.abc import Callable

from ccenter.lab.customers import number
from ccenter.lab.plan import CompanyPlan, LinePlan
from ccenter.lab.simulator.steps import (
    TRUNK,
    Habits,
    answered,
    arrive,
    blind_transfer,
    call_phone,
    dialled,
    drop_legs,
    give_up,
    leave_queue,
    mark,
    member_fields,
    own_phone,
    queue_member,
    ring,
    spread,
)
from ccenter.lab.simulator.wire import Channel, fields
from ccenter.lab.simulator.world import Call, Ended, Moved, QueueState, Script, Waiting, World

Shape = Callable[[Call], Script]


def inward(world: World, habits: Habits, company: CompanyPlan, line: LinePlan) -> Shape:
    """A customer calls a line: to a menu, a queue or a manager."""

    def script(call: Call) -> Script:
        customer = arrive(world, call, company, line)
        target = line.target
        yield 0.01
        if line.leads_to == "manager":
            yield from direct(world, habits, call, company, customer, target)
            return
        if line.leads_to == "ivr":
            world.state(customer, 6)
            ivr = next(i for i in company.ivrs if i.name == target)
            mark(world, customer, "ivr", ivr.name)
            yield spread(world.dice, 4.0)
            key, target = world.dice.choice([*ivr.keys, ("", ivr.otherwise)])
            if key:
                world.tell(
                    "DTMFEnd", customer, "dtmf", fields(Digit=key, DurationMs=120, Direction="Received")
                )
                mark(world, customer, "ivr", key)
        yield from through_queue(world, habits, call, customer, world.queues[company.queue_key(target)])

    return script


def through_queue(world: World, habits: Habits, call: Call, customer: Channel, queue: QueueState) -> Script:
    """Waits, is offered to one free member after the other, talks or gives up."""
    customer.context, customer.exten = f"{queue.company.slug}-queues", queue.plan.name
    if customer.state != 6:
        world.state(customer, 6)
    place = Waiting(customer, call, world.now)
    queue.waiting.append(place)
    customer.application, customer.data = "Queue", queue.key
    count = len(queue.waiting)
    world.tell("QueueCallerJoin", customer, "agent", fields(Queue=queue.key, Position=count, Count=count))
    limit = world.now + min(spread(world.dice, habits.patience), queue.plan.max_wait)
    agent: Channel | None = None
    try:
        while agent is None and world.now < limit:
            member = next(iter(queue.free.values()), None)
            if member is None:
                yield limit - world.now
                continue
            place.ringing = True
            agent = yield from ring(world, habits, call, customer, queue, member)
            place.ringing = False
    except Ended:
        drop_legs(world, call, customer)
        give_up(world, customer, queue, place)
        raise
    except Moved as moved:
        drop_legs(world, call, customer)
        leave_queue(world, customer, queue, place)
        yield from send_on(world, habits, call, customer, queue.company, moved.exten)
        return
    if agent is None:
        give_up(world, customer, queue, place)
        world.hang_up(customer, 16)
        return
    leave_queue(world, customer, queue, place)
    taken = queue_member(queue, agent)
    world.tell_both(
        "AgentConnect", customer, agent, "agent",
        member_fields(queue, taken) + fields(HoldTime=int(world.now - place.joined), RingTime=2),
    )  # fmt: skip
    taken.taken, taken.last_call = taken.taken + 1, world.now
    yield from talk(world, habits, call, customer, agent, queue.company)


def talk(
    world: World, habits: Habits, call: Call, customer: Channel, agent: Channel, company: CompanyPlan
) -> Script:
    """Until either hangs up, or somebody sends the customer on."""
    world.bridge(agent, customer)
    try:
        yield spread(world.dice, habits.talk)
        if world.dice.random() < habits.moved_on:
            other = world.dice.choice(company.managers)
            if other.extension != agent.number:
                raise Moved(other.extension)
    except Moved as moved:
        blind_transfer(world, agent, customer, company, moved.exten)
        yield from send_on(world, habits, call, customer, company, moved.exten)
        return
    ender = customer if world.dice.random() < 0.5 else agent
    world.tell("HangupRequest", ender)
    for channel in (ender, agent if ender is customer else customer):
        if channel.bridge:
            world.leave(channel)
    world.hang_up(customer, 16)
    world.hang_up(agent, 16)


def send_on(
    world: World, habits: Habits, call: Call, customer: Channel, company: CompanyPlan, exten: str
) -> Script:
    """The customer reaches what an extension of the company means: a manager, a queue, or nothing."""
    for plan in company.queues:
        if plan.extension == exten:
            yield from through_queue(
                world, habits, call, customer, world.queues[company.queue_key(plan.name)]
            )
            return
    for manager in company.managers:
        if manager.extension == exten:
            yield from direct(world, habits, call, company, customer, manager.name)
            return
    world.hang_up(customer, 1)


def direct(
    world: World, habits: Habits, call: Call, company: CompanyPlan, caller: Channel, manager: str
) -> Script:
    """Rings one manager without a queue. Busy and away are refused at once."""
    endpoint = company.endpoint(manager)
    device = f"PJSIP/{endpoint}"
    if world.devices[device] != "NOT_INUSE" or world.globals.get(f"AWAY_{endpoint}") == "1":
        world.hang_up(caller, 17)
        return
    caller.application, caller.data = "Dial", device
    leg = call_phone(world, call, caller, device, world.managers[device][1].extension)
    dialled(world, caller, leg)
    try:
        yield spread(world.dice, habits.rings)
        if world.dice.random() > habits.answers:
            raise Ended(caller)
    except (Ended, Moved):
        world.tell_both("DialEnd", caller, leg, more=fields(DialStatus="CANCEL"))
        world.hang_up(leg, 0)
        world.hang_up(caller, 16)
        return
    answered(world, caller, leg)
    if caller.state != 6:
        world.state(caller, 6)
    yield from talk(world, habits, call, caller, leg, company)


def outward(world: World, habits: Habits, company: CompanyPlan, device: str) -> Shape:
    """A manager calls the city."""

    def script(call: Call) -> Script:
        dice = world.dice
        dials = number(dice)
        caller = own_phone(world, call, company, device, dials)
        mark(world, caller, "line", company.lines[0].number)
        caller.application, caller.data = "Dial", f"PJSIP/{dials}@trunk"
        leg = world.channel(
            call, TRUNK, number=dials, title="", context="from-trunk", exten="s", linked=caller.linkedid
        )
        leg.tenant = company.slug
        world.tell_both("DialBegin", caller, leg, more=fields(DialString=f"{dials}@trunk"))
        world.state(leg, 5)
        yield spread(dice, habits.rings * 2)
        if dice.random() > 0.75:
            world.tell_both("DialEnd", caller, leg, more=fields(DialStatus="NOANSWER"))
            world.hang_up(leg, 19)
            world.hang_up(caller, 19)
            return
        answered(world, caller, leg)
        world.state(caller, 6)
        yield from talk(world, Habits(talk=habits.talk, moved_on=0.0), call, caller, leg, company)

    return script


def internal(world: World, habits: Habits, company: CompanyPlan, device: str, colleague: str) -> Shape:
    """A manager calls a colleague."""

    def script(call: Call) -> Script:
        exten = next(m.extension for m in company.managers if m.name == colleague)
        caller = own_phone(world, call, company, device, exten)
        yield 0.01
        yield from direct(world, habits, call, company, caller, colleague)

    return script


def next_shape(world: World, habits: Habits) -> Shape | None:
    """The next call of the believable mix; None when its manager happens to be engaged."""
    dice = world.dice
    company = dice.choices(world.plan.companies, [len(c.managers) for c in world.plan.companies])[0]
    what = dice.random()
    if what < 0.8 and company.lines:
        return inward(world, habits, company, dice.choice(company.lines))
    manager, colleague = dice.sample(company.managers, 2)
    device = f"PJSIP/{company.endpoint(manager.name)}"
    if world.devices[device] != "NOT_INUSE" or not company.lines:
        return None
    if what < 0.93:
        return outward(world, habits, company, device)
    return internal(world, habits, company, device, colleague.name)
