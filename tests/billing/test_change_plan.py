"""Taking, changing and ending a plan: up from the next midnight, down from the next month, never under an invoice."""

from __future__ import annotations

import threading
from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db import connection

from billing.models import Act, Phase, Plan, Seller, Subscription
from billing.services import subscriptions
from billing.services.acts import Who
from billing.services.errors import BadTerms, BillingError, NotNow, NotThere
from billing.services.offers import offers
from billing.services.subscriptions import offer
from tenants.models import Company
from tests.factories.money import (
    at_once,
    issued_invoice,
    moscow,
    plan,
    profile_on,
    seller,
    subscribe,
    version,
)

pytestmark = pytest.mark.django_db

ADMIN = Who("Админ", "company")
STAFF = Who("Сотрудник", "platform")
NOON = moscow(2026, 6, 16)


def days(company: Company) -> list[tuple[str, str, str | None]]:
    rows = Phase.objects.filter(subscription__company=company).order_by("starts_on")
    return [
        (row.version.plan.code, row.starts_on.isoformat(), row.ends_on.isoformat() if row.ends_on else None)
        for row in rows
    ]


def acts(company: Company) -> list[tuple[str, str]]:
    return [(act.verb, act.who) for act in Act.objects.filter(company=company).order_by("pk")]


def change(company: Company, code: str, now: datetime = NOON, shown: date | None = None) -> Phase:
    return subscriptions.change_plan(who=ADMIN, company=company, plan=plan(code), now=now, shown=shown)


def profiles_three(company: Company) -> None:
    for _ in range(3):
        profile_on(company, moscow(2026, 3, 1))


# ---------------------------------------------------------------- the first one


def test_the_first_plan_starts_today_in_the_companys_own_zone_which_is_frozen(
    alpha: Company, beta: Company
) -> None:
    seller()
    Company.objects.filter(pk=alpha.pk).update(time_zone="Asia/Vladivostok")
    alpha.refresh_from_db()
    late = moscow(2026, 6, 16, 20)  # it is the 17th in Vladivostok
    offered = offer(alpha, plan("per_profile"), now=late)
    assert (offered.starts_on, offered.present, offered.taken) == (date(2026, 6, 17), None, False)
    made = subscriptions.open_subscription(
        who=ADMIN, company=alpha, plan=plan("per_profile"), starts_on=offered.starts_on
    )
    Company.objects.filter(pk=alpha.pk).update(time_zone="Europe/Moscow")
    made.refresh_from_db()
    assert (made.time_zone, made.starts_on, made.ends_on) == ("Asia/Vladivostok", date(2026, 6, 17), None)
    assert days(alpha) == [("per_profile", "2026-06-17", None)]
    assert acts(alpha) == [("subscription.open", "Админ")]
    assert not Subscription.objects.filter(company=beta).exists()


def test_asking_twice_is_one_and_another_plan_is_a_change_not_a_beginning(alpha: Company) -> None:
    seller()
    ask = {"who": ADMIN, "company": alpha, "starts_on": date(2026, 6, 16)}
    first = subscriptions.open_subscription(plan=plan("per_profile"), **ask)  # type: ignore[arg-type]
    assert subscriptions.open_subscription(plan=plan("per_profile"), **ask) == first  # type: ignore[arg-type]
    with pytest.raises(NotNow):
        subscriptions.open_subscription(plan=plan("per_concurrency"), **ask)  # type: ignore[arg-type]
    assert days(alpha) == [("per_profile", "2026-06-16", None)]
    assert len(acts(alpha)) == 1


def test_without_a_seller_or_a_price_nobody_gets_a_plan(alpha: Company) -> None:
    assert not Seller.objects.exists()
    with pytest.raises(NotNow):
        subscriptions.open_subscription(
            who=ADMIN, company=alpha, plan=plan("per_profile"), starts_on=date(2026, 6, 16)
        )
    seller()
    bare = Plan.objects.create(code="bare", model="per_profile", name_ru="Без цен", name_en="Bare")
    with pytest.raises(NotThere):
        subscriptions.open_subscription(who=ADMIN, company=alpha, plan=bare, starts_on=date(2026, 6, 16))
    assert bare not in [one.plan for one in offers(alpha, now=NOON)]
    assert not Subscription.objects.exists()


