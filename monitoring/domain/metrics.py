"""Every metric once: what it counts, in which unit, which way is good. Panel, reports, API and help read this table.

Raw counts are the names of ``domain.counts``, for the panel those of ``wire``; ``now.*`` is read off the live board.
An empty denominator has no value: show "—". Formulas: PRODUCT words.
"""

from __future__ import annotations

from monitoring.domain.metric import Direction, Metric, Norm, Terms, Unit, terms
from monitoring.domain.metrics_calls import CALLS, LOST, VISITS
from monitoring.domain.metrics_live import LIVE
from monitoring.domain.metrics_people import LEGS, PEOPLE
from monitoring.domain.statistics import ScopeKind

__all__ = ["METRICS", "Direction", "Metric", "Norm", "Terms", "Unit", "for_scope", "status_metric"]

METRICS: dict[str, Metric] = {
    metric.key: metric for metric in (*LIVE, *VISITS, *CALLS, *LOST, *LEGS, *PEOPLE)
}


def for_scope(kind: ScopeKind) -> tuple[Metric, ...]:
    """The metrics a report of this kind of scope can show, in the registry's order; live ones are not among them."""
    return tuple(metric for metric in METRICS.values() if kind in metric.scopes)


def status_metric(status: int, label: str) -> Metric:
    """Time in one status of the company: a metric of its own, for statuses are the company's."""
    return Metric(
        f"status:{status}", "seconds", "neutral", label, "Time in this status.", terms(f"status:{status}")
    )
