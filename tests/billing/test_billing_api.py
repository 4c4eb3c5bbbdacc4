"""The API of a company's money: the same people see the same as on the pages, amounts are texts to the kopeck."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from billing.models import Invoice, Payment
from billing.services.accounts import change_details
from billing.services.acts import Who
from tenants.models import Company
from tenants.people import tokens
from tenants.people.models import Role, Scope
from tenants.scope import company_scope
from tests.factories.money import at_once, issued_invoice, moscow, subscribe
from tests.factories.people import person, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url", "stopped")]

NOW = moscow(2026, 6, 16)
PARTS = ("usage", "invoices", "payments")


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def program(company: str, role: Role = Role.ADMIN, scope: Scope = Scope.BILLING) -> Client:
    """A program with a new person's token."""
    with company_scope(company):
        _token, text = tokens.issue(user=person(role), name="1С", scopes=[scope])
    return Client(headers={"host": f"{company}.localhost", "authorization": f"Bearer {text}"})


def ask(client: Client, path: str, **asked: Any) -> Any:
    return client.get(f"/api/v1/billing/{path}", asked)


def money(company: Company, month: date = date(2026, 5, 1)) -> tuple[Invoice, Payment]:
    """An issued invoice of 1,500.00 of which 500.50 is paid."""
    made = company.subscriptions.first() or subscribe(company)
    invoice = issued_invoice(made, month)
    payment = Payment.objects.create(
        company=company, amount=Decimal("700.00"), paid_on=date(2026, 6, 5), document="17", state="matched",
        purpose="Оплата <b>", payer_name="Плательщик", fingerprint=f"{company.slug}{month}",
    )  # fmt: skip
    payment.allocations.create(invoice=invoice, amount=Decimal("500.50"))
    return invoice, payment


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("lets", [False, True])
@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR])
def test_a_token_does_no_more_than_its_person(alpha: Company, role: Role, lets: bool, part: str) -> None:
    invoice, _payment = money(alpha)
    change_details(who=Who("", "company"), company=alpha, details={"supervisors_see": lets})
    client = program("alpha", role)
    may = role == Role.ADMIN or lets
    assert ask(client, part).status_code == (200 if may else 403)
    assert ask(client, f"invoices/{invoice.pk}").status_code == (200 if may else 403)
    assert ask(client, f"invoices/{invoice.pk}/pdf").status_code == (200 if may else 403)


@pytest.mark.parametrize("part", PARTS)
def test_managers_other_scopes_and_strangers_get_nothing(
    alpha: Company, beta: Company, alpha_client: Client, part: str
) -> None:
    for company in (alpha, beta):
        money(company)
    manager, _user = signed_in("alpha", Role.MANAGER)
    assert ask(manager, part).status_code == 403
    assert ask(alpha_client, part).status_code == 401
    assert ask(program("alpha", scope=Scope.CALLS), part).status_code == 401
    stranger = program("beta")
    assert stranger.get(f"/api/v1/billing/{part}", headers={"host": "alpha.localhost"}).status_code == 401


def test_a_session_reads_too_and_nobody_writes(alpha: Company) -> None:
    money(alpha)
    client, _user = signed_in("alpha", Role.ADMIN)
    for part in PARTS:
        assert ask(client, part).status_code == 200
        assert client.post(f"/api/v1/billing/{part}").status_code == 405


def test_usage_is_the_months_with_its_forecast(alpha: Company, beta: Company) -> None:
    for company, count in ((alpha, 6), (beta, 16)):
        subscribe(company)
        at_once(company, count, moscow(2026, 6, 3, 10))
    told = ask(program("alpha"), "usage").json()
    assert told | {"forecast": 0} == {
        "plan": "per_concurrency", "plan_name": "По одновременным звонкам", "period_from": "2026-06-01",
        "period_to": "2026-07-01", "time_zone": "Europe/Moscow", "measure": "calls", "quantity": 6,
        "at": "2026-06-03T07:00:00.000000Z", "tier_from": 6, "tier_to": 15, "bound": 15, "share": 0.4,
        "level": None, "price": "3000.00", "balance": "0.00", "forecast": 0,
    }  # fmt: skip
    assert (told["forecast"]["total"], told["forecast"]["vat"]) == ("3000.00", "540.98")
    assert [line["amount"] for line in told["forecast"]["lines"]] == ["3000.00"]


def test_without_a_plan_there_is_no_usage(alpha: Company) -> None:
    assert ask(program("alpha"), "usage").status_code == 404
    assert ask(program("alpha"), "invoices").json() == {"items": [], "next": None}
    assert ask(program("alpha"), "payments").json() == {"items": [], "next": None}


def test_above_the_last_tier_the_forecast_has_no_total(alpha: Company) -> None:
    subscribe(alpha)
    at_once(alpha, 41, moscow(2026, 6, 3))
    told = ask(program("alpha"), "usage").json()
    assert (told["price"], told["forecast"]["total"], told["forecast"]["state"]) == (
        None,
        None,
        "needs_approval",
    )
    assert told["forecast"]["lines"][0]["amount"] is None


