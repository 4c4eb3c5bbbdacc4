"""How channels become one call: who its customer is, its legs, who talks with whom, its state, its end.

Identity is the uniqueid of the first channel; a linkedid is only an alias, it changes on transfers.
Talk comes from bridge membership alone: a leg talks while it can be reached from the customer over bridges.
"""

from __future__ import annotations

from typing import Final

from .board import Board
from .facts import CallFact, Disposition, LegFact, StepFact
from .state import Call, Channel, Leg, Step

MOST_STEPS: Final = 300
FIRST_STEPS: Final = 20


def interface_of(channel: str) -> str:
    """``PJSIP/romashka_101`` for ``PJSIP/romashka_101-0000002a``; a Local half loses its ``;1`` too."""
    bare = channel.partition(";")[0]
    head, dash, tail = bare.rpartition("-")
    return head if dash and head and len(tail) == 8 else bare


def is_trunk(board: Board, channel: Channel) -> bool:
    """Whether the far end of this channel is the outside world: neither a person's phone nor a Local half."""
    return not channel.manager and not channel.local and not _is_phone(board, channel.interface)


def _is_phone(board: Board, interface: str) -> bool:
    name = interface.partition("/")[2]
    return name.startswith(board.prefix) and name not in board.directory.trunks and "trunk" not in name


def begin(board: Board, channel: Channel) -> Call:
    """A new call whose first channel this is."""
    call = Call(f"{board.pbx}:{channel.uniqueid}", channel.opened, seen=channel.opened)
    board.calls[call.key] = call
    alias(board, call, channel.linkedid)
    attach(board, call, channel)
    if is_trunk(board, channel):
        call.direction = "in"
        call.customer = channel.uniqueid
        call.number, call.name, call.line = channel.number, channel.caller, channel.exten
        if call.line:
            call.steps.append(Step("line", call.line, channel.opened, channel.opened))
        call.shown = True
    elif not channel.local:
        call.direction = "out"
        call.number = channel.exten if channel.exten != "s" else ""
        call.shown = bool(call.number)
        if call.number:
            originate(board, call, channel)
    return call


def alias(board: Board, call: Call, linkedid: str) -> None:
    """Channels born with this linkedid belong to ``call``; only an alias, transfers change it."""
    board.by_linkedid[linkedid] = call
    call.aliases.append(linkedid)


def originate(board: Board, call: Call, channel: Channel) -> None:
    """The phone of ``channel`` is the one who calls: its manager's leg, and the number it dialled on the route."""
    if channel.leg is not None:
        return
    call.steps.append(Step("dial", call.number, channel.opened, channel.opened))
    target = board.extensions.get(call.number) or f"{board.company}_{call.number}"
    if target in board.managers:
        call.direction = "internal"
    if channel.manager:
        leg = add_leg(board, call, channel, at=channel.opened, queue="")
        leg.origin, leg.outcome = True, "answered"
        if leg.ring_step is not None:
            call.steps.remove(leg.ring_step)
            leg.ring_step = None


def attach(board: Board, call: Call, channel: Channel) -> None:
    channel.call = call
    call.channels[channel.uniqueid] = None
    call.has_local = call.has_local or channel.local
    board.touch("call", call.key)


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


def reachable(board: Board, uniqueid: str) -> dict[str, None]:
    """Every channel connected with this one over bridges and Local pairs, itself included."""
    seen: dict[str, None] = {uniqueid: None}
    todo = [uniqueid]
    while todo:
        channel = board.channels.get(todo.pop())
        if channel is None:
            continue
        if channel.bridge and not channel.holding:
            for other in board.bridges.get(channel.bridge, ()):
                if other not in seen:
                    seen[other] = None
                    todo.append(other)
        if channel.peer and channel.peer not in seen:
            seen[channel.peer] = None
            todo.append(channel.peer)
    return seen


def recompute(board: Board, call: Call, at: float) -> None:
    """Who talks now, after a bridge, a hold or a channel changed."""
    customer = board.channels.get(call.customer)
    heard = reachable(board, call.customer) if customer is not None and customer.bridge else {}
    for leg in call.legs:
        if leg.ended is not None:
            continue
        if call.customer:
            talks = not heard.keys().isdisjoint(leg.channels)
        else:
            talks = any(_has_company(board, leg, uid) for uid in leg.channels)
        if talks and leg.talking_since is None and leg.held_since is None:
            _start_talk(board, call, leg, at)
        elif not talks and (leg.talking_since is not None or leg.held_since is not None):
            stop_talk(leg, at)
            idle(board, leg.manager, at)
    witness(board, call, at)


