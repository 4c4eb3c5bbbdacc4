"""The sweep inside PostgreSQL gives what billing's pure sweep over the same calls gives, to the microsecond."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from billing.domain.concurrency import peak
from billing.domain.metering import CallTimes, Facts, Measure
from billing.domain.periods import month_of
from billing.selectors.meter import CompanyMeter
from monitoring import facade
from monitoring.models import Call, Leg
from tenants.models import Company
from tenants.scope import UnknownCompany, company_scope, current_company_or_none
from tests.factories import money

pytestmark = pytest.mark.django_db
BEGIN, END = datetime(2026, 6, 1, 9, tzinfo=UTC), datetime(2026, 6, 1, 9, 0, 40, tzinfo=UTC)
SECOND, MICRO, DAY = timedelta(seconds=1), timedelta(microseconds=1), timedelta(days=1)
Spans = list[list[float | None]]


def some_moment(dice: Random) -> float:
    """On a grid as a rule, so that ends meet starts; by a microsecond beside it; or what no clock would say."""
    at = (BEGIN + SECOND * dice.randint(-10, 50)).timestamp()
    return dice.choice((at, at, at, at + 0.000001, at + dice.random(), at + 1 / 128))


def some_spans(dice: Random, most: int) -> Spans:
    found: Spans = []
    for _ in range(dice.randint(0, most)):
        since = some_moment(dice)
        until = dice.choice((since, since + 5, since + 5, since + 0.000001, some_moment(dice), None))
        found.append([since, until])
    return found


def some_calls(dice: Random, company: str, count: int) -> None:
    """A heap of calls as ugly as they come, in the company's own tables instead of what was there."""
    with company_scope(company):
        Leg.objects.all().delete()
        Call.objects.all().delete()
        calls, legs = [], []
        for number in range(count):
            before = dice.choice((0, 0, 0, 60, 6 * 86_400, 8 * 86_400))
            started = BEGIN - SECOND * (before + 30)
            ended = dice.choice((None, END + DAY, BEGIN + SECOND * dice.randint(-20, 60)))
            merged = dice.random() < 0.1
            call = Call(
                key=f"1:{'жx'[number % 2]}{dice.randint(0, 10**6)}-{number}", pbx="1", number="7", name="", line="8",
                direction=dice.choice(("in", "in", "out", "internal")), started=started, ended=ended, revision=0.0,
                disposition="merged" if merged else "answered" if ended else "open", hung_up_by="",
                merged_into="1:other" if merged else "",
            )  # fmt: skip
            calls.append(call)
            for place in range(dice.randint(0, 3)):
                name = f"{company}_{dice.randint(101, 104)}"
                legs.append(
                    Leg(
                        call=call, uniqueid=f"{number}-{place}", manager_name=name, queue_name="", rang=started,
                        ended=dice.choice((None, ended, BEGIN + SECOND * dice.randint(-20, 60))), outcome="answered",
                        available=True, talk=some_spans(dice, 2), hold=some_spans(dice, 2), talk_seconds=0,
                        hold_seconds=0,
                    )
                )  # fmt: skip
        Call.objects.bulk_create(calls)
        Leg.objects.bulk_create(legs)


def told(company: str, begin: datetime, end: datetime, *, internal: bool) -> list[CallTimes]:
    found = [
        CallTimes(call.key, call.intervals, call.kind) for call in facade.handled_calls(company, begin, end)
    ]
    return [call for call in found if internal or call.kind == "handled"]


