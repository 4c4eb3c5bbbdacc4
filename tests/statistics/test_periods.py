"""Local days and hours as stretches of time, also where the clock jumps by an hour or by half of one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.domain import periods
from monitoring.domain.periods import Slot
from monitoring.domain.statistics import BadQuestion, Hours, Question, Scope

ZONES = ["Europe/Moscow", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "UTC"]


def ask(first: date, last: date, zone: str = "Europe/Moscow", **more: object) -> Question:
    return replace(Question(Scope(), first, last, zone), **more)  # type: ignore[arg-type] # fields by name


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def test_a_total_is_one_stretch_from_midnight_to_midnight() -> None:
    found = periods.slots(ask(date(2026, 11, 2), date(2026, 11, 3)))
    assert found == [Slot(at("2026-11-01T21:00"), at("2026-11-03T21:00"), None)]


@pytest.mark.parametrize(
    ("day", "zone", "hours", "length"),
    [
        (date(2026, 3, 29), "Europe/Berlin", 23, 23.0),
        (date(2026, 10, 25), "Europe/Berlin", 25, 25.0),
        (date(2026, 10, 4), "Australia/Lord_Howe", 24, 23.5),
        (date(2026, 4, 5), "Australia/Lord_Howe", 25, 24.5),
        (date(2026, 6, 1), "Asia/Kathmandu", 24, 24.0),
    ],
)
def test_a_day_has_as_many_hours_as_its_clock_shows(day: date, zone: str, hours: int, length: float) -> None:
    found = periods.slots(ask(day, day, zone, bucket="hour"))
    assert len(found) == hours
    assert sum(slot.end - slot.begin for slot in found) == length * 3600


def test_an_hour_the_clock_leaps_into_is_a_short_one() -> None:
    found = periods.slots(ask(date(2026, 10, 4), date(2026, 10, 4), "Australia/Lord_Howe", bucket="hour"))
    assert [slot.end - slot.begin for slot in found[:4]] == [3600, 3600, 1800, 3600]


def test_weeks_begin_on_monday_and_months_on_the_first_even_when_the_period_does_not() -> None:
    weeks = periods.slots(ask(date(2026, 11, 4), date(2026, 11, 12), "UTC", bucket="week"))
    assert weeks == [
        Slot(at("2026-11-04T00:00"), at("2026-11-09T00:00"), at("2026-11-02T00:00")),
        Slot(at("2026-11-09T00:00"), at("2026-11-13T00:00"), at("2026-11-09T00:00")),
    ]
    months = periods.slots(ask(date(2026, 10, 31), date(2026, 11, 1), "UTC", bucket="month"))
    assert [slot.at for slot in months] == [at("2026-10-01T00:00"), at("2026-11-01T00:00")]


def test_a_night_belongs_to_the_weekday_it_began_on() -> None:
    friday_nights = Hours(frozenset({5}), 1320, 360)
    found = periods.slots(ask(date(2026, 11, 7), date(2026, 11, 13), "UTC", hours=friday_nights))
    assert found == [
        Slot(at("2026-11-07T00:00"), at("2026-11-07T06:00"), None),
        Slot(at("2026-11-13T22:00"), at("2026-11-14T00:00"), None),
    ]


def test_an_hour_the_clock_skips_begins_where_it_leaps() -> None:
    assert periods.moment(date(2026, 3, 29), 150, "Europe/Berlin") == at("2026-03-29T01:00")
    assert periods.moment(date(2026, 10, 4), 120, "Australia/Lord_Howe") == at("2026-10-03T15:30")


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.integers(0, 12),
    st.sampled_from(ZONES),
    st.sampled_from(["quarter", "half_hour", "hour", "day", "week", "month", "weekday_hour"]),
)
def test_buckets_of_a_period_are_the_whole_period_and_no_moment_twice(
    first: date, days: int, zone: str, bucket: str
) -> None:
    question = ask(first, first + timedelta(days=days), zone, bucket=bucket)
    found = periods.slots(question)
    begin, end = periods.bounds(question)
    assert found[0].begin == begin
    assert found[-1].end == end
    for one, two in pairwise(found):
        assert one.end == two.begin
        assert one.at != two.at


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.sampled_from(ZONES),
    st.frozensets(st.integers(1, 7), min_size=1),
    st.integers(0, 47),
    st.integers(1, 48),
)
def test_a_filter_keeps_exactly_what_the_local_clock_shows(
    first: date, zone: str, weekdays: frozenset[int], begin: int, end: int
) -> None:
    hours = Hours(weekdays, begin * 30, end * 30)
    question = ask(first, first + timedelta(days=3), zone, hours=hours)
    found = periods.slots(question)
    low, high = periods.bounds(question)
    moment = low + 450  # quarter-hours by their middles: no zone of these has finer bounds
    while moment < high:
        local = datetime.fromtimestamp(moment, ZoneInfo(zone))
        minute, today = local.hour * 60 + local.minute, local.isoweekday()
        if hours.begin < hours.end:
            meant = today in weekdays and hours.begin <= minute < hours.end
        else:
            evening = today in weekdays and minute >= hours.begin
            meant = evening or ((today - 2) % 7 + 1 in weekdays and minute < hours.end)
        assert meant == any(slot.begin <= moment < slot.end for slot in found), local
        moment += 900


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ((date(2026, 11, 2), date(2026, 11, 2)), date(2026, 11, 1), date(2026, 11, 1)),
        ((date(2026, 11, 2), date(2026, 11, 8)), date(2026, 10, 26), date(2026, 11, 1)),
        ((date(2026, 11, 2), date(2026, 11, 4)), date(2026, 10, 26), date(2026, 10, 28)),
        ((date(2026, 11, 1), date(2026, 11, 30)), date(2026, 10, 1), date(2026, 10, 31)),
        ((date(2026, 1, 1), date(2026, 3, 31)), date(2025, 10, 1), date(2025, 12, 31)),
    ],
)
def test_the_time_before_is_one_to_compare_with(asked: tuple[date, date], first: date, last: date) -> None:
    found = periods.before(ask(*asked))
    assert (found.first, found.last) == (first, last)


@pytest.mark.parametrize(
    "bad",
    [
        ask(date(2026, 11, 2), date(2026, 11, 1)),
        ask(date(1976, 1, 1), date(2026, 1, 1)),
        ask(date(2020, 1, 1), date(2026, 1, 1)),
        ask(date(2026, 1, 1), date(2026, 1, 2), "Mars/Olympus"),
        ask(date(2026, 1, 1), date(2026, 3, 1), bucket="quarter"),
        ask(date(2025, 1, 1), date(2026, 3, 1), bucket="hour"),
        ask(date(2026, 1, 1), date(2026, 1, 2), bucket="fortnight"),
        ask(date(2026, 1, 1), date(2026, 1, 2), hours=Hours(frozenset())),
        ask(date(2026, 1, 1), date(2026, 1, 2), hours=Hours(frozenset({8}))),
        ask(date(2026, 1, 1), date(2026, 1, 2), hours=Hours(begin=7)),
        ask(date(2026, 1, 1), date(2026, 1, 2), hours=Hours(end=1500)),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(bad: Question) -> None:
    with pytest.raises(BadQuestion):
        periods.slots(bad)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), max_size=8))
def test_inside_and_outside_of_holes_are_all_there_is(pairs: list[tuple[int, int]]) -> None:
    pieces = [Slot(0, 10, 1.0), Slot(10, 25, 2.0), Slot(30, 50, 3.0)]
    moments = {second for begin, length in pairs for second in range(begin, begin + length)}
    holes = [(float(second), second + 1.0) for second in sorted(moments)]
    inside, outside = periods.within(pieces, holes), periods.without(pieces, holes)
    both = sorted(
        (second, slot.at) for slot in (*inside, *outside) for second in range(int(slot.begin), int(slot.end))
    )
    assert both == sorted(
        (second, slot.at) for slot in pieces for second in range(int(slot.begin), int(slot.end))
    )
    assert all(second in moments for slot in inside for second in range(int(slot.begin), int(slot.end)))


def test_half_hours_are_those_of_utc() -> None:
    assert periods.half_hour(at("2026-11-02T10:44:59")) == at("2026-11-02T10:30")
    assert datetime.fromtimestamp(periods.half_hour(0.0), UTC).minute == 0
