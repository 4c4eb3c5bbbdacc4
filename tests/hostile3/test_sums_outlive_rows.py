"""Figures of a time whose calls the company no longer keeps stay: nothing counts them anew from rows that are gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from monitoring.domain.statistics import Question, Scope
from monitoring.models import Call, Policy, Status
from monitoring.models.statuses import Source, StatusInterval
from monitoring.selectors.statistics import answer
from monitoring.services import ingest, retention, rollups
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff
from tests.factories.told import call, visit

pytestmark = pytest.mark.django_db
DAYS_AGO = 100


@pytest.fixture
def staff() -> Staff:
    made = make_staff("alpha")
    old = timezone.now().timestamp() - DAYS_AGO * 86_400
    with company_scope("alpha"):
        for number in range(5):
            at = old + number * 60
            told = call(f"1:{at:.2f}", started=at)
            ingest.store("1", [told, visit(told.key, "alpha_sales", joined=at)])
        build()
        Policy.objects.update_or_create(pk=1, defaults={"keep_calls": 30})
        while retention.clean(rest=0):
            pass
        assert not Call.objects.exists()
    return made


def build() -> None:
    while rollups.build().left:
        pass


def offered() -> float:
    today = timezone.now().date()
    return answer(Question(Scope(), today - timedelta(days=DAYS_AGO + 3), today, "Europe/Moscow")).total[
        "offered"
    ]


def test_removed_calls_stay_in_the_figures(staff: Staff) -> None:
    with company_scope("alpha"):
        assert offered() == 5
        build()
        assert offered() == 5


def test_neither_a_late_fact_nor_a_broken_clock_counts_them_anew(staff: Staff) -> None:
    with company_scope("alpha"):
        rollups.mark([(timezone.now().timestamp() - DAYS_AGO * 86_400, timezone.now().timestamp())])
        at = timezone.now().timestamp() - DAYS_AGO * 86_400 + 90
        ingest.store("1", [visit(f"1:{at:.2f}", "alpha_sales", joined=at)])
        status = Status.objects.first()
        assert status is not None
        StatusInterval.objects.create(
            manager=staff.anna, status=status, started=datetime(1970, 1, 1, tzinfo=UTC), source=Source.PORTAL
        )
        assert offered() == 5
        build()
        assert offered() == 5


def test_what_is_still_kept_is_counted_anew(staff: Staff) -> None:
    with company_scope("alpha"):
        at = timezone.now().timestamp() - 20 * 86_400
        ingest.store("1", [visit(f"1:{at:.2f}", "alpha_sales", joined=at)])
        assert offered() == 6
        build()
        assert offered() == 6
