"""The stops of a call's route that are no queue and no person: menus, the keys pressed in them, voicemail, marks."""

from __future__ import annotations

from typing import Final

from . import calls, queueing
from . import events as ev
from .board import Board
from .state import Call, Step


def key_pressed(board: Board, event: ev.KeyPressed) -> None:
    """A digit of the customer while in the menu is a stop of the route; in a conversation it is nobody's business."""
    channel = board.channels.get(event.uniqueid)
    if channel is None or channel.call is None:
        return
    call = channel.call
    if (
        call.customer != channel.uniqueid
        or call.direction != "in"
        or any(x.live and x.outcome == "answered" for x in call.legs)
    ):
        return
    if call.visit is not None:
        call.visit.reason = call.visit.reason or "key"
        return
    if channel.key_at < event.at:
        channel.key_at = event.at
        _pressed(board, call, event.digit, event.at)


_KEYS: Final = frozenset("0123456789*#")


MOST_KEYS: Final = 32


def _pressed(board: Board, call: Call, keys: str, at: float) -> None:
    """Keys belong to the menu they were pressed in; a PBX that tells them both as DTMF and as a mark says them once."""
    menu = next((s for s in reversed(call.steps) if s.kind == "ivr" and s.until is None), None)
    if menu is None:
        menu = Step("ivr", "", at)
        call.steps.append(menu)
    if len(menu.note) >= MOST_KEYS:
        return  # somebody plays with the keys: nobody reads more, and every one of them would be sent again
    if not menu.note.endswith(keys):
        menu.note += keys[:MOST_KEYS]
    calls.witness(board, call, at)


def route_marked(board: Board, event: ev.RouteMarked) -> None:
    """Our dialplan names a stop of the route."""
    channel = board.channels.get(event.uniqueid)
    if event.kind == "listen":
        board.listen_modes[event.uniqueid] = event.what
        return
    if channel is None or channel.call is None:
        return
    call = channel.call
    if event.kind == "queue_exit":
        queueing.exit_reason(board, ev.QueueExit(event.at, event.uniqueid, event.tenant, event.what))
        return
    if any(s.at == event.at and s.kind == event.kind for s in call.steps):
        return
    queueing.went_on(board, call, channel, event.at)
    if event.kind == "line":
        call.line = event.what
        if not any(s.kind == "line" and s.what == event.what for s in call.steps):
            call.steps.append(Step("line", event.what, event.at, event.at))
    elif event.kind == "ivr" and event.what and set(event.what) <= _KEYS:
        _pressed(board, call, event.what, event.at)
    elif event.kind in ("ivr", "voicemail"):
        queueing.close_ivr(call, event.at)
        call.steps.append(Step("ivr" if event.kind == "ivr" else "voicemail", event.what, event.at))
    calls.witness(board, call, event.at)
