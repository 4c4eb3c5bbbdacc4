"""How channels become one call: who its customer is, its legs, who talks with whom, its state, its end.

Identity is the uniqueid of the first channel; a linkedid is only an alias, it changes on transfers.
Talk comes from bridge membership alone: a leg talks while it can be reached from the customer over bridges.
"""

from __future__ import annotations

from typing import Final

from . import automatic, legs
from .board import Board
from .facts import CallFact, Disposition, StepFact
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
        leg = legs.add_leg(board, call, channel, at=channel.opened, queue="")
        leg.origin, leg.outcome = True, "answered"
        if leg.ring_step is not None:
            call.steps.remove(leg.ring_step)
            leg.ring_step = None


def attach(board: Board, call: Call, channel: Channel) -> None:
    channel.call = call
    call.channels[channel.uniqueid] = None
    call.has_local = call.has_local or channel.local
    board.touch("call", call.key)


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
            legs.stop_talk(leg, at)
            legs.idle(board, leg.manager, at)
    witness(board, call, at)


def _has_company(board: Board, leg: Leg, uniqueid: str) -> bool:
    for other in reachable(board, uniqueid):
        channel = board.channels.get(other)
        if channel is not None and other not in leg.channels and not channel.local:
            return True
    return False


def _start_talk(board: Board, call: Call, leg: Leg, at: float) -> None:
    legs.answer_leg(board, call, leg, at)
    manager = board.managers.get(leg.manager)
    if manager is not None:
        automatic.end_wrap_up(board, manager, at)
    leg.talking_since = at
    leg.talk_step = Step("talk", leg.manager, at)
    call.steps.append(leg.talk_step)
    if call.answered is None and (call.customer or call.direction == "internal"):
        call.answered = at
        say(board, call, at)
    board.touch("manager", leg.manager)


def hold(board: Board, call: Call, leg: Leg, at: float, *, held: bool) -> None:
    """Hold and talk are disjoint: one ends where the other begins."""
    if held and leg.talking_since is not None:
        legs.stop_talk(leg, at)
        leg.held_since = at
        leg.hold_step = Step("hold", leg.manager, at)
        call.steps.append(leg.hold_step)
    elif not held and leg.held_since is not None:
        legs.stop_talk(leg, at)
        leg.talking_since = at
        leg.talk_step = Step("talk", leg.manager, at)
        call.steps.append(leg.talk_step)
    board.touch("manager", leg.manager)
    witness(board, call, at)


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
            legs.end_leg(board, call, leg, at)
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
            legs=tuple(legs.leg_fact(leg) for leg in call.legs),
            steps=tuple(
                StepFact(s.kind, s.what, s.at, legs.not_before(s.at, s.until), s.note) for s in call.steps
            ),
            merged_into=merged_into,
            revision=at,
            reconciled=call.reconciled,
        )
    )
