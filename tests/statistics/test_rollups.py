"""A report from the kept sums is the report from raw rows, and both are what a slow walk over every row counts:
for every scope, split, bucket, filter and zone, for two companies side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.domain.facts import CallFact, VisitFact
from monitoring.domain.intervals import local_day
from monitoring.domain.metrics import METRICS
from monitoring.domain.periods import HALF_HOUR
from monitoring.domain.statistics import Answer, BadQuestion, Hours, Question, Scope
from monitoring.models import VisitSums
from monitoring.selectors import statistics
from monitoring.services import ingest, rollups
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.staff import make_staff
from tests.statistics import oracle
from tests.statistics.world import LINES, Past, make_past

DAYS = 86_400.0
BERLIN_FALLS_BACK = 1_792_890_000.0  # 2026-10-25 01:00 UTC
LORD_HOWE_LEAPS = 1_791_041_400.0  # 2026-10-03 15:30 UTC, by half an hour
ZONES = ["Europe/Moscow", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "UTC"]
WORLDS = [
    (1, BERLIN_FALLS_BACK, "Europe/Berlin"),
    (2, LORD_HOWE_LEAPS, "Australia/Lord_Howe"),
    (3, BERLIN_FALLS_BACK, "Asia/Kathmandu"),
]


@pytest.fixture(params=WORLDS, ids=lambda world: world[2])
def pasts(request: pytest.FixtureRequest, alpha: Company, beta: Company) -> dict[str, Past]:
    """Both companies' pasts around a change of the clock; alpha's day is another one each time."""
    seed, middle, zone = request.param
    alpha.time_zone = zone
    alpha.save()
    return {
        slug: make_past(
            make_staff(slug), slug, seed=seed + place * 10, begin=middle - 2 * DAYS, end=middle + 2 * DAYS
        )
        for place, slug in enumerate(("alpha", "beta"))
    }


def questions(past: Past) -> st.SearchStrategy[Question]:
    first = local_day(past.begin, "UTC")
    scopes = [
        Scope(), *(Scope("group", str(row.pk)) for row in past.groups),
        *(Scope("queue", str(row.pk)) for row in past.queues), *(Scope("line", line) for line in LINES),
        *(Scope("manager", str(row.pk)) for row in past.managers), Scope("group", "2000000000"),
    ]  # fmt: skip
    halves = st.integers(0, 48).map(lambda half: half * 30)
    spans = st.tuples(st.integers(-2, 4), st.integers(0, 6)).map(
        lambda pair: (first + timedelta(days=pair[0]), first + timedelta(days=pair[0] + pair[1]))
    )
    ids = [row.pk for row in past.groups]
    return st.builds(
        lambda scope, span, zone, bucket, split, hours, groups: Question(
            scope, span[0], span[1], zone, bucket, split, hours, groups
        ),
        st.sampled_from(scopes),
        spans,
        st.sampled_from(ZONES),
        st.sampled_from(["total", "quarter", "half_hour", "hour", "day", "week", "month", "weekday_hour"]),
        st.sampled_from([None, "queue", "line", "manager", "group"]),
        st.just(Hours()) | st.builds(Hours, st.frozensets(st.integers(1, 7), min_size=1), halves, halves),
        st.none() | st.frozensets(st.sampled_from(ids)),
    )


def nonzero(counts: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in counts.items() if abs(value) > 1e-6}


def told(answer: Answer) -> dict[Any, dict[str, float]]:
    rows = {(row.at, row.key): nonzero(row.counts) for row in answer.rows}
    return {place: counts for place, counts in rows.items() if counts}


def assert_same(answer: Answer, past: Past, now: float) -> None:
    expected, whole = oracle.count(past, answer.question, now)
    if answer.question.split is not None:
        # Rows of nobody's queue, line or manager are in the total only.
        expected = {place: counts for place, counts in expected.items() if place[1]}
    expected = {place: kept for place, counts in expected.items() if (kept := nonzero(counts))}
    found = told(answer)
    assert found.keys() == expected.keys()
    for place, counts in expected.items():
        assert found[place] == pytest.approx(counts, abs=1e-4), place
    assert nonzero(answer.total) == pytest.approx(nonzero(whole), abs=1e-3)


@pytest.mark.django_db
def test_sums_rows_and_a_slow_walk_tell_the_same(pasts: dict[str, Past]) -> None:
    now = pasts["alpha"].end + 7 * 3600
    for slug in pasts:
        with company_scope(slug):
            assert rollups.build(now=now, seconds=60).left is False

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        slug = data.draw(st.sampled_from(sorted(pasts)))
        question = data.draw(questions(pasts[slug]))
        with company_scope(slug):
            answer = statistics.answer(question, now=now)
            assert_same(answer, pasts[slug], now)
            rows = statistics.answer_from_rows(question, now=now)
        assert told(answer).keys() == told(rows).keys()
        assert answer.total == pytest.approx(rows.total, abs=1e-3)

    check()


@pytest.mark.django_db
def test_an_answer_is_exact_while_half_of_it_is_not_built(pasts: dict[str, Past]) -> None:
    past = pasts["alpha"]
    now = past.end + 7 * 3600
    with company_scope("alpha"):
        rollups.build(now=past.begin + 2.2 * DAYS, seconds=60)
        rollups.mark(
            [(past.begin + hour * 3600, past.begin + hour * 3600 + 2000) for hour in range(0, 60, 7)]
        )

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(questions(past))
    def check(question: Question) -> None:
        with company_scope("alpha"):
            assert_same(statistics.answer(question, now=now), past, now)

    check()


@pytest.fixture
def one(alpha: Company) -> Iterator[Past]:
    past = make_past(
        make_staff("alpha"), "alpha", seed=5, begin=BERLIN_FALLS_BACK, end=BERLIN_FALLS_BACK + 2 * DAYS
    )
    with company_scope("alpha"):
        rollups.build(now=past.end + HALF_HOUR, seconds=60)
        yield past


def whole(past: Past, bucket: Any = "day") -> Question:
    first = local_day(past.begin, "Europe/Moscow") - timedelta(days=1)
    return Question(Scope(), first, first + timedelta(days=6), "Europe/Moscow", bucket)


@pytest.mark.django_db
def test_the_invariants_hold(one: Past) -> None:
    answer = statistics.answer(whole(one, "hour"), now=one.end + DAYS)
    for counts in (*(row.counts for row in answer.rows), answer.total):
        assert counts.get("offered", 0) == pytest.approx(
            counts.get("answered", 0) + counts.get("abandoned", 0) + counts.get("flow_out", 0)
        )
        by_status = sum(value for name, value in counts.items() if name.startswith("status:"))
        assert by_status == pytest.approx(counts.get("logged_in", 0), abs=1)
        assert counts.get("idle", 0) <= counts.get("available", 0) + 1e-6
    assert answer.total["offered"] > 20
    assert answer.total["logged_in"] > DAYS


@pytest.mark.django_db
def test_a_company_without_sums_is_read_from_rows(alpha: Company) -> None:
    past = make_past(
        make_staff("alpha"), "alpha", seed=6, begin=BERLIN_FALLS_BACK, end=BERLIN_FALLS_BACK + DAYS
    )
    with company_scope("alpha"):
        answer = statistics.answer(whole(past), now=past.end)
    assert answer.source == "raw"
    assert_same(answer, past, past.end)


@pytest.mark.django_db
def test_a_status_set_back_in_time_is_counted_anew(one: Past) -> None:
    row = next(
        row for row in one.statuses if row.ended is not None and row.ended.timestamp() > one.begin + DAYS
    )
    row.ended = (
        row.ended - timedelta(hours=2) if row.ended - timedelta(hours=2) > row.started else row.started
    )
    row.save()
    now = one.end + HALF_HOUR
    assert_same(statistics.answer(whole(one, "hour"), now=now), one, now)
    rollups.build(now=now, seconds=60)
    answer = statistics.answer(whole(one, "hour"), now=now)
    assert_same(answer, one, now)
    assert answer.source == "rollup"


@pytest.mark.django_db
def test_what_became_of_a_lost_caller_is_counted_when_it_becomes_so(one: Past) -> None:
    now = one.end + HALF_HOUR
    open_ = [row for row in one.lost if row.state == "open"]
    assert open_
    for row in open_:
        row.state, row.in_time = "called_back", True
        row.save()
    assert statistics.answer(whole(one), now=now).total["lost_open"] == 0
    rollups.build(now=now, seconds=60)
    answer = statistics.answer(whole(one), now=now)
    assert answer.total["lost_open"] == 0
    assert_same(answer, one, now)


@pytest.mark.django_db
def test_another_time_zone_of_the_company_makes_other_days(one: Past, alpha: Company) -> None:
    now = one.end + HALF_HOUR
    alpha.time_zone = "Asia/Kathmandu"
    alpha.save()
    question = whole(one)
    for _look in range(2):
        for zone in ("Asia/Kathmandu", "Europe/Moscow"):
            asked = Question(Scope(), question.first, question.last, zone, "day")
            assert_same(statistics.answer(asked, now=now), one, now)
        assert rollups.build(now=now, seconds=60).days in (0, 3, 4)


@pytest.mark.django_db
def test_building_twice_leaves_the_same_sums(one: Past) -> None:
    now = one.end + HALF_HOUR
    before = statistics.answer(whole(one, "hour"), now=now)
    rollups.mark([(one.begin, one.end)])
    first = rollups.build(now=now, seconds=60)
    assert first.half_hours >= 96
    assert rollups.build(now=now, seconds=60) == (0, 0, False)
    assert statistics.answer(whole(one, "hour"), now=now).total == pytest.approx(before.total)


@pytest.mark.django_db
def test_what_only_some_figures_need_is_the_same_as_in_the_whole(one: Past) -> None:
    now = one.end + HALF_HOUR
    every = {key: metric for key, metric in METRICS.items() if not metric.live}
    for split in (None, "manager", "queue", "group"):
        question = replace(whole(one, "day"), split=split)
        full = statistics.answer(question, now=now).total
        for metric in every.values():
            some = statistics.answer(question, metrics=[metric], now=now)
            if {"company", split or "company"} <= metric.scopes:
                assert some.total.keys() >= metric.counts()
                assert metric.value(some.total) == pytest.approx(metric.value(full)), metric.key
            assert all(full[name] == pytest.approx(value) for name, value in some.total.items())


@pytest.mark.django_db
def test_fine_buckets_of_a_long_time_are_refused(alpha: Company) -> None:
    with company_scope("alpha"), pytest.raises(BadQuestion):
        statistics.answer(Question(Scope(), date(2020, 1, 1), date(2026, 1, 1), "UTC"))
    with company_scope("alpha"), pytest.raises(BadQuestion):
        statistics.answer(Question(Scope("group", "1; DROP"), date(2026, 1, 1), date(2026, 1, 1), "UTC"))


@pytest.mark.django_db
def test_a_late_fact_is_counted_at_once_and_built_again(one: Past) -> None:
    now = one.end + HALF_HOUR
    question = whole(one, "half_hour")
    before = statistics.answer(question, now=now)
    at = one.begin + 30_000.0
    call = CallFact(
        "1:late", "in", "+74951112233", "", LINES[0], at, None, at + 100, "abandoned", "customer", (), (),
        revision=at + 100,
    )  # fmt: skip
    visit = VisitFact(
        "late", "1:late", one.queues[0].pbx_name, at, at + 100, "abandoned", "", "", 100.0, 1, 20.0, 5.0
    )
    ingest.store("1", [call, visit])
    for _look in range(2):  # while it is stale, and once it is built
        after = statistics.answer(question, now=now)
        for name in ("offered", "abandoned", "calls_in", "calls_in_lost", "lost_calls"):
            assert after.total[name] == before.total[name] + 1, name
        assert after.total["wait_abandoned"] == pytest.approx(before.total["wait_abandoned"] + 100)
        rollups.build(now=now, seconds=60)
    assert rollups.build(now=now, seconds=60) == (0, 0, False)


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_builds_and_the_other_goes_on() -> None:
    company = Company.objects.get(schema_name="alpha")
    past = make_past(
        make_staff(company.slug), "alpha", seed=8, begin=BERLIN_FALLS_BACK, end=BERLIN_FALLS_BACK + DAYS
    )
    now = past.end + HALF_HOUR

    def build() -> tuple[int, int, bool]:
        try:
            with company_scope("alpha"):
                return rollups.build(now=now, seconds=60)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as workers:
        done = [work.result() for work in [workers.submit(build), workers.submit(build)]]
    with company_scope("alpha"):
        rollups.build(now=now, seconds=60)
        assert_same(statistics.answer(whole(past), now=now), past, now)
        twice = VisitSums.objects.values("grain", "at", "queue_id", "line", "groups").annotate(n=Count("pk"))
        assert not twice.filter(n__gt=1).exists()
    assert sum(half_hours for half_hours, _, _ in done) > 0