def test_a_plan_not_on_offer_is_for_the_staff_to_give(alpha: Company) -> None:
    seller()
    Plan.objects.filter(code="per_profile").update(on_offer=False)
    kept = plan("per_profile")
    with pytest.raises(NotThere):
        subscriptions.open_subscription(who=ADMIN, company=alpha, plan=kept, starts_on=date(2026, 6, 16))
    assert kept not in [one.plan for one in offers(alpha, now=NOON)]
    subscriptions.open_subscription(who=STAFF, company=alpha, plan=kept, starts_on=date(2026, 6, 16))
    assert kept in [one.plan for one in offers(alpha, now=NOON)], "its holder sees it"
    with pytest.raises(NotThere):
        change(alpha, "per_profile")


# ---------------------------------------------------------------- up and down


def test_up_begins_at_the_next_local_midnight(alpha: Company, beta: Company) -> None:
    for company in (alpha, beta):
        subscribe(company, "per_profile")
    offered = offer(alpha, plan("per_concurrency"), now=NOON)
    assert (offered.upgrade, offered.starts_on) == (True, date(2026, 6, 17))
    assert (offered.price, offered.difference) == (Decimal("1500.00"), Decimal("500.00"))
    assert offered.present is not None
    assert offered.present.total == Decimal("1000.00")
    change(alpha, "per_concurrency", shown=date(2026, 6, 17))
    assert days(alpha) == [
        ("per_profile", "2026-01-01", "2026-06-17"),
        ("per_concurrency", "2026-06-17", None),
    ]
    assert acts(alpha) == [("plan.change", "Админ")]
    assert days(beta) == [("per_profile", "2026-01-01", None)]


def test_down_begins_with_the_next_month(alpha: Company) -> None:
    subscribe(alpha, "per_concurrency")
    at_once(alpha, 6, moscow(2026, 6, 3))
    offered = offer(alpha, plan("per_profile"), now=NOON)
    assert (offered.upgrade, offered.starts_on) == (False, date(2026, 7, 1))
    assert offered.difference == Decimal("-2000.00")
    change(alpha, "per_profile")
    assert days(alpha)[-1] == ("per_profile", "2026-07-01", None)


def test_what_costs_the_same_is_up(alpha: Company) -> None:
    subscribe(alpha, "per_profile")
    profiles_three(alpha)
    for _ in range(2):
        profile_on(alpha, moscow(2026, 6, 1))
    offered = offer(alpha, plan("per_concurrency"), now=NOON)
    assert (offered.difference, offered.upgrade) == (Decimal("0.00"), True)


def test_above_the_last_tier_no_amount_is_invented(alpha: Company) -> None:
    subscribe(alpha, "per_profile")
    at_once(alpha, 41, moscow(2026, 6, 3))
    offered = offer(alpha, plan("per_concurrency"), now=NOON)
    assert (offered.price, offered.difference, offered.upgrade) == (None, None, True)
    change(alpha, "per_concurrency")
    back = offer(alpha, plan("per_profile"), now=moscow(2026, 6, 17, 9))
    assert (back.upgrade, back.starts_on) == (False, date(2026, 7, 1))


def test_the_local_day_decides_on_a_moscow_server(alpha: Company) -> None:
    subscribe(alpha, "per_profile", zone="Asia/Vladivostok")
    offered = offer(alpha, plan("per_concurrency"), now=moscow(2026, 6, 30, 17, 30))
    assert offered.starts_on == date(2026, 7, 2), "it is half past midnight of 1 July there"


def test_prices_are_those_in_force_on_the_first_day(alpha: Company) -> None:
    dearer = version(
        "per_profile", date(2026, 7, 1), terms={"base": "1200.00", "included": 3, "further": "250.00"}
    )
    subscribe(alpha, "per_concurrency")
    at_once(alpha, 6, moscow(2026, 6, 3))
    offered = offer(alpha, plan("per_profile"), now=NOON)
    assert (offered.version, offered.price) == (dearer, Decimal("1200.00"))
    assert change(alpha, "per_profile").version == dearer


