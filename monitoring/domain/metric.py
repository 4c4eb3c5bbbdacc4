"""What a metric is: a sum of raw counts over a sum of raw counts (signs allowed), so that a changed threshold re-reads
the past and a reader can show "how was this counted". The registry itself is ``domain.metrics``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from monitoring.domain.counts import SCOPES, subject_of
from monitoring.domain.statistics import ScopeKind

Unit = Literal["count", "seconds", "share", "ratio"]
Direction = Literal["lower_is_better", "higher_is_better", "neutral"]
Terms = tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Norm:
    """Warning and alarm limits; which side is bad follows from the metric's direction."""

    warn: float
    alarm: float


@dataclass(frozen=True, slots=True)
class Metric:
    """``numerator`` and ``denominator``: (sign, raw count key); ``title`` and ``meaning`` are gettext msgids."""

    key: str
    unit: Unit
    direction: Direction
    title: str
    meaning: str
    numerator: Terms
    denominator: Terms = ()
    norm: Norm | None = None

    @property
    def live(self) -> bool:
        """Read off the live board: it has no past."""
        return any(key.startswith("now.") for _, key in self.numerator)

    def counts(self) -> frozenset[str]:
        """Every raw count of its formula."""
        return frozenset(key for _, key in (*self.numerator, *self.denominator))

    @property
    def scopes(self) -> frozenset[ScopeKind]:
        """What it exists for: where each of its raw counts is kept; a live figure has no scope of the past."""
        if self.live:
            return frozenset()
        return frozenset.intersection(*(SCOPES[subject_of(key)] for key in self.counts()))

    def value(self, counts: Mapping[str, float]) -> float | None:
        """The metric over raw ``counts`` (missing keys are 0), in ``unit``; None when there is nothing to divide by."""
        top = sum(sign * counts.get(key, 0) for sign, key in self.numerator)
        if not self.denominator:
            return top
        bottom = sum(sign * counts.get(key, 0) for sign, key in self.denominator)
        return top / bottom if bottom > 0 else None

    def grade(self, value: float | None) -> Literal["none", "good", "warn", "alarm"]:
        """How ``value`` stands against the default norm."""
        if self.norm is None or value is None or self.direction == "neutral":
            return "none"
        sign = 1 if self.direction == "lower_is_better" else -1
        if self._breaks(value, self.norm.alarm, sign):
            return "alarm"
        return "warn" if self._breaks(value, self.norm.warn, sign) else "good"

    @staticmethod
    def _breaks(value: float, limit: float, sign: int) -> bool:
        """Reaching a ceiling breaks it; a floor is broken only below it."""
        return value >= limit if sign > 0 else value < limit


def terms(*keys: str) -> Terms:
    return tuple((-1, key[1:]) if key.startswith("-") else (1, key) for key in keys)
