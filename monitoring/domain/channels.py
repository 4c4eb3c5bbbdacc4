"""A channel's own life: met, given its call, put into and out of bridges, gone. What a call is, is said elsewhere."""

from __future__ import annotations

from typing import Any, Final

from . import calls, legs, queueing, transfers
from . import events as ev
from .board import Board
from .state import Channel

MOST_CHANNELS: Final = 50_000


def full(board: Board) -> bool:
    """No PBX of one company has so many channels: one that says so would end its neighbours' collector too."""
    return len(board.channels) >= MOST_CHANNELS


def meet(board: Board, uniqueid: str, linkedid: str, name: str, at: float) -> Channel:
    channel = Channel(uniqueid, linkedid, name, calls.interface_of(name), at)
    channel.manager = "" if channel.local else board.manager_of(channel.interface)
    board.channels[uniqueid] = channel
    return channel


def place(board: Board, channel: Channel, linkedid: str) -> None:
    """Give a new channel its call: the one its linkedid names, or one of its own."""
    call = board.by_linkedid.get(linkedid)
    if call is not None and linkedid != channel.uniqueid:
        calls.attach(board, call, channel)
    else:
        call = calls.begin(board, channel)
        if call.shown:
            calls.witness(board, call, channel.opened)
            calls.say(board, call, channel.opened)
    calls.witness(board, call, channel.opened)


def late(board: Board, event: Any) -> Channel | None:
    """The event's channel, met now if its birth was missed; None when it has already ended."""
    channel = board.channels.get(event.uniqueid)
    if channel is None and event.uniqueid and event.uniqueid not in board.gone and not full(board):
        channel = meet(board, event.uniqueid, event.linkedid, event.channel, event.at)
        place(board, channel, event.linkedid)
    return channel


def leave(board: Board, channel: Channel) -> None:
    members = board.bridges.get(channel.bridge)
    if members is not None:
        members.pop(channel.uniqueid, None)
        if not members:
            del board.bridges[channel.bridge]
    channel.bridge = ""


def close(board: Board, channel: Channel, at: float) -> None:
    """The channel is gone, heard or found out."""
    del board.channels[channel.uniqueid]
    leave(board, channel)
    peer = board.channels.get(channel.peer)
    if peer is not None:
        peer.peer = ""
    call, leg = channel.call, channel.leg
    if call is None:
        transfers.spy_stopped(board, ev.SpyStopped(at, channel.uniqueid, channel.spying, ""))
        return
    call.channels.pop(channel.uniqueid, None)
    if leg is not None:
        leg.channels.pop(channel.uniqueid, None)
        if not leg.channels and leg.live:
            legs.end_leg(board, call, leg, at)
    queueing.caller_gone(board, call, channel, at)
    if call.channels:
        calls.recompute(board, call, at)
    else:
        calls.end(board, call, at)
