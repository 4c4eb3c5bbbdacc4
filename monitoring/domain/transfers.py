"""Calls that become one: transfers of every sort, pickup, parking; and listeners, who never become part of a call."""

from __future__ import annotations

from . import events as ev
from .board import Board
from .calls import drop, interface_of, is_trunk, recompute, say, witness
from .facts import ListenFact
from .legs import add_leg, end_leg, idle
from .state import Call, Channel, Leg, Step
from .wire import ListenMode

_MODES: dict[str, ListenMode] = {"whisper": "whisper", "join": "join", "barge": "join"}


def merge(board: Board, one: Call, two: Call, at: float) -> Call:
    """One customer's journey is one call: the one with the customer survives, then the older, then the smaller key.

    Talk of the absorbed call counts only where it was with a customer: a consultation before an attended transfer
    is not talk of the customer's call.
    """
    if one is two:
        return one
    kept, gone = sorted((one, two), key=lambda c: (not c.customer, c.started, c.key))
    with_customer = bool(gone.customer)
    for leg in gone.legs:
        _move_leg(board, kept, leg, with_customer=with_customer)
    for uniqueid in list(gone.channels):
        kept.channels[uniqueid] = None
        channel = board.channels.get(uniqueid)
        if channel is not None:
            channel.call = kept
            if channel.leg is not None and channel.leg not in kept.legs:
                channel.leg = next((leg for leg in kept.legs if uniqueid in leg.channels), None)
    for step in gone.steps:
        if step.kind not in ("line", "dial"):
            if not with_customer and step.kind in ("talk", "hold"):
                step.note = "consult"
            kept.steps.append(step)
    kept.steps.sort(key=lambda step: step.at)
    kept.visits.extend(gone.visits)
    kept.listeners.update(gone.listeners)
    board.listening.update(dict.fromkeys(gone.listeners, kept))
    kept.has_local = kept.has_local or gone.has_local
    kept.shown = kept.shown or gone.shown
    if with_customer and kept.answered is None:
        kept.answered = gone.answered
    for linkedid in gone.aliases:
        board.by_linkedid[linkedid] = kept
        kept.aliases.append(linkedid)
    gone.aliases = []
    if gone.said:
        gone.ended = at
        gone.legs, gone.steps = [], []
        say(board, gone, at, merged_into=kept.key)
    drop(board, gone)
    recompute(board, kept, at)
    return kept


def _move_leg(board: Board, kept: Call, leg: Leg, *, with_customer: bool) -> None:
    manager = board.managers.get(leg.manager)
    if not with_customer:
        leg.talk.clear()
        leg.hold.clear()
        if leg.talk_step is not None and leg.talk_step.until is None:
            leg.talk_step.until = board.at
        leg.talking_since = leg.held_since = None
        leg.consult = True
    twin = next((own for own in kept.legs if own.live and own.manager == leg.manager), None)
    if twin is not None and leg.live:
        twin.channels.update(leg.channels)
        if manager is not None:
            manager.legs.pop(leg, None)
        return
    if leg.consult and leg.live and kept.direction == "in":
        # Consulted, picking up or retrieving: this manager answers the customer when the two first hear each other.
        leg.origin, leg.answered, leg.outcome = False, None, "ringing"
    kept.legs.append(leg)
    if manager is not None and leg.live:
        manager.legs[leg] = kept


def blind(board: Board, event: ev.BlindTransferred) -> None:
    if event.result not in ("", "Success"):
        return
    channel = board.channels.get(event.transferee) or board.channels.get(event.uniqueid)
    if channel is None or channel.call is None:
        return
    by = board.channels.get(event.uniqueid)
    _transfer_step(board, channel.call, event.at, event.exten, "blind", by)


def attended(board: Board, event: ev.AttendedTransferred) -> None:
    if event.result not in ("", "Success"):
        return
    call: Call | None = None
    for uniqueid in (event.first, event.second, *event.others):
        channel = board.channels.get(uniqueid)
        if channel is None or channel.call is None:
            continue
        call = channel.call if call is None else merge(board, call, channel.call, event.at)
    if call is not None:
        _transfer_step(board, call, event.at, "", "attended", board.channels.get(event.first))


def _transfer_step(board: Board, call: Call, at: float, to: str, how: str, by: Channel | None) -> None:
    if any(step.kind == "transfer" and step.at == at for step in call.steps):
        return
    note = f"{how}:{by.manager}" if by is not None and by.manager else how
    call.steps.append(Step("transfer", to, at, at, note))
    witness(board, call, at)


