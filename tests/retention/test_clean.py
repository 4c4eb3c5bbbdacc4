"""What a company no longer keeps goes, all of it and nothing else; what it still keeps, and the other's, stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from monitoring.models import AuditEntry, Call, Cleaning, Leg, LostCall, Note, Policy, QueueVisit, Step
from monitoring.models.retention import Kind
from monitoring.services import ingest, retention
from monitoring.tasks.retention import clean
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff
from tests.factories.told import call, leg, visit

pytestmark = pytest.mark.django_db

NOW = timezone.now().timestamp()
DAY = 86_400.0
PARTS = (Call, Leg, Step, QueueVisit, LostCall, Note)


@pytest.fixture
def staff(alpha: Company, beta: Company) -> dict[str, Staff]:
    """Both companies keep ten days, and have a lost and an answered call of every day of the last three weeks."""
    found = {}
    for slug in ("alpha", "beta"):
        found[slug] = make_staff(slug)
        with company_scope(slug):
            Policy.objects.create(keep_calls=10, keep_events=10, keep_recordings=5)
            for day in range(20):
                tell(slug, day)
    return found


def tell(slug: str, day: int) -> None:
    at = NOW - day * DAY - 3600
    lost = call(f"1:l{day}", started=at, number="+79160000001", disposition="abandoned")._replace(
        answered=None
    )
    spoken = call(
        f"1:s{day}", started=at + 600, number="+79160000001", legs=(leg(f"{slug}_101", rang=at + 600),)
    )
    ingest.store(
        "1", [lost, spoken, visit(f"1:l{day}", f"{slug}_sales", outcome="abandoned", joined=at, wait=20)]
    )
    told = Call.objects.get(key=f"1:s{day}")
    Note.objects.create(call=told, who="Анна", text="о клиенте", written=timezone.now())


def counts() -> dict[str, int]:
    return {model.__name__: model._base_manager.count() for model in PARTS}


def test_old_calls_go_with_everything_that_hangs_on_them(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        assert not retention.clean(rest=0)
        assert counts() == {"Call": 20, "Leg": 10, "Step": 0, "QueueVisit": 10, "LostCall": 10, "Note": 10}
        assert not Call.objects.filter(started__lt=timezone.now() - timedelta(days=10)).exists()
        run = Cleaning.objects.get(kind="calls")
        assert (run.state, run.total, run.percent) == ("done", 20, 100)
    with company_scope("beta"):
        assert counts()["Call"] == 40
        assert not Cleaning.objects.exists()


def test_a_second_time_removes_nothing_and_says_nothing(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        retention.clean(rest=0)
        before = counts()
        assert not retention.clean(rest=0)
        assert counts() == before
        assert Cleaning.objects.filter(kind="calls").count() == 1


def test_a_worker_stopped_half_way_is_followed_by_another(
    staff: dict[str, Staff], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    with company_scope("alpha"):
        assert retention.drop_calls(timezone.now() - timedelta(days=10), limit=3) == 3
        assert retention.clean(seconds=0, rest=0), "there is more to do"
        assert Cleaning.objects.get(kind="calls").state == "running"
        while retention.clean(seconds=0, rest=0):
            pass
        assert counts()["Call"] == 20


def test_old_audit_goes_and_young_stays(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        for days in (1, 30):
            AuditEntry.objects.create(
                at=timezone.now() - timedelta(days=days), who="Анна", verb="x", kind="call", what=f"{days}"
            )
        retention.clean(rest=0)
        assert list(AuditEntry.objects.values_list("what", flat=True)) == ["1"]


def test_what_a_shorter_time_would_remove_is_known_before(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        assert retention.older(Kind.CALLS, timezone.now() - timedelta(days=15)) == 10
        assert retention.older(Kind.CALLS, datetime(2000, 1, 1, tzinfo=UTC)) == 0


def test_the_task_of_one_company_leaves_the_other_alone(staff: dict[str, Staff]) -> None:
    clean("alpha")
    with company_scope("alpha"):
        assert counts()["Call"] == 20
    with company_scope("beta"):
        assert counts()["Call"] == 40
