"""Boards of the bench as the collector would write them: so many calls and managers, complete in every field."""

from __future__ import annotations

import time
from typing import Any

FAMILIES = ("Иванова", "Петров", "Сидорова", "Кузнецов", "Смирнова", "Васильев", "Попова", "Соколов")
LINE = "88005553535"


def board(
    company: str, groups: list[int], *, calls: int, managers: int, now: float | None = None
) -> dict[str, Any]:
    """In the shape of BoardWire."""
    at = time.time() if now is None else now
    staff = [manager(company, n, groups, at, busy=n < calls) for n in range(managers)]
    return {
        "at": at,
        "call": {call_key(n): call(company, n, groups, at, managers) for n in range(calls)},
        "queue": {f"{company}_q{n}": queue(company, n, group) for n, group in enumerate(groups)},
        "manager": {row["key"]: row for row in staff},
        "group": {
            str(group): {"id": group, "title": f"Группа {n + 1}", "groups": [group]} for n, group in enumerate(groups)
        },
        "status": {"1": {"id": 1, "label": "Доступен", "kind": "available", "colour": "free"}},
        "line": {LINE: {"number": LINE, "title": "8 800 555-35-35", "groups": groups}},
        "link": {
            "1": {
                "pbx": "1", "state": "connected", "simulated": False, "since": at, "lag": 0.0, "error": "",
                "next_try": None, "blind": [],
            }
        },
    }  # fmt: skip


def call_key(n: int) -> str:
    return f"1:{n}.0"


def call(company: str, n: int, groups: list[int], at: float, managers: int) -> dict[str, Any]:
    group = n % len(groups)
    talker = f"{company}_{101 + n % max(1, managers)}"
    return {
        "key": call_key(n), "direction": "in", "number": f"+7916{n:07d}", "name": "Иванова Мария", "line": LINE,
        "state": "talking", "since": at, "started": at - 1000 + n, "answered": at, "queue": f"{company}_q{group}",
        "joined": None, "position": None, "managers": [{"manager": talker, "state": "talking", "since": at}],
        "steps": [
            {"kind": "line", "what": LINE, "at": at, "until": at},
            {"kind": "queue", "what": f"{company}_q{group}", "at": at, "until": at},
            {"kind": "talk", "what": talker, "at": at, "until": None},
        ],
        "listeners": [], "groups": [groups[group]],
    }  # fmt: skip


def change(company: str, n: int, groups: list[int], managers: int, at: float) -> dict[str, Any]:
    """The fields a call changes when something happened to it at ``at``; its name says when, for the page's watcher."""
    row = call(company, n, groups, at, managers)
    return {"name": f"@{at:.4f}@", **{field: row[field] for field in ("state", "since", "managers", "steps")}}


def queue(company: str, n: int, group: int) -> dict[str, Any]:
    today = {
        "offered": 100, "answered": 90, "answered_within": 80, "abandoned": 6, "short_abandoned": 2, "flow_out": 4,
        "wait_answered": 900.0,
    }  # fmt: skip
    return {
        "key": f"{company}_q{n}", "title": f"Очередь {n + 1}", "groups": [group], "answer_within": 20.0,
        "short_abandon": 5.0, "managers": [], "waiting": 0, "earliest": None, "today": today,
    }  # fmt: skip


def manager(company: str, n: int, groups: list[int], at: float, *, busy: bool) -> dict[str, Any]:
    return {
        "key": f"{company}_{101 + n}", "title": f"{FAMILIES[n % len(FAMILIES)]} {n}", "extension": str(101 + n),
        "groups": [groups[n % len(groups)]], "queues": [], "status": 1, "status_since": at - 60, "paused": False,
        "pause_reason": "", "registration": "registered", "activity": "talking" if busy else "free",
        "activity_since": at, "calls": [call_key(n)] if busy else [], "missed_in_row": 0, "flags": [],
        "today": {"answered": 4, "missed": 1, "outgoing": 2, "talk_in": 600.0, "talk_out": 120.0, "hold": 10.0},
    }  # fmt: skip
