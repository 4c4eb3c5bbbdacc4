"""Presence, three facts never merged: memberships with their pauses, phones, the status a manager declared."""

from __future__ import annotations

from typing import Final

from . import automatic
from . import events as ev
from .board import Board
from .facts import PauseFact
from .legs import idle
from .state import Manager
from .wire import Registration

MOST_QUEUES: Final = 200


def full(manager: Manager, queue: str) -> bool:
    """Whether ``queue`` is one too many for one person: a PBX may say so of everybody and every queue."""
    held = manager.paused if len(manager.paused) > len(manager.queues) else manager.queues
    return len(held) >= MOST_QUEUES and queue not in manager.queues and queue not in manager.paused


def member_changed(board: Board, event: ev.MemberChanged) -> None:
    if not board.believes(event.queue):
        return
    manager = board.member(event.interface, event.member)
    if manager is None or full(manager, event.queue):
        return
    queue = board.queue(event.queue)
    if event.gone:
        if queue.members.pop(manager.key, None) is not None:
            board.touch("queue", queue.key)
        manager.queues.discard(queue.key)
        manager.paused.pop(queue.key, None)
        board.touch("manager", manager.key)
        return
    if manager.key not in queue.members or queue.key not in manager.queues:
        queue.members[manager.key] = True
        manager.queues.add(queue.key)
        board.touch("queue", queue.key)
        board.touch("manager", manager.key)
    _pause(board, manager, queue.key, event.at, paused=event.paused, reason=event.reason)
    if not event.interface.startswith("Local/"):
        _register(board, manager, _MEMBER_DEVICE.get(event.device), event.at)


def member_paused(board: Board, event: ev.MemberPaused) -> None:
    manager = board.member(event.interface, event.member)
    if manager is None or full(manager, event.queue):
        return
    _pause(board, manager, event.queue, event.at, paused=event.paused, reason=event.reason)


def _pause(board: Board, manager: Manager, queue: str, at: float, *, paused: bool, reason: str) -> None:
    """Keep the pause, and report one the portal did not ask for: the phone's word becomes the declared status."""
    if manager.paused.get(queue) == (reason if paused else None):
        # A member's every ring and talk says this again.
        return
    key = manager.key
    before = bool(manager.paused)
    board.touch("manager", key)
    if paused:
        manager.paused[queue] = reason
    else:
        manager.paused.pop(queue, None)
    declared = board.status_kind.get(manager.status or 0)
    if declared is None or before == bool(manager.paused):
        return
    if paused and declared == "available" and not manager.reported_pause:
        manager.reported_pause = True
        board.facts.append(PauseFact(key, at, True, reason))
    elif not paused and declared != "available" and manager.reported_pause:
        manager.reported_pause = False
        board.facts.append(PauseFact(key, at, False, ""))


def device_changed(board: Board, event: ev.DeviceChanged) -> None:
    key = board.manager_of(event.device)
    manager = board.managers.get(key)
    if manager is None or event.device.startswith("Local/"):
        return
    if event.state in ("UNAVAILABLE", "INVALID"):
        _register(board, manager, "unregistered", event.at)
    elif event.state != "UNKNOWN":
        _register(board, manager, "registered", event.at)


def registration_changed(board: Board, event: ev.RegistrationChanged) -> None:
    key = board.manager_of(f"PJSIP/{event.endpoint}")
    manager = board.managers.get(key)
    if manager is None:
        return
    _register(board, manager, "registered" if event.registered else "unregistered", event.at)


_MEMBER_DEVICE: dict[int, Registration] = {
    1: "registered",
    2: "registered",
    3: "registered",
    5: "unregistered",
    6: "registered",
    7: "registered",
    8: "registered",
}


def _register(board: Board, manager: Manager, registration: Registration | None, at: float) -> None:
    if registration is not None and manager.registration != registration:
        manager.registration = registration
        automatic.review(board, manager, at)
        idle(board, manager.key, at)


def status_declared(board: Board, event: ev.StatusDeclared) -> None:
    manager = board.managers.get(event.manager)
    if manager is None or manager.status == (event.status or None):
        return
    manager.status, manager.status_since = event.status or None, event.at
    manager.reported_pause = board.status_kind.get(event.status, "available") != "available"
    if not manager.reported_pause:
        manager.missed_in_row = 0
    automatic.review(board, manager, event.at)
    board.touch("manager", manager.key)