def test_an_invoice_is_told_whole_by_id_and_by_number(alpha: Company) -> None:
    invoice, payment = money(alpha)
    client = program("alpha")
    told = ask(client, f"invoices/{invoice.pk}").json()
    assert told == ask(client, f"invoices/{quote(invoice.full_number, safe='/')}").json()
    assert (told["number"], told["state"], told["total"], told["vat"], told["owed"]) == (
        invoice.full_number, "finalised", "1500.00", "270.49", "999.50",
    )  # fmt: skip
    assert (told["period_from"], told["period_to"]) == ("2026-05-01", "2026-06-01")
    (line,) = told["lines"]
    assert (line["net"], line["vat"], line["amount"], line["vat_rate"]) == (
        "1229.51", "270.49", "1500.00", "22.00",
    )  # fmt: skip
    assert told["payments"] == [{"payment_id": payment.pk, "paid_on": "2026-06-05", "amount": "500.50"}]
    paper = ask(client, f"invoices/{quote(invoice.full_number, safe='/')}/pdf")
    assert paper["Content-Type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF")
    assert "attachment" in paper["Content-Disposition"]


def test_payments_are_told_with_what_they_paid(alpha: Company, beta: Company) -> None:
    invoice, payment = money(alpha)
    money(beta)
    Payment.objects.create(amount=Decimal(1), paid_on=date(2026, 6, 6), fingerprint="nobody knows whose")
    assert ask(program("alpha"), "payments").json()["items"] == [
        {
            "id": payment.pk, "paid_on": "2026-06-05", "amount": "700.00", "document": "17",
            "purpose": "Оплата <b>",
            "invoices": [{"invoice_id": invoice.pk, "number": invoice.full_number, "amount": "500.50"}],
        }
    ]  # fmt: skip


def test_pages_follow_one_another_without_a_gap_or_a_double(alpha: Company, beta: Company) -> None:
    wanted = [money(alpha, date(2026, month, 1))[0].pk for month in range(1, 6)]
    money(beta)
    for part, ids in (("invoices", wanted), ("payments", None)):
        client, cursor, seen = program("alpha"), "", []
        while True:
            page = ask(client, part, limit=2, **({"cursor": cursor} if cursor else {})).json()
            assert len(page["items"]) <= 2
            seen += [row["id"] for row in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 5
        assert ids is None or seen == ids[::-1]


def test_invoices_are_found_by_day_state_and_debt(alpha: Company) -> None:
    first, second = (money(alpha, date(2026, month, 1))[0] for month in (4, 5))
    Invoice.objects.filter(pk=first.pk).update(state="paid", paid_at=datetime(2026, 6, 5, tzinfo=NOW.tzinfo))
    client = program("alpha")

    def found(**asked: Any) -> list[int]:
        return [row["id"] for row in ask(client, "invoices", **asked).json()["items"]]

    assert found(state="paid") == [first.pk]
    assert found(unpaid="true") == [second.pk]
    assert found(from_day="2026-05-05") == [second.pk]
    assert found(to_day="2026-05-04") == [first.pk]
    assert found(to_day="2026-05-03") == []


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"state": "draft"}, {"from_day": "вчера"},
        {"cursor": "x"}, {"cursor": "2026-06-01.x"}, {"cursor": "2026-06-01.-1"}, {"cursor": "1" * 41},
        {"cursor": "2026-06-01." + "9" * 25}, {"cursor": "9999999-01-01.1"},
    ],
)  # fmt: skip
def test_a_senseless_question_is_answered_with_what_is_wrong(alpha: Company, asked: dict[str, str]) -> None:
    money(alpha)
    answer = ask(program("alpha"), "invoices", **asked)
    assert answer.status_code == 400
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "which", ["0", "9" * 18, "9" * 30, "-1", "x", "%00", "../usage", "СЧ-2026/999999", "１"]
)
def test_what_is_not_ones_own_invoice_is_not_there(alpha: Company, beta: Company, which: str) -> None:
    money(alpha)
    assert ask(program("alpha"), f"invoices/{which}").status_code in (404, 400)
    theirs, _payment = money(beta, date(2026, 4, 1))
    for name in (str(theirs.pk), theirs.full_number):
        for tail in ("", "/pdf"):
            assert ask(program("alpha"), f"invoices/{name}{tail}").status_code == 404


def test_a_draft_is_not_there(alpha: Company) -> None:
    made = subscribe(alpha)
    draft = Invoice.objects.create(
        seller=made.seller, company=alpha, subscription=made, period_start=date(2026, 5, 1),
        period_end=date(2026, 6, 1), total=Decimal(1500), vat=Decimal(0), input_hash="0", cut_event=NOW,
        cut_stored=NOW, drafted_at=NOW,
    )  # fmt: skip
    client = program("alpha")
    assert ask(client, f"invoices/{draft.pk}").status_code == 404
    assert ask(client, f"invoices/{draft.pk}/pdf").status_code == 404
    assert ask(client, "invoices").json()["items"] == []


def test_it_is_described_with_the_rest(alpha: Company) -> None:
    client, _user = signed_in("alpha", Role.ADMIN)
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    for part in ("usage", "invoices", "invoices/{which}", "invoices/{which}/pdf", "payments"):
        assert f"/api/v1/billing/{part}" in paths
