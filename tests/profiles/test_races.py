"""Many hands on one switch: at most one interval is open, and none overlaps another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from django.db import connection

from monitoring.models import Profile
from monitoring.services import profiles
from tenants.models import Company
from tenants.scope import company_scope
from tests.profiles.conftest import fresh, make_house


@pytest.mark.django_db(transaction=True)
def test_switches_at_the_same_time_make_whole_intervals_one_after_the_other(alpha: Company) -> None:
    house = make_house("alpha")

    def flip(turn: int) -> None:
        try:
            with company_scope("alpha"):
                actor = fresh(house.staff.admin if turn % 2 else house.staff.supervisor)
                for step in range(6):
                    profiles.switch(actor=actor, profile=house.mine, on=bool((turn + step) % 2))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as hands:
        list(hands.map(flip, range(6)))
    with company_scope("alpha"):
        rows = list(Profile.objects.get(pk=house.mine.pk).activity.all())
    assert len(rows) > 2
    assert sum(row.ended is None for row in rows) <= 1
    for earlier, later in pairwise(rows):
        assert earlier.ended is not None
        assert earlier.started < earlier.ended <= later.started