def picked_up(board: Board, event: ev.PickedUp) -> None:
    taker, target = board.channels.get(event.uniqueid), board.channels.get(event.target)
    if taker is None or target is None or target.call is None or taker.call is None:
        return
    if taker.call is not target.call:
        # The taker's own call was only the pickup code being dialled: it was never anybody's call.
        taker.call.shown = taker.call.shown and bool(taker.call.customer)
        call = merge(board, target.call, taker.call, event.at)
        call.steps.append(Step("pickup", taker.manager, event.at, event.at))
        witness(board, call, event.at)


def parked(board: Board, event: ev.ParkChanged) -> None:
    channel = board.channels.get(event.uniqueid)
    if channel is None or channel.call is None:
        return
    call = channel.call
    open_step = next((s for s in reversed(call.steps) if s.kind == "park" and s.until is None), None)
    if event.state == "parked":
        call.parked = True
        if open_step is None:
            call.steps.append(Step("park", event.space, event.at))
    else:
        call.parked = False
        if open_step is not None:
            open_step.until, open_step.note = event.at, event.state
        retriever = board.channels.get(event.retriever)
        if retriever is not None and retriever.call is not None and retriever.call is not call:
            retriever.call.shown = retriever.call.shown and bool(retriever.call.customer)
            call = merge(board, call, retriever.call, event.at)
    witness(board, call, event.at)


def renamed(board: Board, event: ev.ChannelRenamed) -> None:
    """A masquerade gave this channel another device: after a pickup the ringing leg is the taker's."""
    channel = board.channels.get(event.uniqueid)
    if channel is None or "<" in event.channel:
        return
    channel.name, channel.interface = event.channel, interface_of(event.channel)
    manager = board.manager_of(channel.interface)
    if manager == channel.manager:
        return
    old, call = channel.leg, channel.call
    channel.manager = manager
    if call is None:
        return
    if old is not None:
        old.channels.pop(channel.uniqueid, None)
        channel.leg = None
        if not old.channels:
            end_leg(board, call, old, event.at)
    if manager:
        leg = add_leg(board, call, channel, at=event.at, queue=old.queue if old else "")
        leg.origin = leg.origin and call.direction != "in"
    elif not call.customer and is_trunk(board, channel):
        call.customer = channel.uniqueid
    recompute(board, call, event.at)


def spy_started(board: Board, event: ev.SpyStarted) -> None:
    spyee = board.channels.get(event.spyee)
    spyer = board.channels.get(event.spyer)
    if spyer is not None:
        spyer.spying = event.spyee
        _withdraw(board, spyer, event.at)
    if spyee is None or spyee.call is None or event.spyer in spyee.call.listeners:
        return
    who = (spyer.manager if spyer else "") or interface_of(event.spyer_channel).partition("/")[2]
    mode = _MODES.get(board.listen_modes.pop(event.spyer, ""), "listen")
    spyee.call.listeners[event.spyer] = (who, mode, event.at)
    board.listening[event.spyer] = spyee.call
    board.touch("call", spyee.call.key)


def _withdraw(board: Board, spyer: Channel, at: float) -> None:
    """A listener's channel is no party: its own would-be call disappears without a fact."""
    call = spyer.call
    if call is None:
        return
    call.channels.pop(spyer.uniqueid, None)
    leg, spyer.call, spyer.leg = spyer.leg, None, None
    if leg is not None:
        leg.channels.pop(spyer.uniqueid, None)
        if not leg.channels:
            call.legs.remove(leg)
            manager = board.managers.get(leg.manager)
            if manager is not None:
                manager.legs.pop(leg, None)
                idle(board, manager.key, at)
    if call.channels:
        recompute(board, call, at)
    else:
        board.facts = [f for f in board.facts if getattr(f, "key", None) != call.key]
        drop(board, call)


def spy_stopped(board: Board, event: ev.SpyStopped) -> None:
    call = board.listening.pop(event.spyer, None)
    if call is None or call.key not in board.calls:
        return
    who, mode, since = call.listeners.pop(event.spyer)
    spyee = board.channels.get(event.spyee)
    manager = spyee.manager if spyee is not None else ""
    board.facts.append(ListenFact(call.key, who, manager, mode, since, event.at))
    board.touch("call", call.key)
