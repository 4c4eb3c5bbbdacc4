"""The raw counts kept of the past: their names, what they are counted of, and for which scopes each is known.

Seconds or counts, never ratios. ``domain.metrics`` makes figures of them; ``selectors.statistics`` counts them.
"""

from __future__ import annotations

from typing import Final, Literal

from monitoring.domain.statistics import ScopeKind

Subject = Literal["visits", "calls", "legs", "people", "lost"]

UPPERS: Final = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)
"""Upper bounds, included, of the wait histograms' bars in seconds; one more bar holds all longer waits."""

BARS: Final = (*(str(upper) for upper in UPPERS), "inf")

VISITS: Final = (
    "offered", "answered", "answered_within", "abandoned", "short_abandoned", "flow_out", "wait_answered",
    "wait_abandoned",
)  # fmt: skip
HISTOGRAMS: Final = ("wait_answered", "wait_abandoned")
CALLS: Final = (
    "calls_in", "calls_in_answered", "calls_in_lost", "calls_out", "calls_out_answered", "calls_internal",
)  # fmt: skip
LEGS: Final = (
    "rung", "handled", "handled_in", "handled_out", "missed", "outgoing", "talk_in", "talk_out", "hold", "wrap_up",
)  # fmt: skip
PEOPLE: Final = (
    "available", "break", "away", "logged_in", "busy", "idle", "unregistered", "missing_calls", "wrap_up_time",
)  # fmt: skip
LOST: Final = ("lost_calls", "called_back", "called_back_in_time", "lost_closed_by_person", "lost_open")

SCOPES: Final[dict[Subject, frozenset[ScopeKind]]] = {
    "visits": frozenset({"company", "group", "queue", "line"}),
    "calls": frozenset({"company", "group", "line"}),
    "legs": frozenset({"company", "group", "queue", "manager"}),
    "people": frozenset({"company", "group", "manager"}),
    "lost": frozenset({"company", "group", "queue", "line"}),
}

_SUBJECTS: Final[dict[str, Subject]] = {
    **dict.fromkeys(VISITS, "visits"),
    **dict.fromkeys(CALLS, "calls"),
    **dict.fromkeys(LEGS, "legs"),
    **dict.fromkeys(PEOPLE, "people"),
    **dict.fromkeys(LOST, "lost"),
}


def subject_of(key: str) -> Subject:
    """What a raw count is counted of. KeyError for a name that is none; ``status:<id>`` is people's time."""
    head, _, tail = key.partition(":")
    if tail:
        return "people" if head == "status" else _SUBJECTS[head] if head in HISTOGRAMS else _SUBJECTS[key]
    return _SUBJECTS[key]
