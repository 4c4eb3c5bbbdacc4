"""A fourth monitoring profile: its price is asked first, and nothing is switched on before somebody agreed to it."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from billing.selectors import profile_price
from billing.selectors.profile_price import further, one_more
from billing.services.accounts import change_details
from billing.services.acts import Who
from monitoring.models import Profile, ProfileActivity
from monitoring.models.audit import AuditEntry
from monitoring.services import profiles
from monitoring.services.further_profiles import AdminMustAgree, MustAgree, NoMoreProfiles
from monitoring.services.profiles import View
from tenants.models import Company
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tests.factories.money import moscow, phase, profile_on, subscribe, version
from tests.factories.people import person, signed_in

pytestmark = pytest.mark.django_db

NOON = moscow(2026, 6, 16)
SPRING = moscow(2026, 3, 1)
VIEW = View(title="Четвёртый", tiles=("waiting",))


def three(company: Company, since: Any = SPRING) -> None:
    for _ in range(3):
        profile_on(company, since)


def spans(company: Company) -> list[Any]:
    with company_scope(company.slug):
        return list(ProfileActivity.objects.order_by("pk").values_list("profile", "started", "ended"))


def titles(company: Company) -> set[str]:
    with company_scope(company.slug):
        return set(Profile.objects.values_list("title", flat=True))


def admin_of(company: Company) -> User:
    """Inside the company's scope."""
    made = person(Role.ADMIN)
    return User.objects.get(pk=made.pk)


# ---------------------------------------------------------------- the price


@pytest.mark.parametrize(("on", "asked"), [(0, False), (2, False), (3, True), (9, True)])
def test_the_included_ones_are_not_asked_about(alpha: Company, on: int, asked: bool) -> None:
    subscribe(alpha, "per_profile")
    for _ in range(on):
        profile_on(alpha, SPRING)
    found = one_more(alpha, now=NOON)
    assert (found is not None) == asked
    if found is not None:
        assert (found.on, found.included) == (on, 3)
        assert found.monthly == found.this_month == Decimal(250)
        assert found.total == 1000 + 250 * (on + 1 - 3)


def test_what_was_on_at_once_before_costs_nothing_more_this_month(alpha: Company) -> None:
    subscribe(alpha, "per_profile")
    three(alpha)
    profile_on(alpha, moscow(2026, 6, 2), moscow(2026, 6, 3))
    found = one_more(alpha, now=NOON)
    assert found is not None
    assert (found.this_month, found.monthly, found.total) == (Decimal(0), Decimal(250), Decimal(1250))


def test_where_days_are_counted_this_month_pays_for_the_days_that_are_left(alpha: Company) -> None:
    terms = {"base": "1000.00", "included": 3, "further": "250.00", "measure": "profile_days"}
    version("per_profile", date(2026, 2, 1), terms=terms)
    subscribe(alpha, "per_profile", date(2026, 2, 1))
    three(alpha)
    found = one_more(alpha, now=NOON)  # 16 June: 15 of 30 days
    assert found is not None
    assert (found.this_month, found.monthly) == (Decimal("125.00"), Decimal("250.00"))


def test_paid_once_on_connection_it_is_asked_once(alpha: Company) -> None:
    terms = {"base": "1000.00", "included": 3, "further": "250.00", "fee": "once"}
    version("per_profile", date(2026, 2, 1), terms=terms)
    subscribe(alpha, "per_profile", date(2026, 2, 1))
    three(alpha)
    found = one_more(alpha, now=NOON)
    assert found is not None
    assert (found.once, found.this_month, found.monthly) == (True, Decimal(250), Decimal(0))
    profile_on(alpha, moscow(2026, 6, 2), moscow(2026, 6, 3))
    assert one_more(alpha, now=NOON) is None, "a fourth was connected this month already"


def test_vat_on_top_is_part_of_the_price_agreed_to(alpha: Company) -> None:
    version("per_profile", date(2026, 2, 1), vat_mode="on_top")
    subscribe(alpha, "per_profile", date(2026, 2, 1))
    three(alpha)
    found = one_more(alpha, now=NOON)
    assert found is not None
    assert found.monthly == Decimal("305.00")


