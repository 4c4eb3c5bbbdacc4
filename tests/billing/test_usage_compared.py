"""What every plan would have cost for the months behind, and what new prices would have cost everybody."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Phase, Plan
from billing.selectors.compare import MonthCosts, preview, this_month, what_plans_cost
from billing.selectors.terms import BadTerms
from tenants.models import Company
from tests.factories import money

pytestmark = pytest.mark.django_db
TODAY = date(2026, 7, 20)
AT = money.moscow(2026, 6, 10)
DEAR = {"tiers": [{"up_to": 5, "price": "2000.00"}, {"up_to": 15, "price": "4000.00"}]}


def told(month: MonthCosts) -> dict[str, Decimal | None]:
    return {cost.plan.code: cost.amount for cost in month.costs}


def test_each_plan_is_priced_for_each_full_month_the_newest_first(alpha: Company, beta: Company) -> None:
    money.subscribe(alpha, starts_on=date(2026, 5, 1))
    money.at_once(alpha, 6, AT)
    money.at_once(beta, 30, AT)
    money.profile_on(alpha, AT, money.moscow(2026, 6, 11))
    june, may = what_plans_cost(alpha, months=6, today=TODAY)
    assert (june.period.start, may.period.start) == (date(2026, 6, 1), date(2026, 5, 1))
    assert told(june) == {"per_concurrency": Decimal("3000.00"), "per_profile": Decimal("1000.00")}
    assert told(may) == {"per_concurrency": Decimal("1500.00"), "per_profile": Decimal("1000.00")}
    assert (june.paid, june.issued, june.saves) == (Decimal("3000.00"), False, Decimal("2000.00"))
    assert june.cheapest is not None
    assert (june.cheapest.plan.code, june.cheapest.taken) == ("per_profile", False)
    assert [cost.plan.code for cost in june.costs if cost.taken] == ["per_concurrency"]


def test_the_plan_one_has_is_the_cheapest_when_nothing_is_cheaper(alpha: Company) -> None:
    money.subscribe(alpha, "per_profile", starts_on=date(2026, 6, 1))
    (june,) = what_plans_cost(alpha, months=1, today=TODAY)
    assert june.cheapest is not None
    assert (june.cheapest.plan.code, june.cheapest.taken, june.saves) == ("per_profile", True, Decimal(0))


def test_an_issued_month_costs_what_it_was_billed(alpha: Company) -> None:
    subscription = money.subscribe(alpha)
    money.issued_invoice(subscription, amount=Decimal("3000.00"))
    (june,) = what_plans_cost(alpha, months=1, today=TODAY)
    assert (june.paid, june.issued, told(june)["per_concurrency"]) == (
        Decimal("3000.00"), True, Decimal("3000.00"),
    )  # fmt: skip


def test_above_the_last_tier_the_other_plan_is_by_agreement(alpha: Company) -> None:
    money.subscribe(alpha, "per_profile")
    money.at_once(alpha, 41, AT)
    (june,) = what_plans_cost(alpha, months=1, today=TODAY)
    assert told(june) == {"per_concurrency": None, "per_profile": Decimal("1000.00")}
    assert june.cheapest is not None
    assert june.cheapest.plan.code == "per_profile"


def test_a_part_of_a_month_is_compared_with_the_same_part(alpha: Company) -> None:
    money.subscribe(alpha, starts_on=date(2026, 6, 11))
    money.at_once(alpha, 12, money.moscow(2026, 6, 12))
    (june,) = what_plans_cost(alpha, months=3, today=TODAY)
    assert june.served.start == date(2026, 6, 11)
    assert told(june) == {"per_concurrency": Decimal("2000.00"), "per_profile": Decimal("666.67")}


def test_a_plan_is_compared_by_the_prices_of_that_month_and_shown_only_if_on_offer(alpha: Company) -> None:
    money.subscribe(alpha, starts_on=date(2026, 6, 1))
    money.version("per_profile", date(2026, 7, 1), terms={"base": "10.00", "included": 3, "further": "1.00"})
    (june,) = what_plans_cost(alpha, months=1, today=TODAY)
    assert told(june)["per_profile"] == Decimal("1000.00")
    Plan.objects.filter(code="per_profile").update(on_offer=False)
    (june,) = what_plans_cost(alpha, months=1, today=TODAY)
    assert set(told(june)) == {"per_concurrency"}


def test_a_fee_paid_once_stands_beside_the_month(alpha: Company) -> None:
    money.subscribe(alpha, starts_on=date(2026, 6, 1))
    terms = {"base": "1000.00", "included": 3, "further": "250.00", "fee": "once"}
    money.version("per_profile", date(2026, 2, 1), terms=terms)
    (june,) = what_plans_cost(alpha, months=1, today=TODAY)
    cost = next(cost for cost in june.costs if cost.plan.code == "per_profile")
    assert (cost.amount, cost.connection) == (Decimal(0), Decimal("1000.00"))


def test_a_month_of_two_plans_is_compared_with_either_alone(alpha: Company) -> None:
    subscription = money.subscribe(alpha, "per_profile")
    Phase.objects.filter(subscription=subscription).update(ends_on=date(2026, 6, 16))
    money.phase(subscription, "per_concurrency", date(2026, 6, 16))
    (june,) = what_plans_cost(alpha, months=1, today=TODAY)
    assert june.paid == Decimal("1250.00")
    assert told(june) == {"per_concurrency": Decimal("1500.00"), "per_profile": Decimal("1000.00")}
    assert not any(cost.taken for cost in june.costs)


def test_a_company_without_any_subscription_sees_what_it_would_pay(alpha: Company, beta: Company) -> None:
    money.at_once(alpha, 6, AT)
    money.subscribe(beta)
    june, _may = what_plans_cost(alpha, months=2, today=TODAY)
    assert (june.paid, june.saves) == (None, Decimal(0))
    assert told(june)["per_concurrency"] == Decimal("3000.00")


def test_this_month_is_compared_by_what_was_measured_so_far(alpha: Company) -> None:
    subscription = money.subscribe(alpha)
    money.at_once(alpha, 6, AT)
    found = this_month(alpha, subscription, today=date(2026, 6, 20))
    assert found is not None
    assert (found.paid, found.saves) == (Decimal("3000.00"), Decimal("2000.00"))
    assert this_month(alpha, subscription, today=date(2025, 6, 20)) is None


def rows(terms: dict[str, Any], mode: str = "included") -> dict[str, tuple[Decimal | None, Decimal | None]]:
    found = preview(money.plan(), terms, mode, month=date(2026, 6, 1))
    return {row.company.slug: (row.before, row.after) for row in found}


def test_new_prices_are_previewed_for_those_who_have_the_plan(alpha: Company, beta: Company) -> None:
    money.subscribe(alpha)
    money.subscribe(beta, "per_profile")
    money.at_once(alpha, 6, AT)
    assert rows(DEAR) == {"alpha": (Decimal("3000.00"), Decimal("4000.00"))}
    assert rows(DEAR, "on_top") == {"alpha": (Decimal("3000.00"), Decimal("4880.00"))}
    money.at_once(alpha, 10, AT)
    assert rows(DEAR) == {"alpha": (Decimal("5000.00"), None)}, "above the new last tier"


def test_a_preview_replaces_only_the_days_of_that_plan(alpha: Company) -> None:
    subscription = money.subscribe(alpha, "per_profile")
    Phase.objects.filter(subscription=subscription).update(ends_on=date(2026, 6, 16))
    money.phase(subscription, "per_concurrency", date(2026, 6, 16))
    assert rows(DEAR) == {"alpha": (Decimal("1250.00"), Decimal("1500.00"))}


def test_prices_that_make_no_tariff_have_no_preview(alpha: Company) -> None:
    money.subscribe(alpha)
    with pytest.raises(BadTerms, match="price"):
        rows({"tiers": [{"up_to": 5}]})
