"""Days of 23, 24, 25 and 23½ hours: cut at the company's midnights, the pieces are the whole, and nothing is lost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.domain.intervals import day_bounds, local_day
from monitoring.models import AutoInterval, Manager, Status, StatusInterval
from monitoring.models.presence import AutoKind
from monitoring.models.statuses import Source, StatusKind
from monitoring.selectors.day import Day, day_of
from monitoring.services import people
from tenants.models import Company
from tenants.people.models import User
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff
from tests.monitoring.test_status_page import signed_in

# A day on which each zone's clock jumps, and how many hours it then has.
JUMPS = [
    ("Europe/Berlin", date(2026, 3, 29), 23.0),
    ("Europe/Berlin", date(2025, 10, 26), 25.0),
    ("America/New_York", date(2026, 3, 8), 23.0),
    ("America/New_York", date(2025, 11, 2), 25.0),
    ("Australia/Lord_Howe", date(2025, 10, 5), 23.5),
    ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
    ("Asia/Kathmandu", date(2026, 1, 10), 24.0),
    ("Europe/Moscow", date(2026, 1, 10), 24.0),
]
STEPS = st.lists(st.integers(1, 40_000), min_size=1, max_size=20)


@pytest.fixture
def staff(alpha: Company, beta: Company) -> Staff:
    make_staff("beta")
    return make_staff("alpha")


def days(staff: Staff, zone: str, start: float, until: float) -> list[Day]:
    """Every local day from ``start`` to ``until``, as the page shows it at the day's end (the last: at ``until``)."""
    found: list[Day] = []
    day = local_day(start, zone)
    while day_bounds(day, zone)[0] < until:
        last = min(until, day_bounds(day, zone)[1] - 1e-6)
        found.append(day_of(staff.anna, zone=zone, now=last))
        day += timedelta(days=1)
    return found


@pytest.mark.parametrize(("zone", "jump", "hours"), JUMPS)
def test_statuses_sum_up_to_the_logged_in_time_on_every_day(
    staff: Staff, zone: str, jump: date, hours: float
) -> None:
    begin, end = day_bounds(jump, zone)
    assert end - begin == hours * 3600

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(STEPS, STEPS, st.integers(0, 86_400))
    def holds(steps: list[int], beside: list[int], ahead: int) -> None:
        first = begin - ahead
        with company_scope("alpha"):
            StatusInterval.objects.all().delete()
            AutoInterval.objects.all().delete()
            last = tile(staff, first, steps)
            lasted = sprinkle(staff, first, beside)
            shown = days(staff, zone, first, max(last, first + 3 * 86_400))
        until = max(last, first + 3 * 86_400)
        assert sum(day.logged_in for day in shown) == pytest.approx(until - first, abs=1)
        for day in shown:
            assert sum(day.seconds(kind) for kind in StatusKind) == pytest.approx(day.logged_in, abs=1)
            assert day.logged_in <= day.end - day.start + 1e-6
            assert all(day.start <= span.start <= span.end <= day.end for span in day.automatic)
        pieces = sum(span.end - span.start for day in shown for span in day.automatic)
        assert pieces == pytest.approx(min(lasted, until - first), abs=1)

    holds()


def tile(staff: Staff, first: float, steps: list[int]) -> float:
    """Status after status without a gap, the last one open; returns when the last began."""
    choices = list(Status.objects.live())
    at = first
    for place, seconds in enumerate([*steps, 0]):
        StatusInterval.objects.create(
            manager=staff.anna, status=choices[place % len(choices)], started=datetime.fromtimestamp(at, UTC),
            ended=datetime.fromtimestamp(at + seconds, UTC) if seconds else None, source=Source.PORTAL,
        )  # fmt: skip
        at += seconds
    return at


def sprinkle(staff: Staff, first: float, steps: list[int]) -> float:
    """Automatic statuses one after another, of at most three days together; returns how long all of them lasted."""
    at = first
    for place, seconds in enumerate(steps):
        ends = min(at + seconds, first + 3 * 86_400)
        if ends > at:
            AutoInterval.objects.create(
                manager=staff.anna, kind=list(AutoKind)[place % 3], started=datetime.fromtimestamp(at, UTC),
                ended=datetime.fromtimestamp(ends, UTC),
            )  # fmt: skip
        at = ends
    return at - first


# ---------------------------------------------------------------- on the pages


def lost_phone(staff: Staff, minutes: int, *, ended: bool) -> None:
    now = timezone.now()
    AutoInterval.objects.create(
        manager=staff.anna,
        kind=AutoKind.UNREGISTERED,
        started=now - timedelta(minutes=minutes),
        ended=now if ended else None,
    )


def test_the_day_page_shows_what_nobody_declared_beside_what_somebody_did(
    staff: Staff, alpha_client: Client, beta_client: Client
) -> None:
    with company_scope("alpha"):
        tile(staff, timezone.now().timestamp() - 60, [])
        lost_phone(staff, 2, ended=True)
        lost_phone(staff, 1, ended=False)
    page = signed_in(alpha_client, "alpha", staff.anna.user).get("/me/").text
    assert "Помимо статуса" in page
    assert "телефон не на связи" in page
    assert 'data-tone="alarm"' in page
    with company_scope("beta"):
        other = User.objects.get(email="m101@beta.example")
    assert "Помимо статуса" not in signed_in(beta_client, "beta", other).get("/me/").text


def test_the_team_page_shows_it_for_own_people_while_it_lasts(staff: Staff, alpha_client: Client) -> None:
    with company_scope("alpha"):
        lost_phone(staff, 5, ended=True)
        AutoInterval.objects.create(manager=staff.boris, kind=AutoKind.MISSING_CALLS, started=timezone.now())
    signed_in(alpha_client, "alpha", staff.supervisor)
    page = alpha_client.get("/team/").text
    assert "телефон не на связи" not in page
    assert "не отвечает на звонки" not in page, "not one's own person"
    with company_scope("alpha"):
        lost_phone(staff, 4, ended=False)
    assert "телефон не на связи" in alpha_client.get("/team/").text


def test_who_is_archived_leaves_nothing_that_goes_on(staff: Staff) -> None:
    assert staff.anna.user is not None
    for slug in ("alpha", "beta"):
        with company_scope(slug):
            person = Manager.objects.get(extension="101")
            StatusInterval.objects.create(
                manager=person, status=Status.objects.live()[0], started=timezone.now(), source=Source.PORTAL
            )
            AutoInterval.objects.create(
                manager=person, kind=AutoKind.UNREGISTERED, started=timezone.now() + timedelta(seconds=5)
            )
    with company_scope("alpha"):
        people.archive(actor=staff.admin, user=staff.anna.user)
        assert not StatusInterval.objects.filter(ended__isnull=True).exists()
        row = AutoInterval.objects.get()
        assert row.ended == row.started, "a PBX's clock may be ahead of ours"
    with company_scope("beta"):
        assert StatusInterval.objects.filter(ended__isnull=True).count() == 1
        assert AutoInterval.objects.filter(ended__isnull=True).count() == 1
