"""(board, event) → board: the one place that says which event moves what. Deterministic, no clock, no I/O.

``HANDLERS`` is the table of contents; channels' own lives are here, calls, queues and transfers in their files.
Every handler is idempotent: an event that comes twice, or after its channel's end, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from . import calls, channels, legs, presence, queueing, resync, route, transfers
from . import events as ev
from .board import Board
from .state import UP, Call, Channel


def apply(board: Board, event: ev.Event) -> None:
    """Let ``event`` change ``board``; unknown events and unknown channels change nothing."""
    at = event.at
    if at > board.at:
        board.clock(at)
    HANDLERS[type(event)](board, event)


def opened(board: Board, event: ev.ChannelOpened) -> None:
    if (
        event.uniqueid in board.channels
        or event.uniqueid in board.gone
        or not event.uniqueid
        or channels.full(board)
    ):
        return
    channel = channels.meet(board, event.uniqueid, event.linkedid, event.channel, event.at)
    channel.state, channel.number, channel.caller = event.state, event.number, event.name
    channel.exten = event.exten
    channels.place(board, channel, event.linkedid)


def state_changed(board: Board, event: ev.ChannelState) -> None:
    channel = channels.late(board, event)
    if channel is None:
        return
    channel.state = event.state
    call = channel.call
    if call is not None and channel.uniqueid == call.customer and not call.number and event.number:
        call.number, call.name = event.number, event.name
        board.touch("call", call.key)
    if call is not None and event.state == UP and channel.leg is not None and not channel.leg.origin:
        legs.answer_leg(board, call, channel.leg, event.at)
        calls.witness(board, call, event.at)


def caller_changed(board: Board, event: ev.CallerChanged) -> None:
    channel = board.channels.get(event.uniqueid)
    if channel is None:
        return
    channel.number, channel.caller = event.number or channel.number, event.name or channel.caller
    call = channel.call
    if call is not None and call.customer == channel.uniqueid and call.direction == "in":
        known = call.number
        call.number, call.name = channel.number, channel.caller
        board.touch("call", call.key)
        if call.said and call.number != known:
            # A PBX that filters callers' numbers first tells none; if nobody hears this call's end, it must be there.
            calls.say(board, call, event.at)


def dial_started(board: Board, event: ev.DialStarted) -> None:
    dest = board.channels.get(event.dest)
    if dest is None or not event.uniqueid:
        return
    caller = board.channels.get(event.uniqueid)
    if caller is None or caller.call is None or dest.dialled:
        return
    dest.dialled = True
    if dest.call is not None and dest.call is not caller.call:
        # Born under its own linkedid, yet dialled by this call: it never was a call of its own.
        dest.call.shown = False
        transfers.merge(board, caller.call, dest.call, event.at)
    call = caller.call
    queueing.went_on(board, call, caller, event.at)
    queueing.close_ivr(call, event.at)
    if not call.shown:
        _show(board, call, caller, event)
    behind = board.channels.get(caller.peer) if caller.peer else None
    stand_in = behind.leg if behind is not None else None
    if (
        stand_in is not None
        and stand_in.live
        and not stand_in.real
        and dest.manager in ("", stand_in.manager)
    ):
        # Dialled through a Local pair: from now on the phone behind it is the leg, the pair only wire between.
        stand_in.channels = {dest.uniqueid: None}
        stand_in.real = not dest.local
        dest.leg = stand_in
    elif dest.leg is None and dest.manager:
        legs.add_leg(board, call, dest, at=event.at, queue="")
        if call.direction == "out" and not call.customer:
            call.direction = "internal"
    elif dest.leg is None and not dest.local and not call.customer and calls.is_trunk(board, dest):
        call.customer, call.direction = dest.uniqueid, "out"
    calls.witness(board, call, event.at)


def _show(board: Board, call: Call, caller: Channel, event: ev.DialStarted) -> None:
    """A call placed without a dialled number (click to call) becomes visible when it dials."""
    call.shown = True
    call.number = call.number or caller.exten or event.dialstring.rpartition("/")[2].partition("@")[0]
    calls.originate(board, call, caller)
    calls.say(board, call, event.at)


_UNANSWERED: Final = {"NOANSWER": "missed", "BUSY": "busy", "CONGESTION": "failed", "CHANUNAVAIL": "failed"}


def dial_ended(board: Board, event: ev.DialEnded) -> None:
    dest = board.channels.get(event.dest)
    if dest is None or dest.call is None:
        return
    call, leg = dest.call, dest.leg
    if leg is None or leg.origin:
        if dest.uniqueid == call.customer:
            call.dial_status = event.status
        return
    if event.status == "ANSWER":
        legs.answer_leg(board, call, leg, event.at)
    elif event.status == "NOANSWER" and not leg.queue:
        legs.miss_leg(board, call, leg, event.at)
    elif leg.answered is None and leg.outcome == "ringing":
        leg.outcome = _UNANSWERED.get(event.status, "cancelled")  # type: ignore[assignment]  # the table's words
        if leg.ring_step is not None and leg.ring_step.until is None:
            leg.ring_step.until, leg.ring_step.note = event.at, leg.outcome
        legs.idle(board, leg.manager, event.at)
    calls.witness(board, call, event.at)


def bridge_entered(board: Board, event: ev.BridgeEntered) -> None:
    channel = channels.late(board, event)
    if channel is None or channel.bridge == event.bridge or channel.bridged > event.at:
        return
    channels.leave(board, channel)
    channel.bridge, channel.bridged = event.bridge, event.at
    channel.holding = event.kind == "holding_bridge"
    board.bridges.setdefault(event.bridge, {})[channel.uniqueid] = None
    call = channel.call
    if call is None:
        return
    if not channel.holding:
        for other in list(board.bridges[event.bridge]):
            neighbour = board.channels.get(other)
            if neighbour is not None and neighbour.call is not None and neighbour.call is not call:
                call = transfers.merge(board, call, neighbour.call, event.at)
    calls.recompute(board, call, event.at)


def bridge_left(board: Board, event: ev.BridgeLeft) -> None:
    channel = board.channels.get(event.uniqueid)
    if channel is None or channel.bridge != event.bridge or channel.bridged > event.at:
        return
    channels.leave(board, channel)
    channel.bridged = event.at
    if channel.call is not None:
        calls.recompute(board, channel.call, event.at)


def local_joined(board: Board, event: ev.LocalJoined) -> None:
    one, two = board.channels.get(event.one), board.channels.get(event.two)
    if one is None or two is None:
        return
    one.peer, two.peer = two.uniqueid, one.uniqueid
    if one.call is not None and two.call is not None and one.call is not two.call:
        transfers.merge(board, one.call, two.call, event.at)


def hold_changed(board: Board, event: ev.HoldChanged) -> None:
    channel = board.channels.get(event.uniqueid)
    if channel is None or channel.call is None or channel.leg is None or channel.held_at >= event.at:
        return
    channel.held_at = event.at
    calls.hold(board, channel.call, channel.leg, event.at, held=event.held)


def hangup_asked(board: Board, event: ev.HangupAsked) -> None:
    channel = board.channels.get(event.uniqueid)
    if channel is None or channel.call is None:
        return
    call = channel.call
    channel.hanging_up = True
    if channel.uniqueid == call.customer:
        call.hung_up_by = "customer"
    elif channel.manager:
        call.hung_up_by = channel.manager


def closed(board: Board, event: ev.ChannelClosed) -> None:
    channel = board.channels.get(event.uniqueid)
    board.forget(event.uniqueid)
    if channel is not None:
        channels.close(board, channel, event.at)


HANDLERS: Final[dict[type, Callable[[Board, Any], None]]] = {
    ev.ChannelOpened: opened,
    ev.ChannelState: state_changed,
    ev.CallerChanged: caller_changed,
    ev.ChannelRenamed: transfers.renamed,
    ev.ChannelClosed: closed,
    ev.HangupAsked: hangup_asked,
    ev.DialStarted: dial_started,
    ev.DialEnded: dial_ended,
    ev.BridgeEntered: bridge_entered,
    ev.BridgeLeft: bridge_left,
    ev.LocalJoined: local_joined,
    ev.HoldChanged: hold_changed,
    ev.KeyPressed: route.key_pressed,
    ev.RouteMarked: route.route_marked,
    ev.BlindTransferred: transfers.blind,
    ev.AttendedTransferred: transfers.attended,
    ev.PickedUp: transfers.picked_up,
    ev.ParkChanged: transfers.parked,
    ev.SpyStarted: transfers.spy_started,
    ev.SpyStopped: transfers.spy_stopped,
    ev.QueueJoined: queueing.joined,
    ev.QueueLeft: queueing.left,
    ev.QueueAbandoned: queueing.abandoned,
    ev.QueueExit: queueing.exit_reason,
    ev.AgentCalled: queueing.called,
    ev.AgentConnected: queueing.connected,
    ev.AgentMissed: queueing.missed,
    ev.MemberChanged: presence.member_changed,
    ev.MemberPaused: presence.member_paused,
    ev.DeviceChanged: presence.device_changed,
    ev.RegistrationChanged: presence.registration_changed,
    ev.StatusDeclared: presence.status_declared,
    ev.PbxBooted: resync.booted,
    ev.Snapshot: resync.snapshot,
}
