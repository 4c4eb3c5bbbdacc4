"""The metric registry: every figure from raw counts, with its formula, and "—" when there is nothing to divide by."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from monitoring.domain.counts import CALLS, LEGS, LOST, PEOPLE, VISITS
from monitoring.domain.metrics import METRICS
from monitoring.domain.wire import ManagerCounts, QueueCounts

COUNTED = {*VISITS, *CALLS, *LEGS, *PEOPLE, *LOST}
COUNTS = {
    "offered": 100,
    "answered": 80,
    "answered_within": 60,
    "abandoned": 15,
    "short_abandoned": 5,
    "flow_out": 5,
    "wait_answered": 960.0,
}


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("service_level", 60 / 90),
        ("service_level_offered", 0.6),
        ("service_level_answered", 0.75),
        ("abandonment", 10 / 95),
        ("asa", 12.0),
        ("lost", 10),
    ],
)
def test_a_metric_is_its_formula_over_raw_counts(metric: str, value: float) -> None:
    assert METRICS[metric].value(COUNTS) == pytest.approx(value)


def test_an_empty_denominator_has_no_value_and_no_grade() -> None:
    assert METRICS["service_level"].value({}) is None
    assert METRICS["service_level"].grade(None) == "none"


def test_every_raw_count_a_formula_names_exists() -> None:
    known = {*get_type_hints(QueueCounts), *get_type_hints(ManagerCounts), *COUNTED}
    for metric in METRICS.values():
        for _, key in (*metric.numerator, *metric.denominator):
            assert key in known or key.startswith("now.")


@pytest.mark.parametrize(
    ("metric", "value", "grade"),
    [
        ("service_level", 0.8, "good"),
        ("service_level", 0.79, "warn"),
        ("service_level", 0.59, "alarm"),
        ("longest_wait", 19.9, "good"),
        ("longest_wait", 20, "warn"),
        ("longest_wait", 60, "alarm"),
        ("offered", 1000, "none"),
    ],
)
def test_a_norm_knows_which_side_is_bad(metric: str, value: float, grade: str) -> None:
    assert METRICS[metric].grade(value) == grade
