"""Boards and changes for the tests of the live path, as small as each statement needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitoring.domain.wire import BoardWire, Op

Entities = dict[tuple[str, str], dict[str, Any] | None]


@dataclass(frozen=True)
class Said:
    """Changes as the switchboard hands them over."""

    at: float
    ops: list[Op]
    entities: Entities


def board(at: float = 1.0, **kinds: dict[str, dict[str, Any]]) -> BoardWire:
    empty: Any = {
        "at": at, "call": {}, "queue": {}, "manager": {}, "group": {}, "status": {}, "line": {}, "link": {},
    }  # fmt: skip
    return {**empty, **kinds}


def call(key: str, *, groups: list[int], **fields: Any) -> dict[str, Any]:
    given = {
        "key": key, "direction": "in", "number": "+79160000000", "name": "", "line": "", "state": "waiting",
        "since": 1.0, "started": 1.0, "answered": None, "queue": None, "joined": None, "position": None,
        "managers": [], "steps": [], "listeners": [], "groups": groups,
    }  # fmt: skip
    return {**given, **fields}


def manager(key: str, *, groups: list[int], **fields: Any) -> dict[str, Any]:
    return {"key": key, "title": f"Имя {key}", "groups": groups, "queues": [], "calls": [], **fields}


def queue(key: str, *, groups: list[int], **fields: Any) -> dict[str, Any]:
    return {"key": key, "title": f"Очередь {key}", "groups": groups, "managers": [], "waiting": 0, **fields}


def link(pbx: str, **fields: Any) -> dict[str, Any]:
    given = {
        "pbx": pbx, "state": "connected", "simulated": False, "since": 1.0, "lag": 0.0, "error": "",
        "next_try": None, "blind": [],
    }  # fmt: skip
    return {**given, **fields}


def changed(
    kind: str, key: str, /, *, at: float = 2.0, was: dict[str, Any] | None = None, **fields: Any
) -> Said:
    """One entity of which ``fields`` changed; ``was``: what it was before (None: it is new)."""
    return Said(at, [(kind, key, fields)], {(kind, key): {**(was or {}), **fields}})  # type: ignore[list-item]  # any kind


def gone(kind: str, key: str, *, at: float = 2.0) -> Said:
    return Said(at, [(kind, key, None)], {(kind, key): None})  # type: ignore[list-item]  # any kind
