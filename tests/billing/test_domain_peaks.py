"""Peaks, days and the other measures against a slow reading of the same facts that shares no code with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.domain.concurrency import Peak, peak
from billing.domain.metering import CallTimes, Facts, Measure
from billing.domain.periods import DAY, Period, following, local_day, midnight, month_of, preceding
from billing.domain.spans import Open, united, within

# A busy machine draws slowly, which is no fault of anybody.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
UNTIL = BEGIN + 12 * TICK

# Few moments and few keys: so that ties, touching ends, doubles and clipping are the rule, not the exception.
moments = st.integers(-3, 15).map(lambda ticks: BEGIN + ticks * TICK)
spans: st.SearchStrategy[Open] = st.tuples(moments, st.none() | moments)
things = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.lists(spans, max_size=3)), max_size=10)
ZONES = [
    "Europe/Moscow",
    "Europe/Berlin",
    "Asia/Vladivostok",
    "America/New_York",
    "Africa/Cairo",
    "Pacific/Apia",
    "Asia/Kathmandu",
]


def counted_by_hand(found: Sequence[tuple[str, Sequence[Open]]], begin: datetime, until: datetime) -> Peak:
    """Look at each tick of the window: who is there? No sorting, no running sum."""
    best = Peak(0, None, ())
    moment = begin
    while moment < until:
        there = {
            key
            for key, own in found
            for start, end in own
            if start <= moment and (end is None or moment < end)
        }
        if len(there) > best.count:
            best = Peak(len(there), moment, tuple(sorted(there)))
        moment += TICK
    return best


@settings(PATIENT, max_examples=2000)
@given(found=things)
def test_a_peak_is_what_looking_at_every_moment_finds(found: list[tuple[str, list[Open]]]) -> None:
    assert peak(found, BEGIN, UNTIL) == counted_by_hand(found, BEGIN, UNTIL)


@settings(PATIENT, max_examples=600)
@given(found=things, data=st.data())
def test_order_and_doubles_change_no_peak(found: list[tuple[str, list[Open]]], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(found), max_size=4)) if found else []
    torn_up = [(key, [span]) for key, own in [*found, *again] for span in own]
    assert peak(data.draw(st.permutations(torn_up)), BEGIN, UNTIL) == peak(found, BEGIN, UNTIL)


@settings(PATIENT, max_examples=600)
@given(found=things, cut=st.integers(1, 11))
def test_the_peak_of_a_month_is_the_larger_of_its_parts(
    found: list[tuple[str, list[Open]]], cut: int
) -> None:
    middle = BEGIN + cut * TICK
    first, second = peak(found, BEGIN, middle), peak(found, middle, UNTIL)
    whole = peak(found, BEGIN, UNTIL)
    assert whole.count == max(first.count, second.count)
    assert whole == (first if first.count >= second.count else second)


@settings(PATIENT, max_examples=600)
@given(own=st.lists(spans, max_size=6))
def test_united_spans_hold_the_same_moments_and_never_touch(own: list[Open]) -> None:
    inside = list(within(own, BEGIN, UNTIL))
    whole = united(inside)
    for tick in range(12):
        moment = BEGIN + tick * TICK
        expected = any(start <= moment and (end is None or moment < end) for start, end in own)
        assert any(start <= moment < end for start, end in whole) == expected
    assert all(start < end for start, end in whole)
    assert all(one[1] < other[0] for one, other in pairwise(whole))


# Measures over local days

hours = st.integers(-30, 24 * 5).map(lambda hour: datetime(2026, 3, 27, tzinfo=UTC) + timedelta(hours=hour))
activity = st.lists(st.tuples(st.sampled_from("pqrst"), st.tuples(hours, st.none() | hours)), max_size=8)
days = st.tuples(st.integers(0, 3), st.integers(1, 3)).map(
    lambda pair: (date(2026, 3, 27) + pair[0] * DAY, date(2026, 3, 27) + sum(pair) * DAY)
)


@settings(PATIENT, max_examples=600)
@given(on=activity, served=days, zone=st.sampled_from(ZONES))
def test_profile_measures_are_what_the_hours_of_local_days_say(
    on: list[tuple[str, Open]], served: tuple[date, date], zone: str
) -> None:
    """Everything changes on the hour or, in Kathmandu's days, at its three quarters: quarter-hours show all of it."""
    part = Period(*served, zone)
    by_day: dict[date, int] = {part.start + n * DAY: 0 for n in range(part.days)}
    ever: set[str] = set()
    moment = datetime(2026, 3, 25, tzinfo=UTC)
    while moment < datetime(2026, 4, 5, tzinfo=UTC):
        day = local_day(moment, zone)
        if day in by_day:
            there = {key for key, (start, end) in on if start <= moment and (end is None or moment < end)}
            by_day[day] = max(by_day[day], len(there))
            ever |= there
        moment += timedelta(minutes=15)
    facts = Facts(profiles=on)
    assert facts.measure(Measure.PROFILE_DAYS, part).by_day == tuple(by_day.values())
    assert facts.measure(Measure.PROFILES, part).quantity == max(by_day.values())
    distinct = facts.measure(Measure.PROFILES_DISTINCT, part)
    assert (distinct.quantity, set(distinct.keys)) == (len(ever), ever)


