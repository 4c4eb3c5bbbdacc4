"""The demo's billing: a past by the real services, made once, and never worse for a company than a few days' delay."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from billing.models import Account, BankStatement, BillingRun, Invoice, InvoiceState, Payment, Phase, Seller
from billing.selectors import balance
from billing.selectors.standing import State, standing
from ccenter.demo import bank_file, money
from tenants.models import Company
from tenants.people.models import Role
from tenants.scope import company_scope
from tests.factories.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def payers(monkeypatch: pytest.MonkeyPatch, alpha: Company, beta: Company) -> tuple[Company, Company]:
    """The demo's two payers, living in the tests' two companies."""
    for company in (alpha, beta):
        with company_scope(company.slug):
            person(Role.ADMIN)
    first, second = money.PAYERS
    slugs = {first.slug: "alpha", second.slug: "beta"}
    moved = tuple(
        money.Payer(**{name: getattr(one, name) for name in one.__slots__} | {"slug": slugs[one.slug]})
        for one in money.PAYERS
    )
    monkeypatch.setattr(money, "PAYERS", moved)
    return alpha, beta


def noon(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12)


# Of a year's days those on which something begins or is due: the first, the grace, the 16th, the end.
@pytest.mark.parametrize("day", [1, 3, 4, 10, 15, 16, 17, 22, 30])
def test_on_any_day_of_a_month_nobody_is_shut_out_and_somebody_is_late(
    day: int, payers: tuple[Company, Company]
) -> None:
    now = noon(date(2027, 1, day))
    money.fill(now=now)
    assert standing("alpha", now=now).state is State.ACTIVE
    late = standing("beta", now=now)
    assert late.state is State.ACTIVE
    assert 0 < late.days_late < 10
    assert {phase.version.plan.code for phase in Phase.objects.all()} == {"per_profile", "per_concurrency"}
    assert Invoice.objects.filter(state=InvoiceState.PAID).count() >= 3
    # Numbers follow the papers' dates, as an accountant expects.
    dates = list(
        Invoice.objects.exclude(number=None).order_by("year", "number").values_list("issued_on", flat=True)
    )
    assert dates == sorted(dates)


def test_filled_twice_it_is_there_once(payers: tuple[Company, Company]) -> None:
    now = noon(date(2027, 1, 22))
    money.fill(now=now)
    models = (Seller, Account, Phase, Invoice, Payment, BankStatement, BillingRun)
    once = [model._default_manager.count() for model in models]
    assert all(once)
    money.fill(now=now)
    assert [model._default_manager.count() for model in models] == once


def test_weeks_later_the_late_one_has_paid_and_the_new_month_is_billed(
    payers: tuple[Company, Company],
) -> None:
    money.fill(now=noon(date(2027, 1, 22)))
    later = noon(date(2027, 2, 22))
    money.fill(now=later)
    assert standing("beta", now=later).state is State.ACTIVE
    assert Invoice.objects.filter(period_start=date(2027, 1, 1)).count() == 2
    assert balance.balance(payers[0]) >= Decimal(0)


def test_two_payments_wait_for_a_person(payers: tuple[Company, Company]) -> None:
    money.fill(now=noon(date(2027, 1, 22)))
    assert sorted(Payment.objects.filter(state="unmatched").values_list("amount", flat=True)) == [1500, 4800]


def test_a_bank_file_is_in_the_banks_own_alphabet() -> None:
    one = bank_file.Transfer(
        number="7", on=date(2027, 1, 9), amount=Decimal("1500"), payer="ООО «Альфа»", inn="7707083893",
        account="40702810200000012345", purpose="Оплата",
    )  # fmt: skip
    text = bank_file.statement(account="40702810100000054321", transfers=[one]).decode("cp1251")
    assert text.startswith("1CClientBankExchange\r\n")
    assert text.rstrip().endswith("КонецФайла")
    assert "Сумма=1500.00" in text
