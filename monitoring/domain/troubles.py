"""Which norms are watched where, so that one trouble is one alert and not one for every scope that inherits.

A norm set for a group, a queue or a profile is watched at that group, queue or profile. The company's norms, and
the usual ones about callers, are watched at every queue they reach (callers) or group (people).
"""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.domain.limits import Limits
from monitoring.domain.metrics import Metric
from monitoring.domain.watching import is_about_people, live_metrics

FEWEST = 10  # of fewer calls no share is a trouble: the first caller of a day would make 100 % or 0 %


def watched(kind: str, limits: Mapping[str, Limits]) -> list[tuple[Metric, Limits]]:
    """What is looked at for a scope of this kind with these limits in force."""
    found = []
    for metric in live_metrics():
        norm = limits.get(metric.key)
        if norm is None or (norm.warning is None and norm.alarm is None):
            continue
        if norm.source.kind == kind or (
            norm.source.kind in ("company", "usual") and _inherits(kind, metric, norm)
        ):
            found.append((metric, norm))
    return found


def _inherits(kind: str, metric: Metric, norm: Limits) -> bool:
    if is_about_people(metric):
        # Nobody is free at night: how few people are too few has to be said by somebody first.
        return kind == "group" and norm.source.kind == "company"
    return kind == "queue"


def value_of(metric: Metric, counts: Mapping[str, float]) -> float | None:
    """The value to judge: None where there is nothing yet to judge by."""
    if metric.key == "longest_wait" and not counts.get("now.waiting"):
        return None
    if metric.denominator and sum(sign * counts.get(key, 0) for sign, key in metric.denominator) < FEWEST:
        return None
    return metric.value(counts)
