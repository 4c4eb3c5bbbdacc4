"""Plans and their versions: prices begin today or later, never change, and are previewed before they are made."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from billing.models import Act, Plan, PlanVersion
from billing.selectors.rubles import rubles, rubles_short
from billing.services import plans
from billing.services.acts import Who
from billing.services.errors import BadTerms, NotNow
from billing.views.platform.fields import as_typed
from tenants.models import Company
from tests.factories import money
from tests.factories.people import signed_in_staff

pytestmark = pytest.mark.django_db

WHO = Who("Билл Инг", "platform")
TODAY = date(2026, 11, 22)
TERMS = {"base": "1200.00", "included": 3, "further": "300.00"}
FAR = date(2990, 1, 1)
"""Later than any day a test runs on: the database itself compares with its own clock."""


def make(**fields: Any) -> PlanVersion:
    whole = {"plan": money.plan("per_profile"), "starts_on": FAR, "terms": TERMS, "vat_mode": "included",
             "existing_from": None, "today": TODAY}  # fmt: skip
    return plans.new_version(who=WHO, **{**whole, **fields})


def at(name: str, *args: object) -> str:
    return reverse(f"billing_admin:{name}", "ccenter.urls_public", args=args)


@pytest.fixture
def staff() -> Client:
    return signed_in_staff()[0]


def test_a_version_keeps_its_terms_whole_and_says_who_made_it() -> None:
    made = make()
    assert made.terms == {**TERMS, "fee": "monthly", "measure": "profiles"}
    assert made.made_by == "Билл Инг"
    act = Act.objects.get(verb="version.new")
    assert (act.who, act.details["terms"]["base"]) == ("Билл Инг", "1200.00")


def test_prices_begin_today_or_later() -> None:
    before = PlanVersion.objects.count()
    with pytest.raises(BadTerms):
        make(starts_on=date(2026, 11, 21))
    assert PlanVersion.objects.count() == before
    assert make(starts_on=TODAY).starts_on == TODAY


def test_prices_reach_existing_subscribers_with_the_version_or_later() -> None:
    with pytest.raises(BadTerms):
        make(existing_from=date(2989, 12, 31))
    assert make(existing_from=FAR).existing_from == FAR


def test_two_versions_of_a_plan_never_begin_on_one_day() -> None:
    make()
    with pytest.raises(NotNow):
        make(terms={**TERMS, "base": "1.00"})
    assert PlanVersion.objects.filter(starts_on=FAR).count() == 1
    assert make(plan=money.plan("per_concurrency"), terms={"tiers": [{"up_to": 5, "price": "1.00"}]}).pk


@pytest.mark.parametrize(
    ("code", "terms"),
    [
        ("per_profile", {}),
        ("per_profile", {**TERMS, "base": "-1.00"}),
        ("per_profile", {**TERMS, "base": 1000.1}),
        ("per_profile", {**TERMS, "further": "1.001"}),
        ("per_profile", {**TERMS, "included": "3"}),
        ("per_profile", {**TERMS, "discount": "10"}),
        ("per_concurrency", {"tiers": []}),
        ("per_concurrency", {"tiers": [{"up_to": 5, "price": "1.00"}, {"up_to": 5, "price": "2.00"}]}),
        ("per_concurrency", {"tiers": [{"up_to": 9, "price": "1.00"}, {"up_to": 5, "price": "2.00"}]}),
        ("per_concurrency", {"tiers": [{"up_to": 5, "price": "1.00"}], "measure": "minutes"}),
    ],
)
def test_what_makes_no_tariff_is_refused_and_nothing_is_stored(code: str, terms: dict[str, Any]) -> None:
    before = PlanVersion.objects.count()
    with pytest.raises(BadTerms):
        make(plan=money.plan(code), terms=terms)
    assert PlanVersion.objects.count() == before


def test_a_version_does_not_change_by_sql_either() -> None:
    made = make()
    with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
        cursor.execute("UPDATE billing_planversion SET terms = '{}' WHERE id = %s", [made.pk])
    made.refresh_from_db()
    assert made.terms["base"] == "1200.00"


def test_only_what_is_to_come_and_taken_by_nobody_is_removed(alpha: Company, beta: Company) -> None:
    old = money.plan("per_profile").versions.get()
    with pytest.raises(NotNow):
        plans.remove_version(who=WHO, version=old, today=TODAY)
    taken = make()
    money.subscribe(alpha, "per_profile", FAR)
    with pytest.raises(NotNow):
        plans.remove_version(who=WHO, version=taken, today=TODAY)
    free = make(starts_on=date(2991, 1, 1))
    plans.remove_version(who=WHO, version=free, today=TODAY)
    assert set(PlanVersion.objects.filter(plan__code="per_profile")) == {old, taken}
    assert Act.objects.filter(verb="version.remove").count() == 1
    assert not beta.subscriptions.exists()


def typed(**changes: str | list[str]) -> dict[str, Any]:
    """The form of the per-concurrency plan as a person fills it in."""
    return {
        "starts_on": "2990-01-01", "existing_from": "", "vat_mode": "included", "measure": "calls",
        "up_to": ["5", "15", ""], "price": ["1 600,00", "3200", ""], **changes,
    }  # fmt: skip


def test_the_first_sending_shows_the_second_makes(staff: Client, alpha: Company, beta: Company) -> None:
    plan = money.plan("per_concurrency")
    money.subscribe(alpha, "per_concurrency", date(2026, 1, 1))
    money.subscribe(beta, "per_profile", date(2026, 1, 1))
    url = at("version_new", plan.pk)
    shown = staff.post(url, typed())
    assert plan.versions.count() == 1
    assert [(row.company, row.before, row.after) for row in shown.context["rows"]] == [
        (alpha, Decimal("1500.00"), Decimal("1600.00"))
    ]
    assert shown.context["difference"] == Decimal("100.00")
    seen = shown.context["seen"]
    # Prices touched since are shown anew, not made unseen.
    again = staff.post(url, typed(price=["1", "2", ""], seen=seen))
    assert plan.versions.count() == 1
    assert again.context["seen"] != seen
    assert staff.post(url, typed(seen=seen)).status_code == 302
    made = plan.versions.get(starts_on=FAR)
    assert made.terms["tiers"] == [{"up_to": 5, "price": "1600.00"}, {"up_to": 15, "price": "3200.00"}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"starts_on": "2020-01-01"},
        {"starts_on": ""},
        {"existing_from": "2989-01-01"},
        {"vat_mode": "some"},
        {"up_to": ["15", "5"], "price": ["1", "2"]},
        {"up_to": ["пять"], "price": ["1"]},
        {"up_to": ["5"], "price": ["дорого"]},
        {"up_to": ["5"], "price": ["-1"]},
        {"up_to": [""], "price": [""]},
        {"up_to": ["5" * 12], "price": ["1"]},
    ],
)
def test_a_wrong_form_says_so_and_makes_nothing(staff: Client, wrong: dict[str, Any]) -> None:
    plan = money.plan("per_concurrency")
    answer = staff.post(at("version_new", plan.pk), typed(**wrong))
    assert answer.status_code == 422
    assert plan.versions.count() == 1


def test_a_plan_shows_its_versions_with_what_differs(staff: Client) -> None:
    make(existing_from=FAR)
    page = staff.get(at("plan", money.plan("per_profile").pk)).content.decode()
    assert "01.01.2990" in page
    marked = [part.split("</mark>")[0] for part in page.split("<mark")[1:]]
    assert len(marked) == 2
    assert any("1\u00a0200" in text for text in marked)
    assert any("300" in text for text in marked)


def test_a_further_plan_has_no_prices_until_somebody_enters_them(staff: Client) -> None:
    fields = {"code": "loyal", "model": "per_profile", "name_ru": "Для своих", "name_en": "Friends"}
    answer = staff.post(at("plan_new"), fields)
    made = Plan.objects.get(code="loyal")
    assert answer["Location"] == at("version_new", made.pk)
    assert not made.on_offer
    assert staff.post(at("plan_new"), fields).status_code == 422
    assert Plan.objects.filter(code="loyal").count() == 1
    staff.post(at("plan", made.pk), {"name_ru": "Для друзей", "name_en": "Friends", "on_offer": "on"})
    made.refresh_from_db()
    assert (made.name_ru, made.on_offer, made.model) == ("Для друзей", True, "per_profile")
    assert staff.get(at("plans")).status_code == 200


def test_staff_remove_a_version_that_is_to_come_from_its_page(staff: Client) -> None:
    made = make()
    old = made.plan.versions.exclude(pk=made.pk).get()
    staff.post(at("version_remove", made.plan_id, old.pk))
    staff.post(at("version_remove", made.plan_id, made.pk))
    assert list(made.plan.versions.all()) == [old]


@pytest.mark.parametrize(
    ("amount", "ru", "en", "short"),
    [
        (Decimal("1500"), "1\u00a0500,00\u00a0₽", "₽1,500.00", "1\u00a0500\u00a0₽"),
        (
            Decimal("-1234567.895"),
            "−1\u00a0234\u00a0567,90\u00a0₽",
            "−₽1,234,567.90",
            "−1\u00a0234\u00a0567,90\u00a0₽",
        ),
        (0, "0,00\u00a0₽", "₽0.00", "0\u00a0₽"),
        (None, "—", "—", "—"),
    ],
)
def test_money_is_shown_the_same_way_everywhere(amount: Any, ru: str, en: str, short: str) -> None:
    with translation.override("ru"):
        assert (rubles(amount), rubles_short(amount)) == (ru, short)
    with translation.override("en"):
        assert rubles(amount) == en


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1 500,00", "1500.00"), ("1\u00a0500,5 ₽", "1500.5"), ("1,500.00", "1500.00"), ("1500", "1500")],
)
def test_amounts_are_read_as_accountants_type_them(text: str, amount: str) -> None:
    assert as_typed(text) == amount