def test_a_plan_by_calls_and_no_plan_at_all_ask_nothing(alpha: Company, beta: Company) -> None:
    subscribe(alpha, "per_concurrency")
    for company in (alpha, beta):
        three(company)
        assert further(company.slug, now=NOON) is None


def test_the_plan_of_that_very_day_decides(alpha: Company) -> None:
    made = subscribe(alpha, "per_concurrency", ends_on=None)
    made.phases.update(ends_on=date(2026, 6, 20))
    phase(made, "per_profile", date(2026, 6, 20))
    three(alpha)
    assert one_more(alpha, now=moscow(2026, 6, 19, 23, 59)) is None
    found = one_more(alpha, now=moscow(2026, 6, 20, 0))
    assert found is not None
    assert found.this_month == Decimal("91.67"), "11 of 30 days of 250"


# ---------------------------------------------------------------- switching


def test_without_a_yes_to_that_price_nothing_changes(alpha: Company, beta: Company) -> None:
    for company in (alpha, beta):
        subscribe(company, "per_profile")
        three(company)
    before = spans(alpha), titles(alpha)
    with company_scope("alpha"):
        admin = admin_of(alpha)
        for agreed in ("", "yes", "4:0.00:0.00", "5:250.00:250.00"):
            with pytest.raises(MustAgree) as asked:
                profiles.make(actor=admin, view=VIEW, agreed=agreed)
            assert "250" in asked.value.question.title
        fourth = profiles.make(actor=admin, view=VIEW, on=False)
        with pytest.raises(MustAgree):
            profiles.switch(actor=admin, profile=fourth, on=True)
        profiles.archive(actor=admin, profile=fourth)
        with pytest.raises(MustAgree):
            profiles.restore(actor=admin, profile=fourth, on=True)
        fourth.refresh_from_db()
        assert fourth.archived_at is not None
    assert spans(alpha) == before[0]
    assert titles(alpha) - before[1] == {"Четвёртый"}
    assert len(spans(beta)) == 3


def test_a_yes_switches_it_on_and_is_written_down(alpha: Company) -> None:
    subscribe(alpha, "per_profile")
    three(alpha)
    with company_scope("alpha"):
        admin = admin_of(alpha)
        fourth = profiles.make(actor=admin, view=VIEW, on=False)
        with pytest.raises(MustAgree) as asked:
            profiles.switch(actor=admin, profile=fourth, on=True)
        yes = asked.value.question.agreement
        assert profiles.switch(actor=admin, profile=fourth, on=True, agreed=yes)
        with pytest.raises(MustAgree) as fifth:
            profiles.make(actor=admin, view=VIEW, agreed=yes)
        assert fifth.value.question.agreement != yes, "a yes to the fourth is none to the fifth"
        assert AuditEntry.objects.filter(details__agreed=yes).count() == 1
        profiles.switch(actor=admin, profile=fourth, on=False)
    assert sum(end is None for _profile, _start, end in spans(alpha)) == 3


def test_a_supervisor_is_told_to_ask_an_admin_and_no_amount(alpha: Company) -> None:
    subscribe(alpha, "per_profile")
    three(alpha)
    before = spans(alpha), titles(alpha)
    for sees in (False, True):
        change_details(who=Who("", "company"), company=alpha, details={"supervisors_see": sees})
        with company_scope("alpha"):
            head = person(Role.SUPERVISOR)
            with pytest.raises(AdminMustAgree) as told:
                profiles.make(actor=head, view=VIEW, agreed="4:250.00:250.00")
        assert not any(sign.isdigit() for sign in str(told.value.message))
    assert (spans(alpha), titles(alpha)) == before


@pytest.mark.parametrize("plan", ["per_profile", "per_concurrency", None])
def test_the_companys_own_limit_refuses_whatever_the_plan(alpha: Company, plan: str | None) -> None:
    if plan:
        subscribe(alpha, plan)
    three(alpha)
    change_details(who=Who("", "company"), company=alpha, details={"profile_limit": 3})
    before = spans(alpha)
    with company_scope("alpha"), pytest.raises(NoMoreProfiles) as told:
        profiles.make(actor=admin_of(alpha), view=VIEW, agreed="4:250.00:250.00")
    assert "3" in str(told.value.message)
    assert spans(alpha) == before


