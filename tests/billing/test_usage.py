"""What a company has used of its plan today, and what its month will cost, by the same rules as the invoice."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django.fixtures import DjangoAssertNumQueries

from billing.domain.metering import Measure, Measured
from billing.domain.periods import Period, month_of
from billing.domain.rating import State
from billing.models import Phase
from billing.selectors.meter import CompanyMeter, RecordedMeter, ShownMeter
from billing.selectors.usage import forecast, level_of, usage_today
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories import money

pytestmark = pytest.mark.django_db
NOW = money.moscow(2026, 6, 20)
TODAY = date(2026, 6, 20)
AT = money.moscow(2026, 6, 10)
JUNE = month_of(TODAY, "Europe/Moscow")


def test_usage_says_the_peak_its_moment_its_calls_and_its_tier(alpha: Company, beta: Company) -> None:
    money.subscribe(alpha)
    money.subscribe(beta)
    keys = money.at_once(alpha, 6, AT)
    money.at_once(beta, 16, AT)
    money.handled(alpha, (money.moscow(2026, 5, 31), money.moscow(2026, 5, 31, 13)))
    found = usage_today(alpha, now=NOW)
    assert found is not None
    assert (found.plan.code, found.measure, found.quantity, found.at) == (
        "per_concurrency", Measure.CALLS, 6, AT,
    )  # fmt: skip
    assert found.keys == tuple(sorted(keys))
    assert (found.bounds, found.bound, found.price) == ((6, 15), 15, Decimal("3000.00"))
    assert (found.share, found.level) == (6 / 15, None)
    other = usage_today(beta, now=NOW)
    assert other is not None
    assert (other.quantity, other.price) == (16, Decimal("5000.00"))


@pytest.mark.parametrize(
    ("calls", "bound", "level", "price"),
    [
        (0, 5, None, "1500.00"), (3, 5, None, "1500.00"), (4, 5, 80, "1500.00"), (5, 5, 100, "1500.00"),
        (11, 15, None, "3000.00"), (12, 15, 80, "3000.00"), (40, 40, 100, "5000.00"), (41, 40, 100, None),
    ],
)  # fmt: skip
def test_eighty_and_a_hundred_per_cent_of_the_tier(
    alpha: Company, calls: int, bound: int, level: int | None, price: str | None
) -> None:
    money.subscribe(alpha)
    money.at_once(alpha, calls, AT)
    found = usage_today(alpha, now=NOW)
    assert found is not None
    assert (found.bound, found.level) == (bound, level)
    assert found.price == (Decimal(price) if price else None)


def test_above_the_last_tier_an_agreed_price_has_no_bound(alpha: Company) -> None:
    money.subscribe(alpha, agreed=Decimal("9000.00"))
    money.at_once(alpha, 41, AT)
    found = usage_today(alpha, now=NOW)
    assert found is not None
    assert (found.bound, found.share, found.level, found.price) == (None, None, None, Decimal("9000.00"))
    bill = forecast(alpha, today=TODAY)
    assert bill is not None
    assert bill.total == Decimal("9000.00")


def test_profiles_are_used_up_by_the_included_ones(alpha: Company, beta: Company) -> None:
    money.subscribe(alpha, "per_profile")
    money.subscribe(beta, "per_profile")
    for _ in range(4):
        money.profile_on(alpha, AT)
    money.profile_on(beta, AT)
    found, other = usage_today(alpha, now=NOW), usage_today(beta, now=NOW)
    assert found is not None
    assert other is not None
    assert (found.quantity, found.bound, found.level, found.price) == (4, 3, 100, Decimal("1250.00"))
    assert found.share == pytest.approx(4 / 3)
    assert (other.quantity, other.level, other.price) == (1, None, Decimal("1000.00"))


def test_without_a_subscription_today_there_is_no_usage(alpha: Company, beta: Company) -> None:
    money.subscribe(alpha, starts_on=date(2026, 6, 21))
    money.subscribe(beta, ends_on=date(2026, 6, 20))
    assert usage_today(alpha, now=NOW) is None
    assert usage_today(beta, now=NOW) is None
    assert forecast(alpha, today=TODAY) is None


def test_today_is_the_subscriptions_own_day(alpha: Company, beta: Company) -> None:
    """At 20:00 UTC on 30 June it is July in Vladivostok and June in Moscow."""
    money.subscribe(alpha, zone="Asia/Vladivostok", starts_on=date(2026, 7, 1))
    money.subscribe(beta, starts_on=date(2026, 7, 1))
    now = money.moscow(2026, 6, 30, 23)
    found = usage_today(alpha, now=now)
    assert found is not None
    assert found.part.start == date(2026, 7, 1)
    assert usage_today(beta, now=now) is None


def test_after_a_change_of_plan_only_its_own_days_count(alpha: Company) -> None:
    subscription = money.subscribe(alpha, "per_profile")
    Phase.objects.filter(subscription=subscription).update(ends_on=date(2026, 6, 16))
    money.phase(subscription, "per_concurrency", date(2026, 6, 16))
    money.at_once(alpha, 6, AT)
    money.at_once(alpha, 2, money.moscow(2026, 6, 18))
    found = usage_today(alpha, now=NOW)
    assert found is not None
    assert (found.part.start, found.quantity, found.price) == (date(2026, 6, 16), 2, Decimal("1500.00"))
    bill = forecast(alpha, today=TODAY)
    assert bill is not None
    assert bill.total == Decimal("500.00") + Decimal("750.00")


def test_a_forecast_is_the_invoice_if_nothing_changes(alpha: Company, beta: Company) -> None:
    money.subscribe(alpha)
    money.subscribe(beta)
    money.at_once(alpha, 6, AT)
    money.at_once(beta, 41, AT)
    bill, unpriced = forecast(alpha, today=TODAY), forecast(beta, today=TODAY)
    assert bill is not None
    assert unpriced is not None
    assert (bill.total, bill.vat) == (Decimal("3000.00"), Decimal("540.98"))
    assert (unpriced.total, unpriced.state) == (None, State.NEEDS_APPROVAL)


def test_days_to_come_under_another_plan_are_forecast_as_busy_as_the_month(alpha: Company) -> None:
    subscription = money.subscribe(alpha, "per_profile")
    Phase.objects.filter(subscription=subscription).update(ends_on=date(2026, 6, 21))
    money.phase(subscription, "per_concurrency", date(2026, 6, 21))
    money.at_once(alpha, 6, AT)
    bill = forecast(alpha, today=TODAY)
    assert bill is not None
    assert [line.money.amount for line in bill.lines if line.money] == [Decimal("666.67"), Decimal("1000.00")]


def test_a_page_shows_a_sweep_again_for_a_while_and_an_invoice_never_does(
    alpha: Company, beta: Company, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BILLING_USAGE_SECONDS = 30
    cache.clear()
    swept: list[str] = []
    measure = CompanyMeter.measure

    def counted(self: CompanyMeter, what: Measure, part: Period, *, internal: bool = False) -> Measured:
        swept.append(self.company)
        return measure(self, what, part, internal=internal)

    monkeypatch.setattr(CompanyMeter, "measure", counted)
    try:
        first = ShownMeter("alpha").measure(Measure.CALLS, JUNE)
        money.at_once(alpha, 2, AT)
        with company_scope("alpha"):
            assert ShownMeter("alpha").measure(Measure.CALLS, JUNE) == first
        assert ShownMeter("beta").measure(Measure.CALLS, JUNE).quantity == 0
        assert ShownMeter("alpha").measure(Measure.CALLS, JUNE, internal=True).quantity == 2
        assert swept == ["alpha", "beta", "alpha"]
        assert ShownMeter("alpha", fresh=0).measure(Measure.CALLS, JUNE).quantity == 2
        assert ShownMeter("alpha").measure(Measure.CALLS, JUNE).quantity == 2
        assert CompanyMeter("alpha").measure(Measure.CALLS, JUNE).quantity == 2
        assert swept.count("alpha") == 4
        money.profile_on(alpha, AT)
        assert ShownMeter("alpha").measure(Measure.PROFILES, JUNE).quantity == 1, "cheap: never kept"
    finally:
        cache.clear()


def test_a_cache_that_is_away_costs_a_sweep_and_not_the_page(
    alpha: Company, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BILLING_USAGE_SECONDS = 30
    money.subscribe(alpha)
    money.at_once(alpha, 6, AT)

    def away(*_args: object, **_kwargs: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("billing.selectors.meter.cache.get", away)
    monkeypatch.setattr("billing.selectors.meter.cache.set", away)
    found = usage_today(alpha, now=NOW)
    assert found is not None
    assert found.quantity == 6


def test_usage_takes_a_handful_of_queries_whatever_the_calls(
    alpha: Company, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    money.subscribe(alpha)
    money.at_once(alpha, 30, AT)
    usage_today(alpha, now=NOW)
    with django_assert_max_num_queries(10):
        usage_today(alpha, now=NOW)


def test_a_level_of_nothing_is_none() -> None:
    assert (level_of(7, 0), level_of(7, None), level_of(79, 100), level_of(80, 100)) == (None, None, None, 80)
    assert (level_of(100, 100), level_of(101, 100)) == (100, 100)


class Refusing:
    """A meter that must not be asked."""

    def measure(self, what: Measure, part: Period, *, internal: bool = False) -> Measured:
        raise AssertionError(f"{what} of {part} was measured again.")


def record(begin: Any, until: Any, quantity: int, measure: str = "calls") -> Any:
    from billing.models import UsageRecord

    return UsageRecord(measure=measure, begin=begin, until=until, quantity=quantity, at=begin, keys=["k"])


def test_what_was_billed_is_not_swept_again() -> None:
    half = money.moscow(2026, 6, 16, 0)
    records = [record(JUNE.begin, half, 7), record(half, JUNE.until, 9)]
    meter = RecordedMeter(records, internal=False, then=Refusing())
    assert meter.measure(Measure.CALLS, JUNE) == Measured(Measure.CALLS, 9, half, ("k",))
    second = Period(date(2026, 6, 16), date(2026, 7, 1), JUNE.zone)
    assert meter.measure(Measure.CALLS, second).quantity == 9
    first = Period(date(2026, 6, 1), date(2026, 6, 16), JUNE.zone)
    assert meter.measure(Measure.CALLS, first).quantity == 7


@pytest.mark.parametrize(
    "asked",
    [
        {"what": Measure.CALLS, "internal": True},
        {"what": Measure.MANAGERS},
        {"what": Measure.PROFILES},
        {"what": Measure.CALLS, "part": Period(date(2026, 6, 2), date(2026, 7, 1), JUNE.zone)},
        {"what": Measure.CALLS, "part": Period(date(2026, 6, 1), date(2026, 8, 1), JUNE.zone)},
    ],
)
def test_what_no_record_answers_is_measured(asked: dict[str, Any]) -> None:
    gap = money.moscow(2026, 6, 16, 0) + timedelta(seconds=1)
    whole = [record(JUNE.begin, JUNE.until, 7)]
    torn = [record(JUNE.begin, money.moscow(2026, 6, 16, 0), 7), record(gap, JUNE.until, 9)]
    question = {"part": JUNE, "internal": False, **asked}
    with pytest.raises(AssertionError, match="measured again"):
        RecordedMeter(whole, internal=False, then=Refusing()).measure(**question)
    with pytest.raises(AssertionError, match="measured again"):
        RecordedMeter(torn, internal=False, then=Refusing()).measure(Measure.CALLS, JUNE)
