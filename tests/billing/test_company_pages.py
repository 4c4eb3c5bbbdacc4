"""A company's pages about its money: each opens for whom it is for, and nothing of another company's is there."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from billing.domain.periods import month_of
from billing.models import Account, Act, Invoice, LimitNotice, Payment, Phase, Subscription
from billing.services import subscriptions
from billing.services.accounts import change_details
from billing.services.acts import Who
from tenants.models import Company
from tenants.people.models import Role
from tenants.scope import company_scope
from tests.factories.money import (
    account,
    at_once,
    issued_invoice,
    moscow,
    plan,
    profile_on,
    seller,
    subscribe,
)
from tests.factories.people import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url", "stopped")]

NOW = moscow(2026, 6, 16)
PAGES = ("", "compare/", "peak/", "plan/", "invoices/", "payments/")
ADMINS = ("details/", "plan/per_profile/")
SYSTEM = Who("", "company")


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages have no clock to be given: theirs stands at NOW."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def paid(invoice: Invoice, amount: Decimal) -> Payment:
    payment = Payment.objects.create(
        company=invoice.company, amount=amount, paid_on=date(2026, 6, 5), document="17", state="matched",
        fingerprint=f"{invoice.pk}-{amount}",
    )  # fmt: skip
    payment.allocations.create(invoice=invoice, amount=amount)
    return payment


def money_of(company: Company) -> list[object]:
    """All that these pages can change."""
    return [
        list(Account.objects.filter(company=company).values()),
        list(Subscription.objects.filter(company=company).values()),
        list(Phase.objects.filter(subscription__company=company).order_by("pk").values()),
        Act.objects.filter(company=company).count(),
    ]


# ---------------------------------------------------------------- who sees what


@pytest.mark.parametrize("page", [*PAGES, *ADMINS])
@pytest.mark.parametrize("lets", [False, True])
@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR, Role.MANAGER])
def test_each_page_is_for_admins_and_for_supervisors_where_they_are_let(
    alpha: Company, role: Role, lets: bool, page: str
) -> None:
    subscribe(alpha)
    change_details(who=SYSTEM, company=alpha, details={"supervisors_see": lets})
    client, _user = signed_in("alpha", role)
    seen = role == Role.ADMIN or (role == Role.SUPERVISOR and lets and page in PAGES)
    answer = client.get(f"/billing/{page}")
    assert answer.status_code == (200 if seen else 403)
    if not seen:
        assert "₽" not in answer.text


@pytest.mark.parametrize("lets", [False, True])
@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR, Role.MANAGER])
def test_the_menu_has_an_entry_for_whom_it_opens(alpha: Company, role: Role, lets: bool) -> None:
    change_details(who=SYSTEM, company=alpha, details={"supervisors_see": lets})
    client, _user = signed_in("alpha", role)
    page = client.get("/people/me/", follow=True).text
    assert ('href="/billing/"' in page) == (role == Role.ADMIN or (role == Role.SUPERVISOR and lets))


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.MANAGER])
@pytest.mark.parametrize(
    ("page", "sent"),
    [
        ("plan/per_concurrency/", {"shown": "2026-06-17"}),
        ("plan/cancel/", {}),
        ("details/", {"legal_name": "ООО «Моё»", "inn": "7707083893", "limit_mode": "none"}),
    ],
)
def test_who_may_look_changes_nothing(alpha: Company, role: Role, page: str, sent: dict[str, str]) -> None:
    subscribe(alpha, "per_profile")
    change_details(who=SYSTEM, company=alpha, details={"supervisors_see": True})
    if page == "plan/cancel/":
        subscriptions.change_plan(who=SYSTEM, company=alpha, plan=plan("per_concurrency"), now=NOW)
    client, _user = signed_in("alpha", role)
    before = money_of(alpha)
    assert client.post(f"/billing/{page}", sent).status_code == 403
    assert money_of(alpha) == before


def test_nobody_signed_in_is_sent_to_sign_in(alpha: Company, alpha_client: Client) -> None:
    subscribe(alpha)
    for page in (*PAGES, *ADMINS):
        answer = alpha_client.get(f"/billing/{page}")
        assert answer.status_code == 302, page
        assert "sign-in" in answer["Location"] or "login" in answer["Location"]


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR])
def test_another_companys_papers_are_not_there(alpha: Company, beta: Company, role: Role) -> None:
    ours, theirs = (issued_invoice(subscribe(company), date(2026, 5, 1)) for company in (alpha, beta))
    note = theirs.credit_notes.create(
        seller=theirs.seller, company=beta, kind="by hand", year=2026, number=1, full_number="КР-1",
        issued_on=date(2026, 6, 9), net=Decimal(100), vat=Decimal(22), amount=Decimal(122), reason="Скидка",
        fingerprint="x", made_at=NOW,
    )  # fmt: skip
    change_details(who=SYSTEM, company=alpha, details={"supervisors_see": True})
    client, _user = signed_in("alpha", role)
    for page in ("", "pdf/", "act/"):
        assert client.get(f"/billing/invoices/{ours.pk}/{page}").status_code == 200, page
        assert client.get(f"/billing/invoices/{theirs.pk}/{page}").status_code == 404, page
    assert client.get(f"/billing/credits/{note.pk}/pdf/").status_code == 404
    for page in PAGES:
        text = client.get(f"/billing/{page}").text
        assert theirs.full_number not in text
        assert "Бета" not in text


def test_a_draft_is_not_there_and_a_void_one_says_so(alpha: Company) -> None:
    made = subscribe(alpha)
    issued = issued_invoice(made, date(2026, 4, 1))
    Invoice.objects.filter(pk=issued.pk).update(state="void", voided_at=NOW, void_reason="Ошибка <b>")
    draft = Invoice.objects.create(
        seller=made.seller, company=alpha, subscription=made, period_start=date(2026, 5, 1),
        period_end=date(2026, 6, 1), total=Decimal(1500), vat=Decimal(0), input_hash="0", cut_event=NOW,
        cut_stored=NOW, drafted_at=NOW,
    )  # fmt: skip
    client, _user = signed_in("alpha", Role.ADMIN)
    for page in ("", "pdf/", "act/"):
        assert client.get(f"/billing/invoices/{draft.pk}/{page}").status_code == 404
    page = client.get(f"/billing/invoices/{issued.pk}/").text
    assert "Счёт отозван" in page
    assert "Ошибка &lt;b&gt;" in page
    assert client.get(f"/billing/invoices/{issued.pk}/act/").status_code == 404
    assert (
        "1 500,00"
        not in client.get("/billing/")
        .text.replace("\u00a0", " ")
        .split("Счета и акты")[-1]
        .split("отозван")[-1]
    )


# ---------------------------------------------------------------- the overview


def shown(client: Client, page: str = "") -> str:
    answer = client.get(f"/billing/{page}")
    assert answer.status_code == 200
    return answer.text.replace("\u00a0", " ")


def test_before_anything_is_chosen_the_page_says_what_to_do(alpha: Company) -> None:
    seller()
    client, _user = signed_in("alpha", Role.ADMIN)
    page = shown(client)
    assert "Тариф ещё не выбран" in page
    assert 'href="/billing/details/"' in page
    plans = shown(client, "plan/")
    assert "1 000,00 ₽" in plans
    assert "1 500,00 ₽" in plans
    assert "5 000 ₽" in plans


def test_usage_is_told_with_its_moment_its_tier_and_its_calls(alpha: Company, beta: Company) -> None:
    for company in (alpha, beta):
        subscribe(company)
    at_once(alpha, 6, moscow(2026, 6, 3, 10))
    at_once(beta, 16, moscow(2026, 6, 4, 10))
    client, _user = signed_in("alpha", Role.ADMIN)
    page = shown(client)
    assert "3 июня, 10:00:00" in page
    assert 'max="15" value="6"' in page
    assert "3 000,00 ₽" in page
    assert "5 000,00 ₽" not in page.split("Прогноз")[1].split("Баланс")[0]
    assert '"whole": 720' in page
    peak = shown(client, "peak/")
    assert len(re.findall(r'href="/calls/\d+/"', peak)) == 6
    assert "79160000000" in peak
    assert "10:10:00" in peak
    day = shown(client, "peak/?day=2026-06-04")
    assert "разговоров не было" in day


@pytest.mark.parametrize("day", ["2026-06-17", "2025-05-31", "x", "2026-13-01", "0001-01-01", "9" * 99])
def test_a_senseless_day_is_not_found(alpha: Company, day: str) -> None:
    subscribe(alpha)
    client, _user = signed_in("alpha", Role.ADMIN)
    assert client.get(f"/billing/peak/?day={day}").status_code == 404


def test_a_supervisor_who_may_look_is_told_when_but_not_who_called(alpha: Company) -> None:
    subscribe(alpha)
    at_once(alpha, 6, moscow(2026, 6, 3, 10))
    change_details(who=SYSTEM, company=alpha, details={"supervisors_see": True})
    client, _user = signed_in("alpha", Role.SUPERVISOR)
    page = shown(client, "peak/")
    assert page.count("03.06.2026 10:00:00") == 6
    assert "79160000000" not in page
    assert not re.search(r'href="/calls/\d+/"', page)


def test_profiles_are_told_as_included_and_further(alpha: Company) -> None:
    subscribe(alpha, "per_profile")
    for _ in range(4):
        profile_on(alpha, moscow(2026, 6, 2))
    client, _user = signed_in("alpha", Role.ADMIN)
    page = shown(client)
    assert "Сейчас включены 4 профиля мониторинга" in page
    assert "Входит в тариф: 3, сверх него: 1" in page
    assert "1 250,00 ₽" in page
    assert '"values": [0, 4, 4' in page


def test_above_the_last_tier_no_amount_is_named(alpha: Company) -> None:
    subscribe(alpha)
    at_once(alpha, 41, moscow(2026, 6, 3))
    client, _user = signed_in("alpha", Role.ADMIN)
    page = shown(client)
    assert "согласуем с вами цену" in page
    forecast = page.split('id="forecast"')[1].split("</section>")[0]
    assert "по договорённости" in forecast
    assert "₽" not in forecast


def test_warnings_of_this_month_are_listed(alpha: Company, beta: Company) -> None:
    subscribe(alpha)
    month = month_of(date(2026, 6, 1), "Europe/Moscow")
    for company, value in ((alpha, 4), (beta, 777)):
        LimitNotice.objects.create(
            company=company, period_start=month.start, what="tier", level=80, value=value, bound=5,
            at=NOW - timedelta(hours=1),
        )  # fmt: skip
    client, _user = signed_in("alpha", Role.ADMIN)
    page = shown(client)
    assert "4 из 5, предусмотренных ступенью" in page
    assert "777" not in page


def test_what_other_plans_would_have_cost_names_the_cheapest_and_the_difference(alpha: Company) -> None:
    subscribe(alpha)
    at_once(alpha, 6, moscow(2026, 5, 3))
    client, _user = signed_in("alpha", Role.ADMIN)
    page = shown(client, "compare/")
    assert "на 2 000,00 ₽ меньше" in page
    part = client.get("/billing/compare/", headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert "меньше" in part


def test_money_is_told_to_the_kopeck(alpha: Company, beta: Company) -> None:
    one, two = (issued_invoice(subscribe(company), date(2026, 5, 1)) for company in (alpha, beta))
    paid(one, Decimal("500.50"))
    paid(two, Decimal("1500.00"))
    client, _user = signed_in("alpha", Role.ADMIN)
    page = shown(client)
    assert "−999,50 ₽" in page
    assert one.full_number in page
    listed = shown(client, "payments/")
    assert "500,50 ₽" in listed
    assert one.full_number in listed
    assert "1 500,00 ₽" not in listed
    invoice = shown(client, f"invoices/{one.pk}/")
    assert "−500,50 ₽" in invoice
    assert "999,50 ₽" in invoice
    assert "270,49 ₽" in invoice


# ---------------------------------------------------------------- the plan


def test_the_day_and_the_price_are_shown_before_anything_changes(alpha: Company) -> None:
    subscribe(alpha, "per_profile")
    client, _user = signed_in("alpha", Role.ADMIN)
    before = money_of(alpha)
    asked = shown(client, "plan/per_concurrency/")
    assert "17 июня 2026 г." in asked
    assert "1 500,00 ₽" in asked
    assert "1 000,00 ₽" in asked
    assert 'name="shown" value="2026-06-17"' in asked
    for sent in ({}, {"shown": ""}, {"shown": "завтра"}):
        assert client.post("/billing/plan/per_concurrency/", sent).status_code == 200
    refused = client.post("/billing/plan/per_concurrency/", {"shown": "2026-06-18"})
    assert refused.status_code == 409
    assert money_of(alpha) == before


def test_a_change_is_made_and_taken_back(alpha: Company, beta: Company) -> None:
    for company in (alpha, beta):
        subscribe(company, "per_profile")
    client, user = signed_in("alpha", Role.ADMIN)
    before = money_of(beta)
    done = client.post("/billing/plan/per_concurrency/", {"shown": "2026-06-17"}, follow=True)
    assert done.redirect_chain == [("/billing/", 302)]
    assert "С 17 июня 2026 г. — тариф" in done.text.replace("\u00a0", " ")
    act = Act.objects.get(company=alpha, verb="plan.change")
    assert (act.who, act.side) == (str(user), "company")
    undone = client.post("/billing/plan/cancel/", follow=True)
    assert "Переход отменён" in undone.text
    assert list(Phase.objects.filter(subscription__company=alpha).values_list("ends_on", flat=True)) == [None]
    assert "Отменять нечего" in client.post("/billing/plan/cancel/", follow=True).text
    assert money_of(beta) == before


def test_the_first_plan_is_taken_from_today(alpha: Company) -> None:
    seller()
    client, _user = signed_in("alpha", Role.ADMIN)
    assert 'name="shown" value="2026-06-16"' in shown(client, "plan/per_profile/")
    client.post("/billing/plan/per_profile/", {"shown": "2026-06-16"})
    made = Subscription.objects.get(company=alpha)
    assert (made.starts_on, made.time_zone) == (date(2026, 6, 16), "Europe/Moscow")


@pytest.mark.parametrize("shown_day", ["2026-06-15", "2020-01-01", "2026-06-17"])
def test_the_first_plan_is_not_taken_from_any_other_day(alpha: Company, shown_day: str) -> None:
    seller()
    client, _user = signed_in("alpha", Role.ADMIN)
    assert client.post("/billing/plan/per_profile/", {"shown": shown_day}).status_code == 409
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("code", ["nothing", "per_profile_old"])
def test_a_plan_that_is_not_on_offer_is_not_there(alpha: Company, code: str) -> None:
    subscribe(alpha)
    plan("per_profile").__class__.objects.create(
        code="per_profile_old", model="per_profile", name_ru="Старый", name_en="Old", on_offer=False
    )
    client, _user = signed_in("alpha", Role.ADMIN)
    before = money_of(alpha)
    assert client.get(f"/billing/plan/{code}/").status_code == 404
    assert client.post(f"/billing/plan/{code}/", {"shown": "2026-06-17"}).status_code == 404
    assert money_of(alpha) == before


# ---------------------------------------------------------------- details

DETAILS = {
    "legal_name": "ООО «Ромашка»", "inn": "7707083893", "kpp": "770701001", "address": "Москва",
    "email": "pay@alpha.example", "supervisors_see": "on", "limit_mode": "hard", "call_limit": "10",
    "profile_limit": "5",
}  # fmt: skip


def test_details_are_kept_and_written_down(alpha: Company, beta: Company) -> None:
    account(beta)
    before = money_of(beta)
    client, user = signed_in("alpha", Role.ADMIN)
    assert client.post("/billing/details/", DETAILS).status_code == 302
    kept = Account.objects.get(company=alpha)
    assert (kept.inn, kept.supervisors_see, kept.limit_mode, kept.call_limit, kept.profile_limit) == (
        "7707083893", True, "hard", 10, 5,
    )  # fmt: skip
    act = Act.objects.get(company=alpha)
    assert (act.verb, act.who) == ("details.change", str(user))
    assert act.details["inn"] == ["", "7707083893"]
    client.post("/billing/details/", DETAILS)
    assert Act.objects.filter(company=alpha).count() == 1, "nothing changed, nothing is written"
    assert money_of(beta) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"inn": "7707083894"},
        {"inn": "770708389"},
        {"inn": "77070838９3"},
        {"kpp": "12345"},
        {"inn": "500100732259"},
        {"legal_name": ""},
        {"legal_name": "ООО\u202eФирма"},
        {"legal_name": "x" * 201},
        {"email": "not an address"},
        {"email": "a@b.example\nBcc: c@d.example"},
        {"call_limit": ""},
        {"call_limit": "0"},
        {"call_limit": "-5"},
        {"call_limit": "1e9"},
        {"profile_limit": "0"},
        {"limit_mode": "cut"},
    ],
)
def test_wrong_details_are_said_and_kept_out(alpha: Company, wrong: dict[str, str]) -> None:
    account(alpha)
    before = money_of(alpha)
    client, _user = signed_in("alpha", Role.ADMIN)
    answer = client.post("/billing/details/", DETAILS | wrong)
    assert answer.status_code == 422
    assert "errorlist" in answer.text or 'role="alert"' in answer.text
    assert money_of(alpha) == before


def test_a_hostile_name_is_text_everywhere(alpha: Company) -> None:
    subscribe(alpha)
    name = '<script>alert(1)</script>"=1+1'
    client, _user = signed_in("alpha", Role.ADMIN)
    assert client.post("/billing/details/", DETAILS | {"legal_name": name}).status_code == 302
    invoice = issued_invoice(Subscription.objects.get(company=alpha), date(2026, 5, 1))
    for page in ("details/", "invoices/", f"invoices/{invoice.pk}/", ""):
        assert "<script>alert" not in shown(client, page)
    assert client.get(f"/billing/invoices/{invoice.pk}/pdf/").content.startswith(b"%PDF")


# ---------------------------------------------------------------- both languages


@pytest.mark.parametrize("page", [*PAGES, *ADMINS])
def test_each_page_is_said_in_english_too(alpha: Company, page: str) -> None:
    subscribe(alpha)
    at_once(alpha, 6, moscow(2026, 6, 3, 10))
    client, user = signed_in("alpha", Role.ADMIN, name="Ann")
    Company.objects.filter(pk=alpha.pk).update(name="Alpha")
    account(alpha, legal_name="Alpha", address="Moscow")
    with company_scope("alpha"):
        user.language = "en"
        user.save(update_fields=["language"])
    answer = client.get(f"/billing/{page}")
    assert answer.status_code == 200
    assert 'lang="en"' in answer.text
    main = answer.text.split("<main")[1].split("</main")[0]
    assert not set(main) & set("абвгдежзийклмнопрстуфхцчшщъыьэюя"), "no Russian letter but in names"


def test_the_clock_of_the_company_is_its_own(alpha: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe(alpha, zone="Asia/Vladivostok")
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 6, 30, 15, tzinfo=UTC))
    client, _user = signed_in("alpha", Role.ADMIN)
    assert "июль 2026" in shown(client)
