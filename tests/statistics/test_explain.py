"""A figure is what is listed behind it: for every metric, scope, split and bucket, and nothing goes missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.domain.explanation import Entry, Explanation
from monitoring.domain.intervals import local_day
from monitoring.domain.metrics import METRICS
from monitoring.domain.statistics import BadQuestion, Hours, Question, Scope
from monitoring.models import AuditEntry
from monitoring.selectors import statistics
from monitoring.selectors.explain import REASONS, WORDS, explain
from monitoring.services import rollups
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.staff import make_staff
from tests.statistics.test_rollups import BERLIN_FALLS_BACK, DAYS, questions
from tests.statistics.world import Past, make_past, moment


@pytest.fixture
def past(alpha: Company, beta: Company) -> Iterator[Past]:
    make_past(make_staff("beta"), "beta", seed=9, begin=BERLIN_FALLS_BACK, end=BERLIN_FALLS_BACK + 2 * DAYS)
    made = make_past(
        make_staff("alpha"),
        "alpha",
        seed=4,
        begin=BERLIN_FALLS_BACK,
        end=BERLIN_FALLS_BACK + 3 * DAYS,
        calls=120,
    )
    with company_scope("alpha"):
        rollups.build(now=made.end + 3600, seconds=60)
        yield made


def week(past: Past, **more: Any) -> Question:
    first = local_day(past.begin, "Europe/Moscow") - timedelta(days=1)
    return replace(Question(Scope(), first, first + timedelta(days=6), "Europe/Moscow"), **more)


def pages(question: Question, metric: str, **more: Any) -> Iterator[Entry]:
    after = None
    while True:
        page = explain(question, metric, after=after, limit=40, **more)
        yield from page.entries
        after = page.after
        if after is None:
            return


def total(terms: Any) -> float:
    return sum(term.sign * term.value for term in terms)


def assert_listed(told: Explanation, entries: list[Entry]) -> None:
    assert told.complete
    assert len(entries) == told.counted == len({(entry.kind, entry.id, entry.at) for entry in entries})
    assert sum(entry.top for entry in entries) == pytest.approx(total(told.numerator), abs=1e-3)
    assert sum(entry.bottom for entry in entries) == pytest.approx(total(told.denominator), abs=1e-3)


PAST_METRICS = sorted(key for key, metric in METRICS.items() if not metric.live)


@pytest.mark.django_db
def test_what_is_listed_adds_up_to_the_figure(past: Past) -> None:
    now = past.end + 3600

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        question = data.draw(questions(past))
        metric = data.draw(st.sampled_from(PAST_METRICS))
        answer = statistics.answer(question, now=now)
        cells = [(row.at, row.key) for row in answer.rows] or [(None, "")]
        at, key = data.draw(st.sampled_from([*cells, (None, "")]))
        if not {question.scope.kind, question.split or "company"} <= METRICS[metric].scopes:
            with pytest.raises(BadQuestion):
                explain(question, metric, at=at, key=key, now=now)
            return
        told = explain(question, metric, at=at, key=key, now=now)
        assert_listed(told, list(pages(question, metric, at=at, key=key, now=now)))
        row = next((row for row in answer.rows if (row.at, row.key) == (at, key)), None)
        counts = row.counts if row is not None else answer.total
        expected = METRICS[metric].value(counts)
        assert told.value == (None if expected is None else pytest.approx(expected, abs=1e-6))

    check()


@pytest.mark.django_db
def test_every_figure_has_words_for_its_parts_and_for_what_it_leaves_out(past: Past) -> None:
    now, listed = past.end + 3600, set[str]()
    for metric in PAST_METRICS:
        told = explain(week(past), metric, now=now)
        assert all(term.key in WORDS and term.words for term in (*told.numerator, *told.denominator))
        assert all(left.reason in REASONS and left.words and left.entries > 0 for left in told.left_out)
        for left in told.left_out:
            if left.reason not in listed:
                listed.add(left.reason)
                entries = list(pages(week(past), metric, reason=left.reason, now=now))
                assert len(entries) == left.entries
                assert not any(entry.top or entry.bottom for entry in entries)
    assert len(listed) > 15


@pytest.mark.django_db
def test_every_visit_of_the_period_is_either_in_or_left_out(past: Past) -> None:
    told = explain(week(past), "service_level", now=past.end)
    assert told.counted + sum(left.entries for left in told.left_out) == len(past.visits)
    reasons = {left.reason for left in told.left_out}
    assert {"short", "interrupted", "open", "flow_out"} <= reasons


@pytest.mark.django_db
def test_pages_follow_each_other_without_a_gap(past: Past) -> None:
    whole = explain(week(past), "offered", now=past.end, limit=200)
    after, met = None, list[Entry]()
    while True:
        page = explain(week(past), "offered", now=past.end, after=after, limit=5)
        met += page.entries
        after = page.after
        if after is None:
            break
        assert len(page.entries) == 5
    assert met == list(whole.entries)
    assert len(met) == whole.counted > 20


@pytest.mark.django_db
def test_what_the_hours_leave_out_is_told(past: Past) -> None:
    told = explain(week(past, hours=Hours(begin=540, end=1080)), "offered", now=past.end)
    outside = next(left for left in told.left_out if left.reason == "outside")
    everything = explain(week(past), "offered", now=past.end)
    assert told.counted < everything.counted
    assert outside.entries >= everything.counted - told.counted


@pytest.mark.django_db
@pytest.mark.parametrize("metric", ["available_share", "offered", "handled", "lost_calls", "calls_in"])
def test_weekdays_that_the_period_does_not_have_leave_nothing_in(past: Past, metric: str) -> None:
    day = local_day(past.begin, "UTC")
    question = Question(Scope(), day, day, "UTC", hours=Hours(frozenset({day.isoweekday() % 7 + 1})))
    told = explain(question, metric, now=past.end)
    assert (told.value or 0, told.counted, told.entries) == (0, 0, ())


@pytest.mark.django_db
def test_who_listened_is_told_among_those_left_out(past: Past) -> None:
    call = next(call for call in past.calls if call.ended is not None)
    AuditEntry.objects.create(
        key="listen:x", at=moment(past.begin + 60), who=past.managers[0].pbx_name, verb="listen", kind="call",
        what=call.key, outcome="done", details={},
    )  # fmt: skip
    [entry] = pages(week(past), "handled", reason="spying", now=past.end)
    assert (entry.kind, entry.call, entry.manager) == ("listen", call.pk, past.managers[0].title)
    before = explain(week(past), "handled", now=past.end)
    assert before.complete


@pytest.mark.django_db
def test_a_figure_whose_rows_are_deleted_says_so(past: Past) -> None:
    from monitoring.models import QueueVisit

    QueueVisit.objects.filter(outcome="answered").delete()
    told = explain(week(past), "answered", now=past.end + 3600)
    assert told.value
    assert told.counted == 0
    assert not told.complete


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("metric", "more"),
    [
        ("nonsense", {}),
        ("waiting", {}),
        ("status:999999", {}),
        ("status:1;2", {}),
        ("offered", {"after": "x"}),
        ("offered", {"after": "999999999999999999999:1"}),
        ("offered", {"at": 12.5}),
    ],
)
def test_nonsense_is_refused(past: Past, metric: str, more: dict[str, Any]) -> None:
    with pytest.raises(BadQuestion):
        explain(week(past), metric, now=past.end, **more)