def _has_company(board: Board, leg: Leg, uniqueid: str) -> bool:
    for other in reachable(board, uniqueid):
        channel = board.channels.get(other)
        if channel is not None and other not in leg.channels and not channel.local:
            return True
    return False


def _start_talk(board: Board, call: Call, leg: Leg, at: float) -> None:
    answer_leg(board, call, leg, at)
    leg.talking_since = at
    leg.talk_step = Step("talk", leg.manager, at)
    call.steps.append(leg.talk_step)
    if call.answered is None and (call.customer or call.direction == "internal"):
        call.answered = at
        say(board, call, at)
    board.touch("manager", leg.manager)


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


def hold(board: Board, call: Call, leg: Leg, at: float, *, held: bool) -> None:
    """Hold and talk are disjoint: one ends where the other begins."""
    if held and leg.talking_since is not None:
        stop_talk(leg, at)
        leg.held_since = at
        leg.hold_step = Step("hold", leg.manager, at)
        call.steps.append(leg.hold_step)
    elif not held and leg.held_since is not None:
        stop_talk(leg, at)
        leg.talking_since = at
        leg.talk_step = Step("talk", leg.manager, at)
        call.steps.append(leg.talk_step)
    board.touch("manager", leg.manager)
    witness(board, call, at)


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


def witness(board: Board, call: Call, at: float) -> None:
    """There is evidence of this call at ``at``, and a viewer may see a difference."""
    if at > call.seen:
        call.seen = at
    if len(call.steps) > MOST_STEPS or len(call.visits) > MOST_STEPS:
        _shorten(call)
    board.touch("call", call.key)


def _shorten(call: Call) -> None:
    """A caller who goes round in circles must not make every change of the call cost more than the one before.

    The middle of the way goes: how it began and what happened lately is what somebody asks for.
    """
    lately = MOST_STEPS // 2
    dropped = [step for step in call.steps[FIRST_STEPS:-lately] if step.until is not None]
    unwanted = set(map(id, dropped))
    call.steps[:] = [step for step in call.steps if id(step) not in unwanted]
    call.visits[:-lately] = [visit for visit in call.visits[:-lately] if not visit.settled]


def end(board: Board, call: Call, at: float) -> None:
    """The last channel is gone: the call is a fact now."""
    for leg in call.legs:
        if leg.live:
            end_leg(board, call, leg, at)
    for step in call.steps:
        if step.until is None:
            step.until = at
    call.ended = max(at, call.started)
    call.parked = False
    say(board, call, at)
    drop(board, call)


def drop(board: Board, call: Call) -> None:
    board.calls.pop(call.key, None)
    for linkedid in call.aliases:
        if board.by_linkedid.get(linkedid) is call:
            del board.by_linkedid[linkedid]
    board.touch("call", call.key)


def disposition(call: Call) -> Disposition:
    if call.interrupted:
        return "interrupted"
    if call.answered is not None:
        return "answered"
    if call.ended is None:
        return "open"
    if call.direction == "in":
        if call.visits:
            return "abandoned" if call.visits[-1].outcome == "abandoned" else "no_answer"
        return _unanswered(call) if call.legs else "abandoned"
    return _unanswered(call)


def _unanswered(call: Call) -> Disposition:
    outcomes = {leg.outcome for leg in call.legs if not leg.origin}
    if call.dial_status == "BUSY" or "busy" in outcomes:
        return "busy"
    if call.dial_status in ("CONGESTION", "CHANUNAVAIL") or outcomes == {"failed"}:
        return "failed"
    return "no_answer"


def say(board: Board, call: Call, at: float, *, merged_into: str | None = None) -> None:
    """Put the call as known now among the facts."""
    if not call.shown and not (merged_into and call.said):
        return
    call.said = True
    board.facts.append(
        CallFact(
            key=call.key,
            direction=call.direction,
            number=call.number,
            name=call.name,
            line=call.line,
            started=call.started,
            answered=call.answered,
            ended=call.ended,
            disposition="merged" if merged_into else disposition(call),
            hung_up_by=call.hung_up_by,
            legs=tuple(leg_fact(leg) for leg in call.legs),
            steps=tuple(
                StepFact(s.kind, s.what, s.at, _not_before(s.at, s.until), s.note) for s in call.steps
            ),
            merged_into=merged_into,
            revision=at,
            reconciled=call.reconciled,
        )
    )


def _not_before(start: float, end: float | None) -> float | None:
    """A PBX's clock may be set back during a call: what lasted a while then lasted no time, never less."""
    return end if end is None else max(start, end)


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
        ended=_not_before(leg.rang if leg.answered is None else leg.answered, leg.ended),
        outcome=leg.outcome,
        talk=tuple(talk),
        hold=tuple(held),
        available=leg.available,
        origin=leg.origin,
    )
