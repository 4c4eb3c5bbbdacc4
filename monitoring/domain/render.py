"""The board's entities as ``wire`` dictionaries: fresh objects every time, so that what was sent never changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from .automatic import MISSED_IN_ROW
from .state import Call, Leg, Manager, Queue, Step
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
    else:
        made = board.rows.get((kind, key))
    return cast("dict[str, Any] | None", made)


def board(source: Board) -> BoardWire:
    told: dict[str, dict[str, Any]] = {"group": {}, "status": {}, "line": {}}
    for (kind, key), row in source.rows.items():
        told[kind][key] = row
    return {
        "at": source.at,
        "call": {key: call(source, c) for key, c in source.calls.items() if c.shown},
        "queue": {key: queue(q) for key, q in source.queues.items()},
        "manager": {key: manager(source, m) for key, m in source.managers.items()},
        "group": cast("dict[str, GroupWire]", told["group"]),
        "status": cast("dict[str, StatusWire]", told["status"]),
        "line": cast("dict[str, LineWire]", told["line"]),
        "link": {source.pbx: cast(LinkWire, dict(source.link))} if source.link else {},
    }


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
        "steps": [step(s) for s in source.steps],
        "listeners": [{"who": who, "mode": mode, "since": at} for who, mode, at in source.listeners.values()]
        if source.listeners
        else [],
        "groups": groups_of(board, source),
    }


def state_of(source: Call) -> tuple[CallState, float]:
    """What the call is doing and since when, told by its parts; the strongest part speaks."""
    talking, held, ringing = _earliest(leg for leg in source.legs if leg.ended is None)
    if talking is not None:
        return "talking", talking
    if held is not None:
        return "held", held
    if source.parked:
        return "parked", next((s.at for s in reversed(source.steps) if s.kind == "park"), source.started)
    if ringing is not None:
        return "ringing", ringing
    visit = source.visit
    if visit is not None:
        return "waiting", visit.joined
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


def step(source: Step) -> StepWire:
    told = source.told
    if told is not None and told["until"] == source.until and told.get("note", "") == source.note:
        return told
    made: StepWire = {"kind": source.kind, "what": source.what, "at": source.at, "until": source.until}
    if source.note:
        made["note"] = source.note
    source.told = made
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


def _earliest(legs: Iterable[Leg]) -> tuple[float | None, float | None, float | None]:
    """Since when somebody talks, is held, rings."""
    talking = held = ringing = None
    for leg in legs:
        if leg.talking_since is not None and (talking is None or leg.talking_since < talking):
            talking = leg.talking_since
        if leg.held_since is not None and (held is None or leg.held_since < held):
            held = leg.held_since
        if leg.outcome == "ringing" and (ringing is None or leg.rang < ringing):
            ringing = leg.rang
    return talking, held, ringing


def activity_of(source: Manager) -> tuple[Activity, float | None]:
    """Live channels, else the phone: one of presence's three facts, told apart from status and registration."""
    if source.legs:
        live = [leg for leg in source.legs if leg.outcome in ("ringing", "answered")]
        talking, held, _ = _earliest(live)
        if talking is not None:
            return "talking", talking
        if held is not None:
            return "held", held
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
        "calls": list(dict.fromkeys(c.key for c in source.legs.values())) if source.legs else [],
        "missed_in_row": source.missed_in_row,
        "wrap_until": source.wrap_up.until if source.wrap_up is not None else None,
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
