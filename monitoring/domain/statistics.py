"""What may be asked of the past, and how the answer looks: the words between reports, API, alerts and the engine.

Times are epoch seconds (UTC); days and hours are local to the question's ``zone``. An answer carries raw counts
(the vocabulary of ``domain.metrics``); ratios are made from them at the last moment, so that they can be explained.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

ScopeKind = Literal["company", "group", "queue", "line", "manager"]
Bucket = Literal["total", "quarter", "half_hour", "hour", "day", "week", "month", "weekday_hour"]
Source = Literal["rollup", "raw"]

LONGEST_DAYS = 1100  # three years and a little: more is a mistake in the question
LONGEST_FINE_DAYS = 31  # quarter-hours, and whatever else only raw rows can answer


class BadQuestion(ValueError):
    """The question makes no sense; the message says which part and why, in words for a person."""


@dataclass(frozen=True, slots=True)
class Scope:
    """``key``: id of the group, queue or manager as text, a line's number; "" for the company."""

    kind: ScopeKind = "company"
    key: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """Only these ISO weekdays (Monday = 1) and local times [``begin``, ``end``) in minutes of the day.

    Minutes are whole half-hours; ``end`` ≤ ``begin`` runs over midnight (22:00–06:00 = 1320, 360).
    """

    weekdays: frozenset[int] = frozenset(range(1, 8))
    begin: int = 0
    end: int = 1440


@dataclass(frozen=True, slots=True)
class Question:
    """Local days [``first``, ``last``], both included. ``split``: one row set for each of these within ``scope``.

    ``groups``: the asker's audience (ids), None = the whole company; never wider than it, whatever ``scope`` says.
    """

    scope: Scope
    first: date
    last: date
    zone: str
    bucket: Bucket = "total"
    split: ScopeKind | None = None
    hours: Hours = field(default_factory=Hours)
    groups: frozenset[int] | None = None


class Row(NamedTuple):
    """Raw counts of one bucket (``at`` = its start, None for the total) of one ``key`` ("" when nothing is split).

    ``weekday_hour`` rows have ``at`` = (ISO weekday - 1) * 24 + local hour.
    """

    at: float | None
    key: str
    counts: dict[str, float]


@dataclass(frozen=True, slots=True)
class Gap:
    """[``begin``, ``end``) in which we did not see, or not all; ``end`` None while it lasts. ``settled``: filled since
    from the PBX's own records."""

    begin: float
    end: float | None
    cause: str
    settled: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """``rows`` by key and time, empty buckets left out; ``total`` over all of them; ``gaps`` the period touches."""

    question: Question
    rows: tuple[Row, ...]
    total: dict[str, float]
    gaps: tuple[Gap, ...]
    source: Source
