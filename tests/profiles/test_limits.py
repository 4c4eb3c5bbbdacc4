"""A level is reached at once and left slowly: one trouble is one alert, however its value flickers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.domain.limits import RANK, Level, Limits, Standing, judge

UP = Limits("waiting", "lower_is_better", 3, 6, margin=None, hold=60)
DOWN = Limits("service_level", "higher_is_better", 0.8, 0.6, margin=None, hold=60)


def run(limits: Limits, *seen: tuple[float, float | None]) -> list[Level]:
    standing, levels = Standing(), []
    for at, value in seen:
        standing = judge(limits, standing, value, at)
        levels.append(standing.level)
    return levels


@pytest.mark.parametrize(
    ("limits", "value", "grade"),
    [
        (UP, 2, "good"), (UP, 3, "warn"), (UP, 6, "alarm"), (UP, None, "none"),
        (DOWN, 0.8, "good"), (DOWN, 0.79, "warn"), (DOWN, 0.6, "warn"), (DOWN, 0.59, "alarm"),
        (Limits("waiting", "lower_is_better", None, 6), 5, "good"),
        (Limits("waiting", "lower_is_better", None, None), 5, "none"),
        (Limits("talking", "neutral", 1, 2), 5, "none"),
    ],
)  # fmt: skip
def test_a_value_is_graded_by_the_direction_of_its_metric(
    limits: Limits, value: float | None, grade: str
) -> None:
    assert limits.grade(value) == grade


def test_a_level_is_reached_at_once_and_left_after_the_hold() -> None:
    assert run(UP, (0, 7), (10, 2), (50, 2), (69, 2)) == ["alarm", "alarm", "alarm", "alarm"]
    assert run(UP, (0, 7), (10, 2), (70, 2), (130, 2)) == ["alarm", "alarm", "warn", "good"]


def test_a_relapse_begins_the_hold_anew() -> None:
    assert run(UP, (0, 7), (10, 2), (60, 7), (80, 2), (130, 2)) == ["alarm"] * 5


def test_a_value_better_by_the_margin_ends_the_level_at_once_step_by_step() -> None:
    limits = Limits("waiting", "lower_is_better", 3, 6, margin=2, hold=60)
    assert run(limits, (0, 7), (10, 5), (20, 4), (30, 2), (40, 1)) == [
        "alarm",
        "alarm",
        "warn",
        "warn",
        "good",
    ]
    assert run(limits, (0, 7), (10, 0)) == ["alarm", "good"]


def test_a_floor_is_left_upwards() -> None:
    limits = Limits("service_level", "higher_is_better", 0.8, 0.6, margin=0.05, hold=60)
    assert run(limits, (0, 0.5), (10, 0.62), (20, 0.66), (30, 0.9)) == ["alarm", "alarm", "warn", "good"]


def test_no_value_is_a_good_one_and_is_waited_for_like_any() -> None:
    assert run(DOWN, (0, 0.5), (10, None), (70, None), (130, None)) == ["alarm", "alarm", "warn", "good"]


values = st.one_of(st.none(), st.floats(0, 10))
steps = st.lists(st.tuples(st.floats(1, 100), values), min_size=1, max_size=60)


@given(steps, st.one_of(st.none(), st.floats(0.1, 4)), st.booleans(), st.booleans())
def test_no_series_of_values_makes_a_level_flap(
    moves: list[tuple[float, float | None]], margin: float | None, grows: bool, warns: bool
) -> None:
    """A level that is left and comes back was better by the margin in between, or for the whole hold."""
    alarm = 6.0 if grows else 4.0
    warning = (3.0 if grows else 7.0) if warns else None
    limits = Limits(
        "any", "lower_is_better" if grows else "higher_is_better", warning, alarm, margin=margin, hold=60
    )
    standing, at, better = Standing(), 0.0, dict[str, float | None](warn=None, alarm=None)
    for step, value in moves:
        at += step
        before, standing = standing, judge(limits, standing, value, at)
        grade = limits.grade(value)
        assert RANK[standing.level] >= RANK[grade], "a level is never milder than the value"
        for level in ("warn", "alarm"):
            since = better[level]
            if RANK[before.level] >= RANK[level] > RANK[standing.level]:
                lasted = since is not None and at - since >= limits.hold
                assert lasted or limits.passed(value, level), f"{level} was left too early"
            if RANK[grade] >= RANK[level]:
                better[level] = None
            elif since is None:
                better[level] = at
