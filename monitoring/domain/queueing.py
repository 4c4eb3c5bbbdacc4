"""Queue visits, the ringing of members, pauses and phones: everything app_queue and the device states tell.

A visit is settled once: answered when the queue connects a member, abandoned when it says so or the caller's channel
ends inside it, flow-out when the caller goes on elsewhere.
"""

from __future__ import annotations

from . import calls, legs
from . import events as ev
from .board import Board
from .facts import VisitFact
from .state import Call, Channel, Step, Visit

_EXIT_WORDS = {
    "TIMEOUT": "timeout",
    "FULL": "full",
    "JOINEMPTY": "empty",
    "LEAVEEMPTY": "empty",
    "JOINUNAVAIL": "empty",
    "LEAVEUNAVAIL": "empty",
    "WITHDRAW": "withdrawn",
    "KEY": "key",
}

LIVED_ON = 1.0
"""Seconds a channel outlives its own abandon at the most; a Hangup follows a real one within milliseconds."""


def joined(board: Board, event: ev.QueueJoined) -> None:
    channel = board.channels.get(event.uniqueid)
    if channel is None or channel.call is None or (event.uniqueid, event.at) in board.gone:
        return
    call = channel.call
    if any(v.uniqueid == event.uniqueid and v.joined >= event.at for v in call.visits):
        return
    if not board.believes(event.queue):
        return
    earlier = call.visit_of(event.uniqueid)
    if earlier is not None and earlier.met and earlier.queue == event.queue and earlier.left is None:
        # Joined while the snapshot was being read, so both tell of it: one visit, and the event knows the moment.
        _joined_at(board, earlier, event.at)
        return
    if earlier is not None:
        settle(board, call, earlier, "flow-out", event.at)
    call.number = call.number or event.number
    call.name = call.name or event.name
    begin_visit(board, call, event.uniqueid, event.queue, event.at, event.position)


def begin_visit(board: Board, call: Call, uniqueid: str, queue_key: str, at: float, position: int) -> Visit:
    queue = board.queue(queue_key)
    place = min(position - 1, len(queue.order)) if position > 0 else len(queue.order)
    visit = Visit(uniqueid, queue_key, at, place + 1)
    visit.step = Step("queue", queue_key, at)
    close_ivr(call, at)
    call.steps.append(visit.step)
    call.visits.append(visit)
    queue.waiting[uniqueid] = at
    queue.order.insert(place, uniqueid)
    if place + 1 < len(queue.order):
        board.reorder(queue_key)
    board.touch("queue", queue_key)
    calls.witness(board, call, at)
    return visit


def _joined_at(board: Board, visit: Visit, at: float) -> None:
    visit.joined, visit.met = at, False
    if visit.step is not None:
        visit.step.at = at
    board.queue(visit.queue).waiting[visit.uniqueid] = at
    board.touch("queue", visit.queue)


def close_ivr(call: Call, at: float) -> None:
    for step in call.steps:
        if step.kind == "ivr" and step.until is None:
            step.until = at


def _stop_waiting(board: Board, visit: Visit) -> None:
    queue = board.queue(visit.queue)
    if queue.waiting.pop(visit.uniqueid, None) is not None:
        place = queue.order.index(visit.uniqueid)
        del queue.order[place]
        visit.position = place + 1
        if place < len(queue.order):
            board.reorder(visit.queue)
        board.touch("queue", visit.queue)


def settle(
    board: Board, call: Call, visit: Visit, outcome: str, at: float, *, reason: str = "", manager: str = ""
) -> None:
    """The visit's outcome is known; count it once and say it. ``at``: answered, hung up or left."""
    _stop_waiting(board, visit)
    visit.outcome = outcome  # type: ignore[assignment]  # callers pass VisitOutcome words only
    visit.reason, visit.manager = (reason or visit.reason) if outcome == "flow-out" else reason, manager
    visit.left = max(at, visit.joined)  # a PBX's clock may be set back while somebody waits
    wait = visit.left - visit.joined
    if visit.step is not None:
        visit.step.until, visit.step.note = visit.left, outcome
    queue = board.queue(visit.queue)
    if outcome != "interrupted":
        queue.today["offered"] += 1
    if outcome == "answered":
        queue.today["answered"] += 1
        queue.today["wait_answered"] += wait
        queue.today["answered_within"] += wait <= queue.answer_within
    elif outcome == "abandoned":
        queue.today["abandoned"] += 1
        queue.today["short_abandoned"] += wait < queue.short_abandon
    elif outcome == "flow-out":
        queue.today["flow_out"] += 1
    board.touch("queue", visit.queue)
    board.forget((visit.uniqueid, visit.joined))
    board.facts.append(
        VisitFact(
            uniqueid=visit.uniqueid,
            call=call.key,
            queue=visit.queue,
            joined=visit.joined,
            left=visit.left,
            outcome=visit.outcome,
            reason=visit.reason,
            manager=visit.manager,
            wait=wait,
            position=visit.position,
            answer_within=queue.answer_within,
            short_abandon=queue.short_abandon,
        )
    )
    calls.witness(board, call, at)


def left(board: Board, event: ev.QueueLeft) -> None:
    """Left the queue: towards a member who has picked up, then the connect follows; or out of it, then the caller
    is heard of elsewhere. Which of the two is told by what comes next.
    """
    found = _visit_of(board, event.uniqueid, event.queue)
    if found is None or found[1].given_up:
        return
    call, visit = found
    visit.left = event.at
    _stop_waiting(board, visit)
    calls.witness(board, call, event.at)


