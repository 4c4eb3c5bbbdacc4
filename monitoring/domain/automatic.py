"""What nobody declares and the board notices by itself: no phone registered, calls missed in a row, wrap-up.

Beside the declared status, never instead of it, and only while that one takes calls. A wrap-up is the portal's
own: it begins where an answered queue leg ended and lasts the queue's ``wrap_up`` seconds, until a new
conversation, or until the status says break or away. What ends by time is noticed at the next event later than
that, and told with its own time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from .facts import AutoFact, AutoKind
from .state import Call, Leg, Manager, Owed, WrapUp

if TYPE_CHECKING:
    from .board import Board
    from .directory import StandingAuto

MISSED_IN_ROW: Final = 3
SAME_END: Final = 1.0
"""Seconds within which the channels of one person end who has handed a call over: the consultation's, too."""


def review(board: Board, manager: Manager, at: float) -> None:
    """Status, phone or misses of ``manager`` changed at ``at``: begin what is true now, end what is not."""
    available = board.status_kind.get(manager.status or 0) == "available"
    _turn(board, manager, "unregistered", at, on=available and manager.registration == "unregistered")
    _turn(board, manager, "missing_calls", at, on=available and manager.missed_in_row >= MISSED_IN_ROW)
    if not _takes_calls(board, manager):
        end_wrap_up(board, manager, at)


def review_all(board: Board, at: float) -> None:
    """After a snapshot or new rows: what was taken over from before is confirmed or ended."""
    for manager in board.managers.values():
        review(board, manager, at)


def leave(board: Board, manager: Manager) -> None:
    """``manager`` is no longer anybody's on this PBX."""
    for kind in tuple(manager.automatic):
        _turn(board, manager, kind, board.at, on=False)
    end_wrap_up(board, manager, board.at)


def _turn(board: Board, manager: Manager, kind: AutoKind, at: float, *, on: bool) -> None:
    since = manager.automatic.get(kind)
    if on and since is None:
        manager.automatic[kind] = at
        board.facts.append(AutoFact(manager.key, kind, at, None))
    elif not on and since is not None:
        del manager.automatic[kind]
        board.facts.append(AutoFact(manager.key, kind, since, max(since, at)))


def _takes_calls(board: Board, manager: Manager) -> bool:
    return board.status_kind.get(manager.status or 0, "available") == "available"


# wrap-up


def leg_ended(board: Board, manager: Manager, call: Call, leg: Leg, at: float) -> None:
    """``leg`` is over; it may be what a wrap-up follows, or the last thing that kept one from beginning."""
    queue = board.queues.get(leg.queue) if leg.queue else None
    if (
        queue is not None
        and queue.wrap_up
        and leg.answered is not None
        and not leg.origin
        and (leg.talk or leg.hold)
        and not call.interrupted
    ):
        started = max(leg.answered, at)
        manager.owed = Owed(started, started + queue.wrap_up, call.key)
    owed = manager.owed
    if owed is None or _talks(manager):
        return
    manager.owed = None
    # Somebody who went on talking elsewhere meanwhile has begun new work instead.
    if at - owed.started <= SAME_END and _takes_calls(board, manager):
        end_wrap_up(board, manager, owed.started)
        _begin(board, manager, owed)
        board.facts.append(AutoFact(manager.key, "wrap_up", owed.started, None, owed.call))


def _talks(manager: Manager) -> bool:
    return any(leg.talking_since is not None or leg.held_since is not None for leg in manager.legs)


def _begin(board: Board, manager: Manager, owed: Owed) -> None:
    manager.wrap_up = WrapUp(*owed)
    board.wrapping[manager.key] = owed.until
    board.due = min(board.due, owed.until)
    board.touch("manager", manager.key)


def end_wrap_up(board: Board, manager: Manager, at: float) -> None:
    """Cut short at ``at``, if there is one."""
    wrap_up = manager.wrap_up
    if wrap_up is None:
        return
    manager.wrap_up = None
    board.wrapping.pop(manager.key, None)
    ended = min(max(at, wrap_up.started), wrap_up.until)
    board.facts.append(AutoFact(manager.key, "wrap_up", wrap_up.started, ended, wrap_up.call))
    board.touch("manager", manager.key)


def expire(board: Board, at: float) -> None:
    """The PBX's clock has come to ``at``: wrap-ups that were to last until then are over."""
    over = sorted((until, key) for key, until in board.wrapping.items() if until <= at)
    for until, key in over:
        end_wrap_up(board, board.managers[key], until)
    board.due = min(board.wrapping.values(), default=float("inf"))


# a restart


def adopt(board: Board, manager: Manager, standing: Mapping[AutoKind, StandingAuto]) -> None:
    """Take over what a collector before us left open; the first snapshot confirms or ends it."""
    for kind, auto in standing.items():
        if kind == "wrap_up":
            queue = board.queues.get(auto.queue)
            lasts = queue.wrap_up if queue is not None else 0.0
            _begin(board, manager, Owed(auto.started, auto.started + lasts, auto.call))
        else:
            manager.automatic[kind] = auto.started
    if "missing_calls" in standing:
        manager.missed_in_row = max(manager.missed_in_row, MISSED_IN_ROW)
