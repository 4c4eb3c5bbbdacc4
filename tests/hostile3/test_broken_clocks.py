"""What a broken clock tells must cost little: one row of a status since 1970 is no million marks of half-hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from monitoring.models import Status
from monitoring.models.rollups import Stale
from monitoring.models.statuses import Source, StatusInterval
from tenants.scope import company_scope
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db
DAY = 48  # half-hours


def test_a_status_since_the_beginning_of_time_marks_four_hundred_days_at_most() -> None:
    staff = make_staff("alpha")
    with company_scope("alpha"):
        status = Status.objects.first()
        assert status is not None
        row = StatusInterval.objects.create(
            manager=staff.anna, status=status, started=datetime(1970, 1, 1, tzinfo=UTC), source=Source.PORTAL
        )
        assert DAY * 400 <= Stale.objects.count() <= DAY * 400 + 2
        Stale.objects.all().delete()
        row.started = datetime(1971, 1, 1, tzinfo=UTC)
        row.ended = timezone.now() - timedelta(days=2)
        row.save()
        assert Stale.objects.count() <= DAY * 400 + 2


def test_an_ordinary_status_marks_the_half_hours_it_touches() -> None:
    staff = make_staff("alpha")
    with company_scope("alpha"):
        status = Status.objects.first()
        assert status is not None
        StatusInterval.objects.create(
            manager=staff.anna, status=status, started=datetime(2026, 11, 2, 9, 10, tzinfo=UTC),
            ended=datetime(2026, 11, 2, 10, 5, tzinfo=UTC), source=Source.PORTAL,
        )  # fmt: skip
        marked = sorted(f"{at:%H:%M}" for at in Stale.objects.values_list("at", flat=True))
    assert marked == ["09:00", "09:30", "10:00"]