def _visit_of(board: Board, uniqueid: str, queue: str) -> tuple[Call, Visit] | None:
    channel = board.channels.get(uniqueid)
    if channel is None or channel.call is None:
        return None
    visit = channel.call.visit_of(uniqueid)
    return (channel.call, visit) if visit is not None and visit.queue == queue else None


def abandoned(board: Board, event: ev.QueueAbandoned) -> None:
    """app_queue says so of callers who hung up and of its own time-outs alike (seen in Asterisk 22): who asked to
    hang up is an abandon, who lives on was let go by the queue.
    """
    found = _visit_of(board, event.uniqueid, event.queue)
    if found is None:
        return
    call, visit = found
    if board.channels[event.uniqueid].hanging_up:
        settle(board, call, visit, "abandoned", event.at)
    else:
        visit.given_up, visit.left = True, event.at
        _stop_waiting(board, visit)
        board.touch("call", call.key)


def exit_reason(board: Board, event: ev.QueueExit) -> None:
    """The dialplan learns why just after the visit ended: the fact is said again with its reason."""
    channel = board.channels.get(event.uniqueid)
    if channel is None or channel.call is None:
        return
    word = _EXIT_WORDS.get(event.reason.upper(), "")
    visit = channel.call.visits[-1] if channel.call.visits else None
    if not word or visit is None or visit.reason or visit.outcome not in ("open", "flow-out"):
        return
    visit.reason = word
    if visit.settled:
        _resay(board, channel.call, visit)
    elif visit.left is not None:
        settle(board, channel.call, visit, "flow-out", visit.left)


def _resay(board: Board, call: Call, visit: Visit) -> None:
    assert visit.left is not None
    queue = board.queue(visit.queue)
    board.facts.append(
        VisitFact(
            visit.uniqueid,
            call.key,
            visit.queue,
            visit.joined,
            visit.left,
            visit.outcome,
            visit.reason,
            visit.manager,
            visit.left - visit.joined,
            visit.position,
            queue.answer_within,
            queue.short_abandon,
        )
    )


def called(board: Board, event: ev.AgentCalled) -> None:
    """The queue rings a member: the leg learns its queue, and a Local or unknown interface its manager."""
    caller = board.channels.get(event.uniqueid)
    manager = board.member(event.interface, event.member)
    dest = board.channels.get(event.dest)
    if caller is None or caller.call is None or dest is None or manager is None:
        return
    if not dest.manager:
        dest.manager = manager.key
    if dest.leg is None:
        legs.add_leg(board, caller.call, dest, at=event.at, queue=event.queue)
    dest.leg.queue = event.queue  # type: ignore[union-attr]  # add_leg has just set it
    calls.witness(board, caller.call, event.at)


def connected(board: Board, event: ev.AgentConnected) -> None:
    channel = board.channels.get(event.uniqueid)
    if channel is None or channel.call is None:
        return
    call = channel.call
    visit = call.visit_of(event.uniqueid)
    manager = board.member(event.interface, event.member)
    dest = board.channels.get(event.dest)
    if dest is not None and dest.leg is not None:
        dest.leg.queue = event.queue
        legs.answer_leg(board, call, dest.leg, event.at)
    if visit is not None and visit.queue == event.queue:
        # Who picked up a ringing colleague's call answered it, whatever name the queue tells.
        who = dest.manager if dest is not None and dest.manager else manager.key if manager else ""
        settle(board, call, visit, "answered", event.at, manager=who)


def missed(board: Board, event: ev.AgentMissed) -> None:
    dest = board.channels.get(event.dest)
    caller = board.channels.get(event.uniqueid)
    call = caller.call if caller is not None else None
    if call is None:
        return
    leg = dest.leg if dest is not None else None
    if leg is None:
        manager = board.member(event.interface, event.member)
        key = manager.key if manager is not None else None
        leg = next(
            (x for x in reversed(call.legs) if x.manager == key and event.dest in (x.uniqueid, "")), None
        )
    if leg is not None and event.rang > 0:
        legs.miss_leg(board, call, leg, event.at)
    elif leg is not None:
        # Refused before it rang: the phone was busy, its manager missed nothing.
        legs.refuse_leg(board, leg, event.at)
    if leg is not None:
        calls.witness(board, call, event.at)


def caller_gone(board: Board, call: Call, channel: Channel, at: float) -> None:
    """The caller's channel ended: an open visit was answered if a member was already speaking, else abandoned."""
    visit = call.visit_of(channel.uniqueid)
    if visit is None:
        return
    leg = next((x for x in call.legs if x.queue == visit.queue and x.talk), None)
    if visit.given_up and visit.left is not None:
        lived_on = at - visit.left > LIVED_ON
        settle(board, call, visit, "flow-out" if lived_on else "abandoned", visit.left)
    elif leg is not None:
        settle(board, call, visit, "answered", leg.talk[0][0], manager=leg.manager)
    elif visit.left is not None:
        settle(board, call, visit, "flow-out", visit.left)
    else:
        settle(board, call, visit, "abandoned", at)


def went_on(board: Board, call: Call, channel: Channel, at: float) -> None:
    """The caller is in another part of the dialplan: a visit it had left without an answer was a flow-out."""
    visit = call.visit_of(channel.uniqueid)
    if visit is not None and visit.left is not None:
        settle(board, call, visit, "flow-out", visit.left)


# members and phones
