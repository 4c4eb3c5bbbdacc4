"""How a figure came about: its formula, what was counted in, and what was left out, each with its reason.

``selectors.explain`` fills it; pages and the API only show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitoring.domain.metric import Metric
from monitoring.domain.statistics import Gap, Question

EntryKind = Literal["visit", "call", "leg", "listen", "person", "lost"]


@dataclass(frozen=True, slots=True)
class Term:
    """One raw count in the formula. ``sign``: 1 or -1. ``words``: what it counts, for a person."""

    sign: int
    key: str
    words: str
    value: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of history. ``top`` and ``bottom``: what it adds to numerator and denominator. ``reason``: why it adds
    nothing, "" when it does. ``person``: time of ``manager`` on the local day that begins at ``at``.
    """

    kind: EntryKind
    id: int
    at: float
    call: int | None
    number: str
    queue: str
    manager: str
    line: str
    top: float
    bottom: float
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """``words``: the reason for a person; ``reason``: its key, to ask for these entries alone."""

    reason: str
    words: str
    entries: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """``entries``: one page of those counted in, or of those left out for ``reason``; ``after``: the next page's
    cursor, None on the last. ``listed_top`` and ``listed_bottom`` are the sums over all entries counted in; when they
    are not the formula's, rows of that time were deleted by the company's own rule and only their sums are left.
    """

    question: Question
    metric: Metric
    at: float | None
    key: str
    value: float | None
    numerator: tuple[Term, ...]
    denominator: tuple[Term, ...]
    counted: int
    left_out: tuple[LeftOut, ...]
    entries: tuple[Entry, ...]
    after: str | None
    listed_top: float
    listed_bottom: float
    gaps: tuple[Gap, ...]

    @property
    def complete(self) -> bool:
        """Whether every row behind the figure is still there to be listed."""
        told = (sum(term.sign * term.value for term in terms) for terms in (self.numerator, self.denominator))
        listed = (self.listed_top, self.listed_bottom)
        return all(abs(one - two) < 0.5 for one, two in zip(told, listed, strict=True))
