"""The billing staff's pages: who gets in, what they show, and what they say when there is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Act, BillingRun, Phase, PlanVersion, ReviewItem, ReviewKind, Seller, VatRate
from tenants.models import Company
from tests.factories import money
from tests.factories.people import signed_in, signed_in_staff

pytestmark = pytest.mark.django_db

PLATFORM = "ccenter.urls_public"
PAGES = ("companies", "plans", "runs", "review", "charts", "audit", "settings")


def at(name: str, *args: object) -> str:
    return reverse(f"billing_admin:{name}", PLATFORM, args=args)


@pytest.fixture
def staff() -> Client:
    return signed_in_staff()[0]


@pytest.fixture
def two(alpha: Company, beta: Company) -> tuple[Company, Company]:
    """Alpha by concurrency and billed, beta by profiles."""
    first = money.subscribe(alpha, "per_concurrency", date(2026, 1, 1))
    money.subscribe(beta, "per_profile", date(2026, 3, 1))
    money.issued_invoice(first, date(2026, 6, 1), Decimal("1500.00"))
    return alpha, beta


def test_every_page_opens_for_staff_with_nothing_in_it(staff: Client, alpha: Company) -> None:
    for name in PAGES:
        assert staff.get(at(name)).status_code == 200, name
    assert staff.get(at("company", alpha.pk)).status_code == 200
    assert staff.get(at("seller_new")).status_code == 200


def test_every_page_opens_for_staff_with_two_companies(staff: Client, two: tuple[Company, Company]) -> None:
    for name in PAGES:
        assert staff.get(at(name)).status_code == 200, name
    for company in two:
        page = staff.get(at("company", company.pk))
        assert page.status_code == 200
        assert company.name in page.content.decode()
