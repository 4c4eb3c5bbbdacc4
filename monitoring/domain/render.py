"""The board's entities as ``wire`` dictionaries: fresh objects every time, so that what was sent never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .state import Call, Leg, Manager, Queue
from .wire import (
    Activity,
    BoardWire,
    CallState,
    CallWire,
    GroupWire,
    Kind,
    LineWire,
    LinkWire,
    ManagerWire,
    PartyWire,
    QueueWire,
    StatusWire,
    StepWire,
)

if TYPE_CHECKING:
    from .board import Board

MISSED_IN_ROW = 3


def entity(board: Board, kind: Kind, key: str) -> dict[str, Any] | None:
    """The entity as it is now, or None when it is not (or no longer) on the board."""
    made: object = None
    if kind == "call":
        found = board.calls.get(key)
        made = call(board, found) if found is not None and found.shown else None
    elif kind == "manager":
        made = manager(board, board.managers[key]) if key in board.managers else None
    elif kind == "queue":
        made = queue(board.queues[key]) if key in board.queues else None
    elif kind == "link":
        made = dict(board.link) if board.link else None
    elif kind == "group":
        made = next((group(g.id, g.title) for g in board.directory.groups if str(g.id) == key), None)
    elif kind == "status":
        made = next(
            (
                StatusWire(id=s.id, label=s.label, kind=s.kind, colour=s.colour)
                for s in board.directory.statuses
                if str(s.id) == key
            ),
            None,
        )
    elif kind == "line":
        made = next(
            (
                LineWire(number=ln.number, title=ln.title, groups=list(ln.groups))
                for ln in board.directory.lines
                if ln.number == key
            ),
            None,
        )
    return cast("dict[str, Any] | None", made)


def board(source: Board) -> BoardWire:
    directory = source.directory
    return {
        "at": source.at,
        "call": {key: call(source, c) for key, c in source.calls.items() if c.shown},
        "queue": {key: queue(q) for key, q in source.queues.items()},
        "manager": {key: manager(source, m) for key, m in source.managers.items()},
        "group": {str(g.id): group(g.id, g.title) for g in directory.groups},
        "status": {
            str(s.id): StatusWire(id=s.id, label=s.label, kind=s.kind, colour=s.colour)
            for s in directory.statuses
        },
        "line": {
            ln.number: LineWire(number=ln.number, title=ln.title, groups=list(ln.groups))
            for ln in directory.lines
        },
        "link": {source.pbx: cast(LinkWire, dict(source.link))} if source.link else {},
    }


def group(key: int, title: str) -> GroupWire:
    return {"id": key, "title": title, "groups": [key]}


def call(board: Board, source: Call) -> CallWire:
    visit = source.visit
    state, since = state_of(source)
    return {
        "key": source.key,
        "direction": source.direction,
        "number": source.number,
        "name": source.name,
        "line": source.line,
        "state": state,
        "since": since,
        "started": source.started,
        "answered": source.answered,
        "queue": visit.queue if visit else None,
        "joined": visit.joined if visit else None,
        "position": visit.position if visit else None,
        "managers": [
            party(leg) for leg in source.legs if leg.live and leg.outcome in ("ringing", "answered")
        ],
        "steps": [step(s.kind, s.what, s.at, s.until, s.note) for s in source.steps],
        "listeners": [{"who": who, "mode": mode, "since": at} for who, mode, at in source.listeners.values()],
        "groups": groups_of(board, source),
    }


def state_of(source: Call) -> tuple[CallState, float]:
    """What the call is doing and since when, told by its parts; the strongest part speaks."""
    live = [leg for leg in source.legs if leg.live]
    talking = [leg.talking_since for leg in live if leg.talking_since is not None]
    if talking:
        return "talking", min(talking)
    held = [leg.held_since for leg in live if leg.held_since is not None]
    if held:
        return "held", min(held)
    if source.parked:
        return "parked", next((s.at for s in reversed(source.steps) if s.kind == "park"), source.started)
    ringing = [leg.rang for leg in live if leg.outcome == "ringing"]
    if ringing:
        return "ringing", min(ringing)
    if source.visit is not None:
        return "waiting", source.visit.joined
    if source.direction != "in":
        return "ringing", source.started
    return "ivr", max((v.left for v in source.visits if v.left is not None), default=source.started)


def groups_of(board: Board, source: Call) -> list[int]:
    """The groups whose business the call is now: its queue's and its managers'; else those it was with last."""
    groups: set[int] = set()
    visit = source.visit
    if visit is not None:
        groups.update(board.queue(visit.queue).groups)
    for leg in source.legs:
        if leg.live and leg.manager in board.managers:
            groups.update(board.managers[leg.manager].groups)
    if groups:
        return sorted(groups)
    if source.legs and source.legs[-1].manager in board.managers:
        return list(board.managers[source.legs[-1].manager].groups)
    if source.visits:
        return list(board.queue(source.visits[-1].queue).groups)
    return list(board.line_groups.get(source.line, ()))


def party(leg: Leg) -> PartyWire:
    if leg.held_since is not None:
        return {"manager": leg.manager, "state": "held", "since": leg.held_since}
    if leg.talking_since is not None:
        return {"manager": leg.manager, "state": "talking", "since": leg.talking_since}
    return {"manager": leg.manager, "state": "ringing", "since": leg.rang}


def step(kind: Any, what: str, at: float, until: float | None, note: str) -> StepWire:
    made: StepWire = {"kind": kind, "what": what, "at": at, "until": until}
    if note:
        made["note"] = note
    return made


def queue(source: Queue) -> QueueWire:
    return {
        "key": source.key,
        "title": source.title,
        "groups": list(source.groups),
        "answer_within": source.answer_within,
        "short_abandon": source.short_abandon,
        "managers": sorted(source.members),
        "waiting": len(source.waiting),
        "earliest": min(source.waiting.values(), default=None),
        "today": source.today.copy(),
    }


def activity_of(source: Manager) -> tuple[Activity, float | None]:
    """Live channels, else the phone: one of presence's three facts, told apart from status and registration."""
    live = [leg for leg in source.legs if leg.outcome in ("ringing", "answered")]
    talking = [leg.talking_since for leg in live if leg.talking_since is not None]
    if talking:
        return "talking", min(talking)
    held = [leg.held_since for leg in live if leg.held_since is not None]
    if held:
        return "held", min(held)
    if live:
        return "ringing", min(leg.rang for leg in live)
    if source.registration == "registered":
        return "free", source.idle_since
    return ("unavailable" if source.registration == "unregistered" else "unknown"), source.idle_since


def manager(board: Board, source: Manager) -> ManagerWire:
    activity, activity_since = activity_of(source)
    kind = board.status_kind.get(source.status or 0)
    made: ManagerWire = {
        "key": source.key,
        "title": source.title,
        "extension": source.extension,
        "groups": list(source.groups),
        "queues": sorted(source.queues),
        "status": source.status,
        "status_since": source.status_since,
        "paused": bool(source.paused),
        "pause_reason": next(iter(source.paused.values()), ""),
        "registration": source.registration,
        "activity": activity,
        "activity_since": activity_since,
        "calls": list(dict.fromkeys(c.key for c in source.legs.values())),
        "missed_in_row": source.missed_in_row,
        "flags": [],
        "today": source.today.copy(),
    }
    if kind == "available":
        if source.missed_in_row >= MISSED_IN_ROW:
            made["flags"].append("missing_calls")
        if source.registration == "unregistered":
            made["flags"].append("unregistered")
    if kind is not None and source.queues and bool(source.paused) != (kind != "available"):
        made["flags"].append("pause_differs")
    return made
