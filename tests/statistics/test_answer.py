"""What the engine answers from raw rows is what a slow walk over every row counts."""

from __future__ import annotations

from datetime import date

import pytest

from monitoring.domain.statistics import Question, Scope
from monitoring.selectors import statistics
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.staff import make_staff
from tests.statistics.world import make_past

BEGIN = 1_792_800_000.0


@pytest.mark.django_db
def test_smoke(alpha: Company) -> None:
    staff = make_staff("alpha")
    make_past(staff, "alpha", seed=1, begin=BEGIN, end=BEGIN + 3 * 86400)
    with company_scope("alpha"):
        found = statistics.answer(
            Question(Scope(), date(2026, 10, 20), date(2026, 10, 30), "Europe/Moscow", bucket="hour", split="manager"),
            now=BEGIN + 4 * 86400,
        )
    print(found.total)
    print(found.rows[:2])
