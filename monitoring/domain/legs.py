"""A manager's part in a call, from the first ring to the last word: rung, answered, missed, refused, talked, ended."""

from __future__ import annotations

from . import automatic
from .board import Board
from .facts import LegFact
from .state import Call, Channel, Leg, Step


def add_leg(board: Board, call: Call, channel: Channel, *, at: float, queue: str) -> Leg:
    """This channel's manager takes part from ``at``; a second channel of the same manager joins the leg there is."""
    manager = board.managers[channel.manager]
    for leg in call.legs:
        if leg.live and leg.manager == manager.key:
            leg.channels[channel.uniqueid] = None
            channel.leg = leg
            leg.queue = leg.queue or queue
            return leg
    leg = Leg(channel.uniqueid, manager.key, queue, at)
    leg.channels[channel.uniqueid] = None
    leg.available = board.status_kind.get(manager.status or 0, "available") == "available"
    leg.ring_step = Step("ring", manager.key, at)
    call.steps.append(leg.ring_step)
    call.legs.append(leg)
    channel.leg = leg
    manager.legs[leg] = call
    board.touch("manager", manager.key)
    return leg


def answer_leg(board: Board, call: Call, leg: Leg, at: float) -> None:
    """The manager picked up (or placed the call and the other side did)."""
    if leg.ring_step is not None and leg.ring_step.until is None:
        leg.ring_step.until, leg.ring_step.note = at, "answered"
    if leg.answered is not None:
        return
    leg.answered, leg.outcome = at, "answered"
    manager = board.managers.get(leg.manager)
    if manager is not None and not leg.origin:
        manager.missed_in_row = 0
        automatic.review(board, manager, at)
        automatic.end_wrap_up(board, manager, at)
        if call.direction == "in":
            manager.today["answered"] += 1
    board.touch("manager", leg.manager)


def stop_talk(leg: Leg, at: float) -> None:
    if leg.talking_since is not None:
        if at > leg.talking_since:
            leg.talk.append((leg.talking_since, at))
        leg.talking_since = None
    if leg.held_since is not None:
        if at > leg.held_since:
            leg.hold.append((leg.held_since, at))
        leg.held_since = None
    for step in (leg.talk_step, leg.hold_step):
        if step is not None and step.until is None:
            step.until = at


def end_leg(board: Board, call: Call, leg: Leg, at: float) -> None:
    """The manager's last channel in this call is gone."""
    stop_talk(leg, at)
    leg.ended = at
    if leg.outcome == "ringing":
        leg.outcome = "cancelled"
    if leg.ring_step is not None and leg.ring_step.until is None:
        leg.ring_step.until, leg.ring_step.note = at, leg.outcome
    manager = board.managers.get(leg.manager)
    if manager is not None:
        manager.legs.pop(leg, None)
        talked = sum(end - start for start, end in leg.talk)
        if call.direction == "out":
            manager.today["talk_out"] += talked
            if leg.origin:
                manager.today["outgoing"] += 1
        elif call.direction == "in":
            manager.today["talk_in"] += talked
        manager.today["hold"] += sum(end - start for start, end in leg.hold)
        automatic.leg_ended(board, manager, call, leg, at)
    idle(board, leg.manager, at)


def miss_leg(board: Board, call: Call, leg: Leg, at: float) -> None:
    """Rang out unanswered: counted once, and against the manager only when the status took calls."""
    if leg.counted_miss or leg.answered is not None or leg.outcome not in ("ringing", "missed", "cancelled"):
        return
    leg.counted_miss, leg.outcome = True, "missed"
    if leg.ring_step is not None and leg.ring_step.until is None:
        leg.ring_step.until, leg.ring_step.note = at, "missed"
    manager = board.managers.get(leg.manager)
    if manager is not None and leg.available and call.direction == "in":
        manager.today["missed"] += 1
        manager.missed_in_row += 1
        automatic.review(board, manager, at)
    idle(board, leg.manager, at)


def refuse_leg(board: Board, leg: Leg, at: float) -> None:
    """The phone would not ring."""
    if leg.answered is None and leg.outcome in ("ringing", "missed") and not leg.counted_miss:
        leg.outcome = "busy"
        if leg.ring_step is not None:
            leg.ring_step.until, leg.ring_step.note = leg.ring_step.until or at, "busy"
        idle(board, leg.manager, at)


def idle(board: Board, key: str, at: float) -> None:
    """The manager's presence changed other than by starting a conversation: since when, if nothing else is going on."""
    manager = board.managers.get(key)
    if manager is not None:
        manager.idle_since = at
        board.touch("manager", key)


def leg_fact(leg: Leg) -> LegFact:
    talk: list[tuple[float, float | None]] = list(leg.talk)
    if leg.talking_since is not None:
        talk.append((leg.talking_since, None))
    held: list[tuple[float, float | None]] = list(leg.hold)
    if leg.held_since is not None:
        held.append((leg.held_since, None))
    return LegFact(
        uniqueid=leg.uniqueid,
        manager=leg.manager,
        queue=leg.queue,
        rang=leg.rang,
        answered=leg.answered,
        ended=not_before(leg.rang if leg.answered is None else leg.answered, leg.ended),
        outcome=leg.outcome,
        talk=tuple(talk),
        hold=tuple(held),
        available=leg.available,
        origin=leg.origin,
    )


def not_before(start: float, end: float | None) -> float | None:
    """A PBX's clock may be set back during a call: what lasted a while then lasted no time, never less."""
    return end if end is None else max(start, end)