@pytest.mark.parametrize("seed", range(4))
def test_sql_and_python_sweep_alike(alpha: Company, beta: Company, seed: int) -> None:
    dice, seen = Random(seed), 0
    for _round in range(25):
        for company in ("alpha", "beta"):
            some_calls(dice, company, dice.choice((1, 3, 12, 40)))
        for company in ("alpha", "beta"):
            internal = dice.random() < 0.5
            begin = BEGIN + dice.choice((0, 5)) * SECOND + dice.choice((0, 1)) * MICRO
            end = END - dice.choice((0, 7)) * SECOND
            calls = told(company, begin, end, internal=internal)
            expected = peak([(call.key, call.intervals) for call in calls], begin, end)
            found = facade.busiest(company, begin, end, internal=internal)
            assert (found.count, found.at, found.keys) == (expected.count, expected.at, expected.keys)
            seen = max(seen, found.count)
            parts = facade.busy_over_time(company, begin, end, parts=13, internal=internal)
            ends = [part.begin for part in parts[1:]] + [end]
            assert [part.most for part in parts] == [
                peak([(call.key, call.intervals) for call in calls], part.begin, until).count
                for part, until in zip(parts, ends, strict=True)
            ]
            assert max(part.most for part in parts) == found.count
    assert seen > 10, "the dice made a crowd"


def test_a_month_is_measured_alike_by_facts_and_by_sql(alpha: Company, beta: Company) -> None:
    june = month_of(date(2026, 6, 1), "Europe/Moscow")
    money.at_once(alpha, 5, money.moscow(2026, 6, 30, 23, 59))
    money.handled(alpha, (money.moscow(2026, 6, 30, 23, 50), money.moscow(2026, 7, 1, 0, 10)))
    money.handled(
        alpha,
        (money.moscow(2026, 6, 10), money.moscow(2026, 6, 10, 13)),
        (money.moscow(2026, 6, 10, 12, 30), money.moscow(2026, 6, 10, 14)),
        managers=("alpha_101", "alpha_102"),
    )
    money.handled(
        alpha, (money.moscow(2026, 6, 3), money.moscow(2026, 6, 3, 13)), direction="internal",
        managers=("alpha_999",),
    )  # fmt: skip
    money.at_once(beta, 9, money.moscow(2026, 6, 30, 23, 59))
    meter, calls = CompanyMeter("alpha"), told("alpha", june.begin, june.until, internal=True)
    for internal in (False, True):
        expected = Facts(calls=calls).measure(Measure.CALLS, june, internal=internal)
        assert meter.measure(Measure.CALLS, june, internal=internal) == expected
        assert expected.quantity == 6
    managers = meter.measure(Measure.MANAGERS, june)
    assert (managers.quantity, managers.keys) == (2, ("alpha_101", "alpha_102"))
    assert meter.measure(Measure.MANAGERS, june, internal=True).keys == (
        "alpha_101", "alpha_102", "alpha_999",
    )  # fmt: skip
    assert CompanyMeter("beta").measure(Measure.CALLS, june).quantity == 9


def test_a_sixth_call_that_overlaps_by_a_microsecond_is_seen(alpha: Company) -> None:
    at = money.moscow(2026, 6, 10)
    for _ in range(5):
        money.handled(alpha, (at, at + 60 * SECOND))
    money.handled(alpha, (at + 60 * SECOND, at + 90 * SECOND))
    assert facade.busiest("alpha", at, at + DAY).count == 5, "an end comes before a start"
    key = money.handled(alpha, (at + 60 * SECOND - MICRO, at + 60 * SECOND))
    found = facade.busiest("alpha", at, at + DAY)
    assert (found.count, found.at) == (6, at + 60 * SECOND - MICRO)
    assert key in found.keys


def test_at_most_five_hundred_calls_of_a_peak_are_named_and_all_are_counted(alpha: Company) -> None:
    with company_scope("alpha"):
        fields = {
            "pbx": "1", "number": "7", "name": "", "line": "8", "direction": "in", "started": BEGIN,
            "ended": END, "revision": 0.0, "disposition": "answered", "hung_up_by": "",
        }  # fmt: skip
        calls = Call.objects.bulk_create(Call(key=f"1:{n:04}", **fields) for n in range(520))
        Leg.objects.bulk_create(
            Leg(
                call=call, uniqueid="u", manager_name="alpha_101", queue_name="", rang=BEGIN, ended=END,
                outcome="answered", available=True, talk=[[BEGIN.timestamp(), END.timestamp()]], hold=[],
                talk_seconds=40, hold_seconds=0,
            )
            for call in calls
        )  # fmt: skip
    found = facade.busiest("alpha", BEGIN, END)
    assert (found.count, found.keys) == (520, tuple(f"1:{n:04}" for n in range(500)))


