"""Limits: told at 80 and 100 % once a month, to the company alone; the hard one refuses new calls, never a live one."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone, translation

from billing.models import Account, LimitMode, LimitNotice
from billing.services import limits
from billing.tasks.limits import watch_limits
from monitoring.api.router import api
from monitoring.models import Call, Delivery, Leg, Webhook
from monitoring.services.errors import LimitReached
from monitoring.services.tariff import check_may_place
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories import money
from tests.factories.people import person

pytestmark = pytest.mark.django_db
NOW = money.moscow(2026, 6, 20)
AT = money.moscow(2026, 6, 10)
Told = list[tuple[str, int, int, int]]


def watch(company: Company, now: datetime = NOW) -> Told:
    return [(n.what, n.level, n.value, n.bound) for n in limits.watch(company, now=now)]


def limited(company: Company, mode: LimitMode, calls: int) -> None:
    money.account(company)
    Account.objects.filter(company=company).update(limit_mode=mode, call_limit=calls)


def test_eighty_per_cent_then_all_of_a_tier_are_told_once_each(alpha: Company, beta: Company) -> None:
    money.subscribe(alpha)
    money.subscribe(beta)
    money.at_once(alpha, 3, AT)
    assert watch(alpha) == []
    money.at_once(alpha, 1, AT)
    assert watch(alpha) == [("tier", 80, 4, 5)]
    assert watch(alpha) == []
    money.at_once(alpha, 1, AT)
    assert watch(alpha) == [("tier", 100, 5, 5)]
    assert watch(alpha) == []
    assert watch(beta) == []
    assert set(LimitNotice.objects.values_list("company", flat=True)) == {alpha.pk}
    assert [letter.to for letter in mail.outbox] == [["pay@alpha.example"]] * 2


def test_tiers_that_were_jumped_over_are_written_down_and_one_letter_tells_the_last(alpha: Company) -> None:
    money.subscribe(alpha)
    money.at_once(alpha, 12, AT)
    assert watch(alpha) == [("tier", 100, 12, 5), ("tier", 80, 12, 15)]
    (letter,) = mail.outbox
    assert letter.subject.startswith("12 из 15")
    assert "3\u00a0000,00\u00a0₽" in letter.body
    assert "5\u00a0000,00\u00a0₽" in letter.body, "what it costs beyond"
    assert "http://alpha.localhost" in letter.body


def test_a_new_month_is_told_anew(alpha: Company) -> None:
    money.subscribe(alpha)
    money.at_once(alpha, 5, AT)
    money.at_once(alpha, 5, money.moscow(2026, 7, 2))
    assert watch(alpha) == [("tier", 100, 5, 5)]
    assert watch(alpha, money.moscow(2026, 7, 3)) == [("tier", 100, 5, 5)]
    assert sorted(LimitNotice.objects.values_list("period_start", flat=True)) == [
        date(2026, 6, 1), date(2026, 7, 1),
    ]  # fmt: skip


def test_above_the_last_tier_the_letter_promises_no_price(alpha: Company) -> None:
    money.subscribe(alpha)
    money.at_once(alpha, 41, AT)
    assert watch(alpha)[-1] == ("tier", 100, 41, 40)
    assert "₽" not in mail.outbox[0].body


def test_included_and_own_limits_of_profiles_and_calls_are_told(alpha: Company, beta: Company) -> None:
    money.subscribe(alpha, "per_profile")
    limited(alpha, LimitMode.SOFT, 10)
    Account.objects.filter(company=alpha).update(profile_limit=5)
    for _ in range(4):
        money.profile_on(alpha, AT)
    money.at_once(alpha, 8, AT)
    assert sorted(watch(alpha)) == [("limit", 80, 8, 10), ("profiles", 80, 4, 5), ("profiles", 100, 4, 3)]
    assert len(mail.outbox) == 2, "one letter a kind"
    assert watch(alpha) == []
    assert watch(beta) == [], "no plan and no limits: nothing to reach"


def test_an_own_limit_is_watched_without_a_subscription_too(alpha: Company) -> None:
    limited(alpha, LimitMode.HARD, 2)
    money.at_once(alpha, 2, AT)
    assert watch(alpha) == [("limit", 100, 2, 2)]


def test_webhooks_hear_of_each_limit_once_and_only_the_companys_own(alpha: Company, beta: Company) -> None:
    for company in (alpha, beta):
        money.subscribe(company)
        with company_scope(company.slug):
            hook = Webhook(url="https://crm.example/hook", title="CRM", events=["limit.reached"])
            hook.secret = "s"
            hook.save()
    money.at_once(alpha, 5, AT)
    watch(alpha)
    watch(alpha)
    with company_scope("beta"):
        assert not Delivery.objects.exists()
    with company_scope("alpha"):
        (delivery,) = Delivery.objects.all()
    assert delivery.event == "limit.reached"
    told = json.loads(delivery.body)["data"]
    assert (told["what"], told["level"], told["value"], told["bound"], told["month"]) == (
        "tier", 100, 5, 5, "2026-06",
    )  # fmt: skip


def test_without_an_address_every_admin_is_written_to_in_the_companys_language(alpha: Company) -> None:
    money.subscribe(alpha)
    Account.objects.filter(company=alpha).update(email="")
    Company.objects.filter(pk=alpha.pk).update(language="en")
    alpha.refresh_from_db()
    with company_scope("alpha"):
        person("admin", email="one@alpha.example")
        person("supervisor", email="no@alpha.example")
    money.at_once(alpha, 4, AT)
    watch(alpha)
    (letter,) = mail.outbox
    assert letter.to == ["one@alpha.example"]
    assert letter.subject == "4 of 5: calls at once"
    assert "June 2026" in letter.body


def test_a_letter_that_could_not_go_is_written_at_the_next_look(
    alpha: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    money.subscribe(alpha)
    money.at_once(alpha, 4, AT)

    def away(self: mail.EmailMultiAlternatives) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(mail.EmailMultiAlternatives, "send", away)
        watch(alpha)
    assert (mail.outbox, LimitNotice.objects.count()) == ([], 0)
    assert watch(alpha) == [("tier", 80, 4, 5)]
    assert watch(alpha) == []
    assert len(mail.outbox) == 1


def test_a_company_nobody_can_be_written_to_is_told_on_its_pages_once(alpha: Company) -> None:
    money.subscribe(alpha)
    Account.objects.filter(company=alpha).update(email="")
    money.at_once(alpha, 4, AT)
    assert watch(alpha) == [("tier", 80, 4, 5)]
    assert watch(alpha) == []
    assert LimitNotice.objects.count() == 1


def test_the_task_watches_the_company_it_is_given(alpha: Company, beta: Company) -> None:
    for company in (alpha, beta):
        money.subscribe(company)
    now = timezone.now()
    money.at_once(alpha, 5, now - timedelta(microseconds=1))
    watch_limits.delay("alpha")
    watch_limits.delay("alpha")
    watch_limits.delay("beta")
    assert list(LimitNotice.objects.values_list("company", "level")) == [(alpha.pk, 100)]


def test_a_hard_limit_refuses_a_further_call_and_nothing_else(alpha: Company, beta: Company) -> None:
    limited(alpha, LimitMode.HARD, 2)
    limited(beta, LimitMode.SOFT, 1)
    now = timezone.now()
    for company in (alpha, beta):
        money.handled(company, (now - timedelta(minutes=1), None))
    assert limits.may_place_call("alpha") == ""
    live = money.handled(alpha, (now, None))
    money.handled(beta, (now, None))
    with company_scope("alpha"):
        before = list(Call.objects.order_by("pk").values()) + list(Leg.objects.order_by("pk").values())
        with pytest.raises(LimitReached, match="2"):
            check_may_place()
        after = list(Call.objects.order_by("pk").values()) + list(Leg.objects.order_by("pk").values())
    assert before == after, "what lives is not touched"
    with company_scope("beta"):
        check_may_place()  # warned only
    with company_scope("alpha"):
        Call.objects.filter(key=live).update(ended=now)
        check_may_place()


def test_where_no_limit_was_chosen_no_call_is_counted(alpha: Company) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert limits.may_place_call("alpha") == ""
    assert not any("monitoring_" in query["sql"] for query in asked.captured_queries)


@override_settings(PORTAL_CALL_CHECK="tests.billing.test_limits.always_refused")
def test_the_api_answers_429_and_when_to_try_again(alpha: Company) -> None:
    with company_scope("alpha"), pytest.raises(LimitReached) as refusal:
        check_may_place()
    answer = api.on_exception(RequestFactory().post("/api/v1/calls/"), refusal.value)
    assert (answer.status_code, answer["Retry-After"]) == (429, "15")
    assert json.loads(answer.content)["detail"] == "alpha is full"


def always_refused(company: str) -> str:
    return f"{company} is full"


def test_the_refusal_is_said_in_both_languages(alpha: Company) -> None:
    limited(alpha, LimitMode.HARD, 1)
    money.handled(alpha, (timezone.now(), None))
    with translation.override("en"):
        assert "1 call at once" in limits.may_place_call("alpha")
    with translation.override("ru"):
        assert limits.may_place_call("alpha").startswith("Ваша компания разрешает")
    assert Account.objects.get(company=alpha).call_limit == 1