kinds = st.sampled_from(["handled", "internal", "listen"])
told_calls = st.lists(
    st.builds(
        CallTimes,
        key=st.sampled_from("abcd"),
        intervals=st.lists(st.tuples(hours, st.none() | hours), max_size=2),
        kind=kinds,
        managers=st.lists(st.sampled_from(["anna", "boris", "vera"]), max_size=2),
    ),
    max_size=6,
)


@settings(PATIENT, max_examples=600)
@given(calls=told_calls, served=days, internal=st.booleans())
def test_calls_and_managers_count_the_kinds_the_plan_counts(
    calls: list[CallTimes], served: tuple[date, date], internal: bool
) -> None:
    part = Period(*served, "Europe/Moscow")
    begin, until = midnight(part.start, part.zone), midnight(part.end, part.zone)
    meant = [c for c in calls if c.kind == "handled" or (internal and c.kind == "internal")]
    most, people, moment = 0, set(), begin
    while moment < until:
        there = [c for c in meant if any(s <= moment and (e is None or moment < e) for s, e in c.intervals)]
        most = max(most, len({c.key for c in there}))
        people |= {name for c in there for name in c.managers}
        moment += timedelta(hours=1)
    facts = Facts(calls=calls)
    assert facts.measure(Measure.CALLS, part, internal=internal).quantity == most
    assert set(facts.measure(Measure.MANAGERS, part, internal=internal).keys) == people


# Days and months


@settings(PATIENT, max_examples=600)
@given(
    day=st.dates(date(2000, 1, 1), date(2060, 12, 31)),
    zone=st.sampled_from([*ZONES, "Asia/Gaza", "America/Nuuk"]),
)
def test_a_days_first_moment_is_of_that_day_and_the_one_before_is_not(day: date, zone: str) -> None:
    first = midnight(day, zone)
    assert midnight(day + DAY, zone) >= first
    if midnight(day + DAY, zone) > first:  # Apia left a day out: it has no moment
        assert local_day(first, zone) == day
        assert local_day(first - TICK, zone) < day


@settings(PATIENT, max_examples=300)
@given(day=st.dates(date(2000, 1, 1), date(2060, 12, 31)), months=st.integers(0, 40))
def test_months_follow_each_other_without_a_gap(day: date, months: int) -> None:
    month = month_of(day, "Europe/Moscow")
    assert month.start <= day < month.end
    assert month.days in (28, 29, 30, 31)
    assert following(month).start == month.end
    assert preceding(following(month)) == month
    back = preceding(month, months)
    assert (month.start.year - back.start.year) * 12 + month.start.month - back.start.month == months
