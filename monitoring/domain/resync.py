"""The board against the PBX's own answer: what is there is kept or added, what is not there ended unseen.

Used at every (re)connect and by the reconcile every 20 s; a lost Hangup cannot leave a ghost for longer than that.
"""

from __future__ import annotations

from . import automatic, calls, channels, legs, presence, queueing, transfers
from . import events as ev
from .board import Board
from .state import UP

BOOT_TOLERANCE = 3.0
"""Seconds: a boot time is computed from an uptime in whole seconds, so equal boots differ a little."""


def booted(board: Board, event: ev.PbxBooted) -> None:
    """A new boot: every open call was cut; the same boot told again changes nothing."""
    known, board.boot = board.boot, max(board.boot, event.boot)
    if not known or event.boot - known <= BOOT_TOLERANCE:
        return
    for call in list(board.calls.values()):
        call.interrupted = True
    for channel in list(board.channels.values()):
        if channel.opened < event.boot and channel.uniqueid in board.channels:
            board.forget(channel.uniqueid)
            _settle_interrupted(board, channel.uniqueid)
            channels.close(board, channel, max(channel.call.seen if channel.call else 0.0, channel.opened))
    board.bridges.clear()


def _settle_interrupted(board: Board, uniqueid: str) -> None:
    channel = board.channels[uniqueid]
    if channel.call is None:
        return
    for visit in channel.call.visits:
        if not visit.settled:
            queueing.settle(board, channel.call, visit, "interrupted", max(channel.call.seen, visit.joined))


def snapshot(board: Board, event: ev.Snapshot) -> None:
    """Mark and sweep. Times of what is met here for the first time come from the PBX's own ages."""
    present = {c.uniqueid for c in event.channels}
    for channel in list(board.channels.values()):
        if channel.uniqueid not in present and channel.opened < event.at:
            board.forget(channel.uniqueid)
            if channel.call is not None:
                channel.call.reconciled = True
            if channel.uniqueid in board.channels:
                channels.close(board, channel, channel.call.seen if channel.call else event.at)
    fresh = [
        c
        for c in event.channels
        if c.uniqueid not in board.channels and c.uniqueid not in board.gone and not _made_since(c.uniqueid, event.at)
    ]
    for row in sorted(fresh, key=_oldest_first):
        if not channels.full(board):
            _meet(board, row, event.at)
    for row in event.channels:
        _bridge(board, row, event.at)
    _members(board, event)
    for caller in event.callers:
        _caller(board, caller, event.at)
    for call in list(board.calls.values()):
        calls.recompute(board, call, event.at)
        call.seen = max(call.seen, event.at)
        call.steps.sort(key=lambda step: step.at)
    automatic.review_all(board, event.at)


def _made_since(uniqueid: str, at: float) -> bool:
    """Made after the lists were asked for: its own events are still to come and tell it better than a list can.

    An id begins with the second its channel was made in, behind the PBX's own name if it has one.
    """
    second = uniqueid.rpartition(".")[0].rpartition("-")[2]
    return second.isdecimal() and len(second) < 12 and int(second) > at


def _oldest_first(row: ev.SnapshotChannel) -> tuple[bool, float, int, str]:
    """Who began a call comes before whom it rang. Ages are whole seconds, so the PBX's own count decides between
    equals: as a number, since ``….10`` is younger than ``….2``.
    """
    serial = row.uniqueid.rpartition(".")[2]
    return row.uniqueid != row.linkedid, -row.age, int(serial) if serial.isdecimal() else 0, row.uniqueid


def _meet(board: Board, row: ev.SnapshotChannel, at: float) -> None:
    opened = at - row.age
    channel = channels.meet(board, row.uniqueid, row.linkedid, row.channel, opened)
    channel.state, channel.number, channel.caller = row.state, row.number, row.name
    # The number dialled at first is not told any more, only where the channel is now.
    channel.exten = row.exten if row.exten in board.line_groups or channel.manager else ""
    if row.application == "ChanSpy":
        channel.spying = row.data.partition(",")[0]
        return
    first = row.linkedid == row.uniqueid or row.linkedid not in board.by_linkedid
    if not first:
        # A party of a call already under way: it was dialled, not dialling.
        channel.dialled = True
    channels.place(board, channel, row.linkedid)
    call = channel.call
    if call is None or first:
        return
    if channel.manager and channel.leg is None:
        leg = legs.add_leg(board, call, channel, at=opened, queue=call.visit.queue if call.visit else "")
        if row.state == UP:
            legs.answer_leg(board, call, leg, at)
    elif not channel.local and not call.customer and calls.is_trunk(board, channel):
        call.customer, call.direction = channel.uniqueid, "out"


def _bridge(board: Board, row: ev.SnapshotChannel, at: float) -> None:
    channel = board.channels.get(row.uniqueid)
    if channel is None or channel.bridge == row.bridge or channel.bridged > at:
        return
    channels.leave(board, channel)
    if not row.bridge:
        return
    channel.bridge, channel.bridged = row.bridge, at
    channel.holding = (
        row.application in ("Park", "ParkedCall") and channel.call is not None and channel.call.parked
    )
    members = board.bridges.setdefault(row.bridge, {})
    members[channel.uniqueid] = None
    for other in list(members):
        neighbour = board.channels.get(other)
        if (
            not channel.holding
            and channel.call is not None
            and neighbour is not None
            and neighbour.call is not None
            and neighbour.call is not channel.call
        ):
            transfers.merge(board, channel.call, neighbour.call, at)


def _members(board: Board, event: ev.Snapshot) -> None:
    """Memberships and pauses as they stand: silently, since a pause found at connect is nobody's act just now."""
    named = {
        (m.queue, manager.key)
        for m in event.members
        if (manager := board.member(m.interface, m.member)) is not None
    }
    if event.members:
        for queue in board.queues.values():
            for key in [k for k in queue.members if (queue.key, k) not in named]:
                del queue.members[key]
                board.managers[key].queues.discard(queue.key)
                board.managers[key].paused.pop(queue.key, None)
                board.touch("queue", queue.key)
                board.touch("manager", key)
    for member in event.members:
        manager = board.member(member.interface, member.member)
        if manager is None or presence.full(manager, member.queue) or not board.believes(member.queue):
            continue
        board.touch("manager", manager.key)
        if member.paused:
            manager.paused[member.queue] = member.reason
        else:
            manager.paused.pop(member.queue, None)
        manager.reported_pause = board.status_kind.get(manager.status or 0, "available") != "available"
        presence.member_changed(board, member)
    for device in event.devices:
        presence.device_changed(board, device)
    for registration in event.registrations:
        presence.registration_changed(board, registration)


def _caller(board: Board, caller: ev.SnapshotCaller, at: float) -> None:
    channel = board.channels.get(caller.uniqueid)
    if channel is None or channel.call is None:
        return
    call = channel.call
    if any(v.uniqueid == caller.uniqueid and v.queue == caller.queue and not v.settled for v in call.visits):
        return
    if not board.believes(caller.queue):
        return
    joined = at - caller.wait
    if any(v.uniqueid == caller.uniqueid and v.left is not None and v.left >= joined for v in call.visits):
        return
    queueing.begin_visit(board, call, caller.uniqueid, caller.queue, joined, caller.position).met = True
