"""A company's rule of removal does not remove what has not been billed yet."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from monitoring.models.policy import Policy
from monitoring.models.retention import Kind
from monitoring.services import retention
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.money import issued_invoice, moscow, subscribe

pytestmark = pytest.mark.django_db
NOW = moscow(2026, 7, 20)
WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def _short_rule(alpha: Company, beta: Company) -> None:
    for company in (alpha, beta):
        with company_scope(company.slug):
            Policy.objects.update_or_create(pk=1, defaults={"keep_calls": 2, "keep_events": 3})


def goes_before(company: Company, now: datetime = NOW) -> datetime:
    with company_scope(company.slug):
        return retention.limits(now)[Kind.CALLS]


def test_calls_stay_until_their_month_is_issued_and_no_longer(alpha: Company, beta: Company) -> None:
    subscription = subscribe(alpha, starts_on=date(2026, 6, 11))
    assert goes_before(alpha) == moscow(2026, 6, 11, 0) - WEEK
    assert goes_before(beta) == NOW - timedelta(days=2), "who pays for nothing keeps by the rule"
    issued_invoice(subscription)
    assert goes_before(alpha) == moscow(2026, 7, 1, 0) - WEEK
    with company_scope("alpha"):
        assert retention.limits(NOW)[Kind.EVENTS] == NOW - timedelta(days=3)


def test_what_ended_and_is_billed_holds_nothing(alpha: Company, beta: Company) -> None:
    issued_invoice(subscribe(alpha, starts_on=date(2026, 6, 1), ends_on=date(2026, 6, 20)))
    subscribe(beta, starts_on=date(2026, 6, 1), ends_on=date(2026, 6, 20))
    assert goes_before(alpha) == NOW - timedelta(days=2)
    assert goes_before(beta) == moscow(2026, 6, 1, 0) - WEEK


def test_the_month_of_a_far_zone_is_held_by_its_own_clock(alpha: Company, beta: Company) -> None:
    subscribe(alpha, starts_on=date(2026, 6, 1), zone="Asia/Vladivostok")
    subscribe(beta, starts_on=date(2026, 6, 1), zone="America/New_York")
    assert goes_before(alpha) == datetime(2026, 5, 31, 14, tzinfo=UTC) - WEEK
    assert goes_before(beta) == datetime(2026, 6, 1, 4, tzinfo=UTC) - WEEK


def test_a_platform_that_never_issues_holds_a_hundred_days_at_most(alpha: Company, beta: Company) -> None:
    subscribe(alpha, starts_on=date(2024, 1, 1))
    assert goes_before(alpha) == NOW - timedelta(days=100) - WEEK
    assert goes_before(beta) == NOW - timedelta(days=2)


def test_a_longer_rule_is_not_shortened(alpha: Company, beta: Company) -> None:
    subscribe(alpha, starts_on=date(2026, 6, 11))
    with company_scope("alpha"):
        Policy.objects.update(keep_calls=1095)
    assert goes_before(alpha) == NOW - timedelta(days=1095)
    assert goes_before(beta) == NOW - timedelta(days=2)