# ---------------------------------------------------------------- not twice, not late, not under an invoice


def test_a_change_asked_twice_is_one_and_a_second_one_waits(alpha: Company) -> None:
    extra = Plan.objects.create(code="third", model="per_profile", name_ru="Третий", name_en="Third")
    extra.versions.create(
        starts_on=date(2026, 1, 1), terms={"base": "9000.00", "included": 3, "further": "1.00"}
    )
    subscribe(alpha, "per_profile")
    first = change(alpha, "per_concurrency")
    assert change(alpha, "per_concurrency") == first
    for code in ("third", "per_profile"):
        with pytest.raises(NotNow):
            change(alpha, code)
    assert len(days(alpha)) == 2
    assert len(acts(alpha)) == 1


def test_the_plan_one_has_is_not_changed_to(alpha: Company) -> None:
    subscribe(alpha, "per_profile")
    with pytest.raises(NotNow):
        change(alpha, "per_profile")
    assert days(alpha) == [("per_profile", "2026-01-01", None)]


def test_another_day_than_was_shown_is_asked_again(alpha: Company) -> None:
    subscribe(alpha, "per_profile")
    with pytest.raises(NotNow):
        change(alpha, "per_concurrency", now=moscow(2026, 6, 17, 0), shown=date(2026, 6, 17))
    assert days(alpha) == [("per_profile", "2026-01-01", None)]


def test_a_change_is_taken_back_until_it_begins(alpha: Company, beta: Company) -> None:
    for company in (alpha, beta):
        subscribe(company, "per_profile")
        change(company, "per_concurrency")
    assert subscriptions.cancel_change(who=ADMIN, company=alpha, now=moscow(2026, 6, 16, 23, 59))
    assert days(alpha) == [("per_profile", "2026-01-01", None)]
    assert acts(alpha)[-1] == ("plan.change_cancelled", "Админ")
    assert not subscriptions.cancel_change(who=ADMIN, company=alpha, now=moscow(2026, 6, 16, 23, 59))
    assert not subscriptions.cancel_change(who=ADMIN, company=beta, now=moscow(2026, 6, 17, 0))
    assert len(days(beta)) == 2


def test_an_agreed_price_of_the_plan_that_goes_on_comes_back_with_the_undo_of_a_change(
    alpha: Company,
) -> None:
    made = subscribe(alpha, "per_concurrency")
    subscriptions.agree_price(
        who=STAFF, subscription=made, price=Decimal("7000.00"), from_day=date(2026, 6, 10)
    )
    at_once(alpha, 6, moscow(2026, 6, 11))
    change(alpha, "per_profile")
    assert days(alpha)[-1] == ("per_profile", "2026-07-01", None)
    subscriptions.cancel_change(who=ADMIN, company=alpha, now=NOON)
    assert days(alpha) == [
        ("per_concurrency", "2026-01-01", "2026-06-10"),
        ("per_concurrency", "2026-06-10", None),
    ]
    last = made.phases.order_by("starts_on").last()
    assert last is not None
    assert last.agreed_price == Decimal("7000.00")


def test_a_plan_of_a_month_that_has_not_begun_is_replaced_whole(alpha: Company) -> None:
    subscribe(alpha, "per_profile", date(2026, 7, 1))
    offered = offer(alpha, plan("per_concurrency"), now=NOON)
    assert offered.starts_on == date(2026, 7, 1)
    change(alpha, "per_concurrency")
    assert days(alpha) == [("per_concurrency", "2026-07-01", None)]


