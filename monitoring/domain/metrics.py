"""Every metric once: what it counts, in which unit, which way is good. Panel, reports, API and help read this table.

A metric is a sum of raw counts over a sum of raw counts (signs allowed), so a changed threshold re-reads the past
and a reader can show "how was this counted". An empty denominator has no value: show "—".
Raw counts are the keys of ``wire.QueueCounts`` and ``wire.ManagerCounts``; ``now.*`` keys are read off the live board.
Formulas: PRODUCT words; service level variants after ITU-T E.423 / COPC practice, the variant is part of the title.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["count", "seconds", "share"]
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


def _sum(*keys: str) -> Terms:
    return tuple((-1, key[1:]) if key.startswith("-") else (1, key) for key in keys)


METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric(
            "waiting",
            "count",
            "lower_is_better",
            "Waiting",
            "Callers who joined a queue and have neither left nor been answered; a ringing caller still waits.",
            _sum("now.waiting"),
            norm=Norm(3, 6),
        ),
        Metric(
            "longest_wait",
            "seconds",
            "lower_is_better",
            "Longest wait",
            "Time since the earliest caller still waiting joined the queue.",
            _sum("now.longest_wait"),
            norm=Norm(20, 60),
        ),
        Metric(
            "talking",
            "count",
            "neutral",
            "Talking",
            "Managers connected with a customer at this moment, hold included.",
            _sum("now.talking"),
        ),
        Metric(
            "free",
            "count",
            "higher_is_better",
            "Free",
            "Managers whose status takes calls, whose phone is registered or external, and who have no call.",
            _sum("now.free"),
            norm=Norm(2, 1),
        ),
        Metric(
            "on_break",
            "count",
            "neutral",
            "On break",
            "Managers whose declared status is a break.",
            _sum("now.on_break"),
        ),
        Metric(
            "away", "count", "neutral", "Away", "Managers whose declared status is away.", _sum("now.away")
        ),
        Metric(
            "unregistered",
            "count",
            "lower_is_better",
            "Unregistered",
            "Managers whose status takes calls although no phone of theirs is registered.",
            _sum("now.unregistered"),
            norm=Norm(1, 3),
        ),
        Metric(
            "offered",
            "count",
            "neutral",
            "Offered",
            "Queue visits that ended today: answered, abandoned or left for elsewhere (flow-out).",
            _sum("offered"),
        ),
        Metric(
            "answered", "count", "neutral", "Answered", "Queue visits a manager answered.", _sum("answered")
        ),
        Metric(
            "lost",
            "count",
            "lower_is_better",
            "Lost",
            "Queue visits in which the caller hung up before an answer, short abandons left out.",
            _sum("abandoned", "-short_abandoned"),
            norm=Norm(5, 10),
        ),
        Metric(
            "flow_out",
            "count",
            "neutral",
            "Flow-out",
            "Queue visits that left unanswered for elsewhere: timeout, exit key, full, empty, transferred.",
            _sum("flow_out"),
        ),
        Metric(
            "service_level",
            "share",
            "higher_is_better",
            "Service level",
            "Answered within the queue's threshold, of answered and abandoned calls without short abandons.",
            _sum("answered_within"),
            _sum("answered", "abandoned", "-short_abandoned"),
            Norm(0.8, 0.6),
        ),
        Metric(
            "service_level_offered",
            "share",
            "higher_is_better",
            "Service level (of offered)",
            "Answered within the queue's threshold, of all offered visits.",
            _sum("answered_within"),
            _sum("offered"),
        ),
        Metric(
            "service_level_answered",
            "share",
            "higher_is_better",
            "Service level (of answered)",
            "Answered within the queue's threshold, of answered visits.",
            _sum("answered_within"),
            _sum("answered"),
        ),
        Metric(
            "abandonment",
            "share",
            "lower_is_better",
            "Abandonment",
            "Abandoned visits of all offered, short abandons left out of both.",
            _sum("abandoned", "-short_abandoned"),
            _sum("offered", "-short_abandoned"),
            Norm(0.05, 0.1),
        ),
        Metric(
            "asa",
            "seconds",
            "lower_is_better",
            "Average speed of answer",
            "Average time in queue of answered visits: ringing included, voice menu excluded.",
            _sum("wait_answered"),
            _sum("answered"),
            Norm(20, 40),
        ),
    )
}
