"""Two companies with the same names and different pasts: ten calls to alpha's sales, three to support, one to beta.

Times are UTC; the calls are those of one Wednesday.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from monitoring.models import Call, Leg, QueueVisit
from tenants.people.models import User
from tenants.scope import company_scope
from tests.factories.clock import fixed_day as fixed_day
from tests.factories.staff import Staff, make_staff

BEGAN = datetime(2026, 11, 18, 9, tzinfo=UTC)  # a Wednesday noon in Moscow
PERIOD = "from=2026-11-16&to=2026-11-22"


@pytest.fixture
def alpha_staff(db: None) -> Staff:
    staff = make_staff("alpha")
    with company_scope("alpha"):
        for number in range(10):
            called(staff, number, answered=number < 8)
        for number in range(10, 13):
            called(staff, number, answered=True, group="support")
    return staff


@pytest.fixture
def beta_staff(db: None) -> Staff:
    staff = make_staff("beta")
    with company_scope("beta"):
        called(staff, 1, answered=True)
    return staff


def called(staff: Staff, number: int, *, answered: bool, group: str = "sales", at: datetime = BEGAN) -> Call:
    """One call into the queue of its group; each one a minute after the one before. In the open scope."""
    chosen, person = (staff.sales, staff.anna) if group == "sales" else (staff.support, staff.boris)
    began = at + timedelta(minutes=number)
    left, ended = began + timedelta(seconds=12), began + timedelta(seconds=72 if answered else 12)
    key = f"{staff.pbx.pk}:{group}{number}"
    call = Call.objects.create(
        key=key, pbx=str(staff.pbx.pk), direction="in", number="+79160000000", name="", line="74950000001",
        started=began, answered=left if answered else None, ended=ended,
        disposition="answered" if answered else "no_answer", hung_up_by="customer", revision=1.0,
        customer="79160000000", groups=[chosen.pk], wait_seconds=12.0, talk_seconds=60.0 if answered else 0.0,
    )  # fmt: skip
    QueueVisit.objects.create(
        pbx=str(staff.pbx.pk), uniqueid=f"{group}{number}", call_key=key,
        queue=staff.queue if group == "sales" else None, queue_name=f"{group}", joined=began, left=left,
        outcome="answered" if answered else "abandoned", wait=12.0, position=1, answer_within=20.0,
        short_abandon=5.0, line="74950000001", groups=[chosen.pk],
    )  # fmt: skip
    if answered:
        span = [left.timestamp(), ended.timestamp()]
        Leg.objects.create(
            call=call, uniqueid=f"leg-{group}{number}", booked=ended, manager=person, manager_name=person.pbx_name,
            queue_name=group, rang=began, answered=left, ended=ended, outcome="answered", available=True,
            talk=[span], hold=[], talk_seconds=60.0, hold_seconds=0.0, groups=[chosen.pk],
        )  # fmt: skip
    return call


def signed_in(client: Client, slug: str, user: User | None) -> Client:
    assert user is not None
    with company_scope(slug):
        client.force_login(user, backend="tenants.people.backend.EmailBackend")
    return client