def test_profiles_are_counted_by_the_three_measures(alpha: Company, beta: Company) -> None:
    june = month_of(date(2026, 6, 1), "Europe/Moscow")
    one = money.profile_on(alpha, money.moscow(2026, 5, 1), money.moscow(2026, 6, 10))
    two = money.profile_on(alpha, money.moscow(2026, 6, 10))
    money.profile_on(alpha, money.moscow(2026, 7, 1, 0))
    for _ in range(3):
        money.profile_on(beta, money.moscow(2026, 6, 10))
    meter = CompanyMeter("alpha")
    most = meter.measure(Measure.PROFILES, june)
    assert (most.quantity, most.keys, most.at) == (1, (str(one),), june.begin)
    assert meter.measure(Measure.PROFILES_DISTINCT, june).keys == tuple(sorted((str(one), str(two))))
    assert meter.measure(Measure.PROFILE_DAYS, june).by_day == (1,) * 30
    assert CompanyMeter("beta").measure(Measure.PROFILES, june).quantity == 3


def test_a_manager_is_one_person_whatever_the_name_was_then(alpha: Company) -> None:
    from tests.factories.staff import make_staff

    staff = make_staff("alpha")
    at = money.moscow(2026, 6, 10)
    keys = [money.handled(alpha, (at, at + 60 * SECOND), managers=(name,)) for name in ("old", "alpha_101")]
    money.handled(alpha, (at, at + 60 * SECOND), managers=("alpha_102",))
    with company_scope("alpha"):
        Leg.objects.filter(call__key__in=keys).update(manager=staff.anna)
        Leg.objects.filter(manager_name="alpha_102").update(manager=staff.boris)
    assert facade.handling_managers("alpha", at, at + DAY) == ("alpha_101", "alpha_102")
    with company_scope("alpha"):
        staff.boris.archived_at = at
        staff.boris.pbx_name = "alpha_101"
        staff.boris.save()
    assert len(facade.handling_managers("alpha", at, at + DAY)) == 2, "a name handed on is two people"


def test_the_facade_answers_for_one_company_and_leaves_no_scope_open(alpha: Company, beta: Company) -> None:
    at = money.moscow(2026, 6, 10)
    key = money.handled(beta, (at, at + 60 * SECOND), customer="79031112233")
    assert facade.busiest("alpha", at, at + DAY).count == 0
    assert facade.busiest("beta", at, at).count == 0, "an empty window"
    assert facade.calls_by_key("alpha", [key]) == []
    (shown,) = facade.calls_by_key("beta", [key])
    assert (shown.key, shown.customer, shown.managers, shown.line) == (
        key, "79031112233", ("beta_101",), "78005553535",
    )  # fmt: skip
    assert current_company_or_none() is None
    with company_scope("alpha"):
        assert facade.busiest("alpha", at, at + DAY).keys == ()
        assert current_company_or_none() == "alpha"
    for ask in (
        lambda: facade.busiest("gamma", at, at + DAY),
        lambda: facade.calls_mark("gamma", at, at + DAY, now=at),
    ):
        with pytest.raises(UnknownCompany):
            ask()
    with pytest.raises(ValueError, match="parts"):
        facade.busy_over_time("alpha", at, at + DAY, parts=0)


def test_calls_handled_now_are_those_somebody_talks_in(alpha: Company, beta: Company) -> None:
    at = money.moscow(2026, 6, 10)
    money.handled(alpha, (at, None))
    money.handled(alpha, (at, None), direction="internal")
    money.handled(alpha, (at, at + SECOND))
    money.handled(alpha, (at, at + SECOND), ended=False)  # in a queue again
    money.handled(beta, (at, None))
    money.handled(beta, (at, None))
    now = at + 60 * SECOND
    assert facade.handled_now("alpha", now=now) == 1
    assert facade.handled_now("alpha", now=now, internal=True) == 2
    assert facade.handled_now("beta", now=now) == 2
    assert facade.handled_now("beta", now=now + 8 * DAY) == 0, "no call lasts so long"