# ---------------------------------------------------------------- pages


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages have no clock to be given: theirs stands at NOON."""
    real = profile_price.further
    monkeypatch.setattr(profile_price, "further", lambda company, *, now: real(company, now=NOON))


@pytest.mark.usefixtures("stopped", "redis_url")
def test_the_list_asks_in_the_row_and_switches_on_the_yes(alpha: Company) -> None:
    subscribe(alpha, "per_profile")
    three(alpha)
    client, _admin = signed_in("alpha", Role.ADMIN)
    with company_scope("alpha"):
        off = profile_on(alpha, SPRING, SPRING + timedelta(days=1), title="Ночь <b>")
    address, htmx = f"/profiles/{off}/switch/", {"HX-Request": "true"}
    before = spans(alpha)
    asked = client.post(address, {"on": "1"}, headers=htmx)
    assert asked.status_code == 200
    assert "+250" in asked.text
    assert "1\u00a0250" in asked.text
    assert "<b>" not in asked.text.replace("<bdi>", "")
    assert 'value="4:250.00:250.00"' in asked.text
    page = client.post(address, {"on": "1"})
    assert page.status_code == 409
    assert 'value="4:250.00:250.00"' in page.text
    assert spans(alpha) == before
    row = client.post(address, {"on": "1", "agreed": "4:250.00:250.00"}, headers=htmx)
    assert 'aria-checked="true"' in row.text
    assert len(spans(alpha)) == len(before) + 1


@pytest.mark.usefixtures("stopped", "redis_url")
def test_a_new_profile_is_asked_about_or_saved_switched_off(alpha: Company) -> None:
    subscribe(alpha, "per_profile")
    three(alpha)
    client, _admin = signed_in("alpha", Role.ADMIN)
    typed = {"title": "Утро", "tiles": ["waiting"]}
    asked = client.post("/profiles/new/", typed)
    assert asked.status_code == 409
    assert 'name="agreed" value="4:250.00:250.00"' in asked.text
    assert 'value="Утро"' in asked.text, "what was typed stays"
    assert "Утро" not in titles(alpha)
    assert client.post("/profiles/new/", typed | {"off": "1"}).status_code == 302
    assert "Утро" in titles(alpha)
    assert len(spans(alpha)) == 3
    head, _user = signed_in("alpha", Role.SUPERVISOR)
    told = head.post("/profiles/new/", typed | {"title": "Моё", "agreed": "4:250.00:250.00"})
    assert told.status_code == 422
    assert "250" not in told.text
    assert 'name="off"' in told.text
    assert "Моё" not in titles(alpha)
    assert (
        client.post("/profiles/new/", typed | {"title": "Да", "agreed": "4:250.00:250.00"}).status_code == 302
    )
    assert len(spans(alpha)) == 4


@pytest.mark.usefixtures("redis_url")
def test_another_companys_profiles_change_no_price(alpha: Company, beta: Company) -> None:
    for company in (alpha, beta):
        subscribe(company, "per_profile")
    three(beta)
    with company_scope("alpha"):
        profiles.make(actor=admin_of(alpha), view=VIEW)
    assert [end for _profile, _start, end in spans(alpha)] == [None]


# ---------------------------------------------------------------- two at once


@pytest.mark.django_db(transaction=True)
def test_of_two_who_agreed_to_the_fourth_at_once_one_is_asked_about_the_fifth(alpha: Company) -> None:
    subscribe(alpha, "per_profile", timezone.localdate().replace(day=1))
    three(alpha)
    with company_scope("alpha"):
        admin = admin_of(alpha)
        off = [
            profiles.make(actor=admin, view=View(title=title, tiles=("waiting",)), on=False) for title in "АБ"
        ]
        with pytest.raises(MustAgree) as asked:
            profiles.switch(actor=admin, profile=off[0], on=True)
    together = threading.Barrier(2)
    told: list[object] = []

    def act(profile: Profile) -> None:
        try:
            with company_scope("alpha"):
                actor = User.objects.get(pk=admin.pk)
                together.wait(10)
                told.append(
                    profiles.switch(
                        actor=actor, profile=profile, on=True, agreed=asked.value.question.agreement
                    )
                )
        except MustAgree as refusal:
            told.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(profile,)) for profile in off]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(type(one) is bool for one in told) == [False, True]
    assert sum(end is None for _profile, _start, end in spans(alpha)) == 4
