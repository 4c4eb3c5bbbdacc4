"""When a figure is a warning, when an alarm, and when it is over again: a norm as it stands for one scope.

Limits are in the metric's unit. A level is reached at once and left slowly, so that a value which flickers about
its limit is one trouble and not twenty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitoring.domain.metrics import Direction

Grade = Literal["none", "good", "warn", "alarm"]
Level = Literal["good", "warn", "alarm"]
SourceKind = Literal["usual", "company", "group", "queue", "profile"]

RANK: dict[str, int] = {"none": 0, "good": 0, "warn": 1, "alarm": 2}
HOLD = 60.0  # seconds a value has to be better before its level is left


@dataclass(frozen=True, slots=True)
class Source:
    """Whose norm it is. ``key``: id of the group, queue or profile as text, "" for the company and the registry's."""

    kind: SourceKind = "usual"
    key: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """``warning`` or ``alarm`` None: never. A level is left when the value is better than its limit by ``margin``
    (None: by no margin), or has been better for ``hold`` seconds.
    """

    metric: str
    direction: Direction
    warning: float | None
    alarm: float | None
    margin: float | None = None
    hold: float = HOLD
    source: Source = Source()

    @property
    def sign(self) -> int:
        """1 when growing is bad, -1 when falling is, 0 when neither is."""
        return {"lower_is_better": 1, "higher_is_better": -1, "neutral": 0}[self.direction]

    def limit(self, level: str) -> float | None:
        return {"warn": self.warning, "alarm": self.alarm}.get(level)

    def grade(self, value: float | None) -> Grade:
        """How ``value`` stands; "none" when there is nothing to compare."""
        if value is None or self.sign == 0 or (self.warning is None and self.alarm is None):
            return "none"
        if self._breaks(value, self.alarm):
            return "alarm"
        return "warn" if self._breaks(value, self.warning) else "good"

    def passed(self, value: float | None, level: str) -> bool:
        """Whether ``value`` is on the good side of the level's limit by the margin or more."""
        limit = self.limit(level)
        if limit is None:
            return True
        return value is not None and self.margin is not None and self.sign * (limit - value) >= self.margin

    def _breaks(self, value: float, limit: float | None) -> bool:
        """Reaching a ceiling breaks it; a floor is broken only below it, as in ``Metric.grade``."""
        if limit is None:
            return False
        return value >= limit if self.sign > 0 else value < limit


@dataclass(frozen=True, slots=True)
class Standing:
    """The level in force; ``easing_since`` (epoch seconds): since when the value has been better than it."""

    level: Level = "good"
    easing_since: float | None = None


def judge(limits: Limits, before: Standing, value: float | None, at: float) -> Standing:
    """The level in force after ``value`` was seen at ``at``. No value (nothing to divide by) is a good value."""
    grade = limits.grade(value)
    reached: Level = "good" if grade == "none" else grade
    if RANK[reached] >= RANK[before.level]:
        return Standing(reached)
    level = before.level
    while level != "good" and RANK[reached] < RANK[level] and limits.passed(value, level):
        level = _below(limits, level)
    if level != before.level:
        return Standing(level, at if RANK[reached] < RANK[level] else None)
    since = at if before.easing_since is None else before.easing_since
    if at - since < limits.hold:
        return Standing(level, since)
    level = _below(limits, level)
    return Standing(level, at if RANK[reached] < RANK[level] else None)


def _below(limits: Limits, level: Level) -> Level:
    return "warn" if level == "alarm" and limits.warning is not None else "good"
