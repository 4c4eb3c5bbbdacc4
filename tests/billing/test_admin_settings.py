"""Sellers and VAT rates: check digits catch typing mistakes, what was in force stays, changes are written down."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from billing.domain.bank_details import account_fits, correspondent_fits, is_bik
from billing.models import Act, Seller, VatRate
from billing.services import sellers
from billing.services.acts import Who
from billing.services.errors import BadTerms, NotNow
from tenants.models import Company
from tests.factories import money
from tests.factories.people import signed_in_staff

WHO = Who("Билл Инг", "platform")
TODAY = date(2026, 11, 22)
BIK, ACCOUNT, CORRESPONDENT = "044525225", "40702810200000012345", "30101810400000000225"


def whole(**changes: str) -> dict[str, Any]:
    return {
        "legal_name": "ООО «Связь»", "inn": "7736050003", "kpp": "773601001", "address": "Москва",
        "prefix": "СЧ-", "bank_name": "Банк", "bik": BIK, "account": ACCOUNT, "correspondent": CORRESPONDENT,
        "director": "Иванов И. И.", "accountant": "Петрова А. А.", **changes,
    }  # fmt: skip


def at(name: str, *args: object) -> str:
    return reverse(f"billing_admin:{name}", "ccenter.urls_public", args=args)


@pytest.mark.parametrize("place", range(20))
def test_any_one_wrong_digit_of_an_account_is_noticed(place: int) -> None:
    assert account_fits(ACCOUNT, BIK)
    assert correspondent_fits(CORRESPONDENT, BIK)
    for digit in "0123456789":
        if digit != ACCOUNT[place]:
            assert not account_fits(ACCOUNT[:place] + digit + ACCOUNT[place + 1 :], BIK)


def test_an_account_of_another_bank_does_not_fit() -> None:
    assert not account_fits(ACCOUNT, "044525974")
    assert not correspondent_fits(CORRESPONDENT, "044525974")
    assert not account_fits("4070281020000001234٥", BIK)
    assert not account_fits(ACCOUNT[:-1], BIK)
    assert [is_bik(bik) for bik in (BIK, "940000000", "04452522", "04452522x")] == [True, False, False, False]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("inn", "7736050004"),
        ("kpp", ""),
        ("bik", "994525225"),
        ("account", "40702810200000012346"),
        ("correspondent", "30101810400000000226"),
        ("correspondent", "40702810200000012345"),
        ("legal_name", ""),
    ],
)
def test_wrong_details_are_refused_by_name_and_nothing_is_stored(field: str, value: str) -> None:
    with pytest.raises(ValidationError) as told:
        sellers.save_seller(who=WHO, seller=Seller(**whole(**{field: value})))
    assert set(told.value.message_dict) == {field}
    assert not Seller.objects.exists()
    assert not Act.objects.exists()


@pytest.mark.django_db
def test_a_sole_trader_has_no_kpp() -> None:
    assert sellers.save_seller(who=WHO, seller=Seller(**whole(inn="502907418816", kpp=""))).pk


@pytest.mark.django_db
def test_a_prefix_stays_once_invoices_are_issued_under_it(alpha: Company, beta: Company) -> None:
    mine = sellers.save_seller(who=WHO, seller=Seller(**whole()))
    money.issued_invoice(money.subscribe(alpha, sold_by=mine))
    money.subscribe(beta, sold_by=mine)
    mine.prefix = "НОВ-"
    with pytest.raises(ValidationError):
        sellers.save_seller(who=WHO, seller=mine)
    mine.refresh_from_db()
    assert mine.prefix == "СЧ-"
    mine.address = "Тверь"
    sellers.save_seller(who=WHO, seller=mine)
    act = Act.objects.get(verb="seller.edit")
    assert act.details == {"changed": {"address": ["Москва", "Тверь"]}}


@pytest.mark.django_db
def test_a_seller_is_entered_and_changed_on_its_page() -> None:
    staff, _ = signed_in_staff()
    assert staff.post(at("seller_new"), whole(account="1")).status_code == 422
    assert not Seller.objects.exists()
    staff.post(at("seller_new"), whole())
    row = Seller.objects.get()
    staff.post(at("seller", row.pk), whole(director="Сидоров С. С."))
    row.refresh_from_db()
    assert row.director == "Сидоров С. С."
    assert "40702810200000012345" in staff.get(at("settings")).content.decode()


@pytest.mark.django_db
def test_a_vat_rate_begins_this_month_or_later_and_goes_only_before_its_day() -> None:
    with pytest.raises(BadTerms):
        sellers.new_rate(who=WHO, starts_on=date(2026, 10, 31), percent=Decimal(25), today=TODAY)
    with pytest.raises(BadTerms):
        sellers.new_rate(who=WHO, starts_on=date(2990, 1, 1), percent=Decimal(100), today=TODAY)
    made = sellers.new_rate(who=WHO, starts_on=date(2990, 1, 1), percent=Decimal(25), today=TODAY)
    with pytest.raises(NotNow):
        sellers.new_rate(who=WHO, starts_on=date(2990, 1, 1), percent=Decimal(26), today=TODAY)
    held = VatRate.objects.get(starts_on=date(2026, 1, 1))
    with pytest.raises(NotNow):
        sellers.remove_rate(who=WHO, rate=held, today=TODAY)
    sellers.remove_rate(who=WHO, rate=made, today=TODAY)
    assert [rate.percent for rate in VatRate.objects.all()] == [Decimal(20), Decimal(22)]
    assert list(Act.objects.order_by("pk").values_list("verb", flat=True)) == ["vat.new", "vat.remove"]


@pytest.mark.django_db
def test_rates_are_entered_and_removed_on_the_page(public_client: Client) -> None:
    staff, _ = signed_in_staff()
    staff.post(at("rate_new"), {"starts_on": "2990-01-01", "percent": "25"})
    made = VatRate.objects.get(starts_on=date(2990, 1, 1))
    assert staff.post(at("rate_new"), {"starts_on": "1990-01-01", "percent": "25"}).status_code == 422
    public_client.post(at("rate_remove", made.pk))
    assert VatRate.objects.filter(pk=made.pk).exists()
    staff.post(at("rate_remove", made.pk))
    assert VatRate.objects.count() == 2
