"""Half-open intervals, and the days they fall on, also when the clock changes."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from monitoring.domain.intervals import day_bounds, split_by_day, total, union

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)


@given(spans)
def test_a_union_covers_each_moment_once(given_spans: list[tuple[int, int]]) -> None:
    covered = {moment for start, end in given_spans for moment in range(start, end)}
    assert total([(float(a), float(b)) for a, b in given_spans]) == len(covered)


@given(spans)
def test_a_union_is_disjoint_and_ordered(given_spans: list[tuple[int, int]]) -> None:
    merged = union([(float(a), float(b)) for a, b in given_spans])
    assert all(before[1] < after[0] for before, after in itertools.pairwise(merged))


def test_a_day_is_23_or_25_hours_when_the_clock_changes() -> None:
    hours = [
        (day_bounds(day, "Europe/Berlin")[1] - day_bounds(day, "Europe/Berlin")[0]) / 3600
        for day in (date(2026, 3, 29), date(2026, 10, 25), date(2026, 7, 1))
    ]
    assert hours == [23, 25, 24]


def test_an_interval_over_midnight_is_cut_at_the_companys_midnight() -> None:
    start = datetime(2026, 6, 30, 20, 50, tzinfo=UTC).timestamp()  # 23:50 in Moscow
    pieces = split_by_day((start, start + 1200), "Europe/Moscow")
    assert [(day, end - begin) for day, (begin, end) in pieces] == [
        (date(2026, 6, 30), 600.0),
        (date(2026, 7, 1), 600.0),
    ]