def test_nothing_changes_below_an_invoiced_day(alpha: Company) -> None:
    made = subscribe(alpha, "per_profile")
    issued_invoice(made, date(2026, 6, 1))
    with pytest.raises(NotNow):
        change(alpha, "per_concurrency")
    with pytest.raises(NotNow):
        subscriptions.close(who=STAFF, subscription=made, ends_on=date(2026, 6, 30))
    with pytest.raises(NotNow):
        subscriptions.agree_price(
            who=STAFF, subscription=made, price=Decimal(7000), from_day=date(2026, 6, 30)
        )
    assert days(alpha) == [("per_profile", "2026-01-01", None)]
    assert acts(alpha) == []
    change(alpha, "per_concurrency", now=moscow(2026, 6, 30))
    assert days(alpha)[-1] == ("per_concurrency", "2026-07-01", None)


# ---------------------------------------------------------------- agreements and ends


def test_an_agreed_price_holds_from_its_day_and_goes_with_the_plan(alpha: Company) -> None:
    made = subscribe(alpha, "per_concurrency")
    subscriptions.agree_price(who=STAFF, subscription=made, price=Decimal(7000), from_day=date(2026, 6, 1))
    subscriptions.agree_price(who=STAFF, subscription=made, price=Decimal(7000), from_day=date(2026, 6, 9))
    assert days(alpha) == [
        ("per_concurrency", "2026-01-01", "2026-06-01"),
        ("per_concurrency", "2026-06-01", None),
    ]
    at_once(alpha, 41, moscow(2026, 6, 3))
    offered = offer(alpha, plan("per_profile"), now=NOON)
    assert offered.present is not None
    assert offered.present.total == Decimal("7000.00")
    change(alpha, "per_profile")
    last = made.phases.order_by("starts_on").last()
    assert last is not None
    assert last.agreed_price is None
    for price in (Decimal("-1"), Decimal("0.001"), Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(BadTerms):
            subscriptions.agree_price(who=STAFF, subscription=made, price=price, from_day=date(2026, 6, 20))


def test_an_end_cuts_what_comes_after_it_and_may_be_moved(alpha: Company) -> None:
    made = subscribe(alpha, "per_profile")
    change(alpha, "per_concurrency")
    subscriptions.close(who=STAFF, subscription=made, ends_on=date(2026, 6, 17))
    assert days(alpha) == [("per_profile", "2026-01-01", "2026-06-17")]
    with pytest.raises(NotNow):
        change(alpha, "per_concurrency")
    subscriptions.close(who=STAFF, subscription=made, ends_on=date(2026, 8, 1))
    assert days(alpha) == [("per_profile", "2026-01-01", "2026-08-01")]
    change(alpha, "per_concurrency")
    assert days(alpha)[-1] == ("per_concurrency", "2026-06-17", "2026-08-01")
    with pytest.raises(NotNow):
        subscriptions.close(who=STAFF, subscription=made, ends_on=date(2026, 1, 1))
    again = subscriptions.open_subscription(
        who=ADMIN, company=alpha, plan=plan("per_profile"), starts_on=date(2026, 8, 1)
    )
    assert phase_codes(again) == ["per_profile"]


def phase_codes(subscription: Subscription) -> list[str]:
    return [row.version.plan.code for row in subscription.phases.all()]


# ---------------------------------------------------------------- two at once


@pytest.mark.django_db(transaction=True)
def test_two_admins_at_once_make_one_change_and_the_other_is_told(alpha: Company) -> None:
    extra = Plan.objects.create(code="third", model="per_profile", name_ru="Третий", name_en="Third")
    extra.versions.create(
        starts_on=date(2026, 1, 1), terms={"base": "9000.00", "included": 3, "further": "1.00"}
    )
    subscribe(alpha, "per_profile")
    together = threading.Barrier(2)
    told: list[object] = []

    def act(code: str) -> None:
        try:
            together.wait(10)
            told.append(change(alpha, code).version.plan.code)
        except BillingError as refusal:
            told.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(code,)) for code in ("per_concurrency", "third")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    done = [one for one in told if isinstance(one, str)]
    assert len(done) == 1
    assert [type(one) for one in told if not isinstance(one, str)] == [NotNow]
    assert [code for code, _, _ in days(alpha)] == ["per_profile", done[0]]
    assert len(acts(alpha)) == 1
