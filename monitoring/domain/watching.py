"""The board's figures of this moment, for those who look without a browser: raw counts of what is in sight.

The panel's script counts the same by the same words (static/js/live/figures.js); a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.domain.audience import EntityKey
from monitoring.domain.metrics import METRICS, Metric

QUEUE_TODAY = (
    "offered", "answered", "answered_within", "abandoned", "short_abandoned", "flow_out", "wait_answered",
)  # fmt: skip
QUEUE_COUNTS = frozenset({"now.waiting", "now.longest_wait", *QUEUE_TODAY})
PEOPLE_COUNTS = frozenset({"now.talking", "now.free", "now.on_break", "now.away", "now.unregistered"})
Entities = Mapping[EntityKey, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Sight:
    """What of the board is looked at; None = not narrowed. Queues and managers by PBX name, lines by number."""

    groups: frozenset[int] | None = None
    queues: frozenset[str] | None = None
    lines: frozenset[str] | None = None
    managers: frozenset[str] | None = None

    def call(self, call: Mapping[str, Any]) -> bool:
        return (
            _meets(self.groups, call["groups"])
            and _meets(self.queues, [queue_of(call) or ""])
            and _meets(self.lines, [call["line"]])
            and (is_waiting(call) or _meets(self.managers, (party["manager"] for party in call["managers"])))
        )

    def manager(self, manager: Mapping[str, Any]) -> bool:
        return (
            _meets(self.groups, manager["groups"])
            and _meets(self.queues, manager["queues"])
            and _meets(self.managers, [manager["key"]])
        )

    def queue(self, queue: Mapping[str, Any]) -> bool:
        return _meets(self.groups, queue["groups"]) and _meets(self.queues, [queue["key"]])


def _meets(wanted: frozenset[Any] | None, has: Iterable[Any]) -> bool:
    return wanted is None or not wanted.isdisjoint(has)


def live_metrics() -> list[Metric]:
    """The metrics whose raw counts are on the board."""
    return [metric for metric in METRICS.values() if terms_of(metric) <= QUEUE_COUNTS | PEOPLE_COUNTS]


def terms_of(metric: Metric) -> set[str]:
    return {key for _sign, key in (*metric.numerator, *metric.denominator)}


def is_about_people(metric: Metric) -> bool:
    """Counted over managers, not over callers and queues."""
    return terms_of(metric) <= PEOPLE_COUNTS


def counts(entities: Entities, sight: Sight, now: float) -> dict[str, float]:
    """Raw counts of what is in sight at ``now`` (epoch seconds)."""
    found: dict[str, float] = dict.fromkeys(sorted(QUEUE_COUNTS | PEOPLE_COUNTS), 0)
    for (kind, _key), row in entities.items():
        if kind == "call" and is_waiting(row) and sight.call(row):
            found["now.waiting"] += 1
            found["now.longest_wait"] = max(found["now.longest_wait"], now - row["joined"])
        elif kind == "manager" and sight.manager(row):
            _count_manager(found, row, entities, now)
        elif kind == "queue" and sight.queue(row):
            today = row.get("today") or {}
            for name in QUEUE_TODAY:
                found[name] += today.get(name, 0)
    return found


def is_waiting(call: Mapping[str, Any]) -> bool:
    return call["joined"] is not None and call["state"] in ("waiting", "ringing")


def queue_of(call: Mapping[str, Any]) -> str | None:
    """The queue the call stands in or came through last."""
    if call["queue"]:
        return str(call["queue"])
    return next((str(step["what"]) for step in reversed(call["steps"]) if step["kind"] == "queue"), None)


def _count_manager(found: dict[str, float], row: Mapping[str, Any], entities: Entities, now: float) -> None:
    busy = row["activity"] in ("talking", "held")
    kind = _declared(row, entities)
    found["now.talking"] += busy
    found["now.on_break"] += kind == "break"
    found["now.away"] += kind == "away"
    if kind != "available":
        return
    if row["registration"] == "unregistered":
        found["now.unregistered"] += 1
    elif not row["calls"] and not busy and row["activity"] != "ringing" and not _wraps_up(row, now):
        found["now.free"] += 1


def _wraps_up(row: Mapping[str, Any], now: float) -> bool:
    """Still writing the last call down: free in a moment, not yet."""
    until = row.get("wrap_until")
    return until is not None and until > now


def _declared(row: Mapping[str, Any], entities: Entities) -> str:
    status = None if row["status"] is None else entities.get(("status", str(row["status"])))
    if status is not None:
        return str(status["kind"])
    return "break" if row["paused"] else "available"
