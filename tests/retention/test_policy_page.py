"""A company's rules: who may change them, what a shorter time says before it is saved, what is written down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitoring.models import AuditEntry, Call, Policy
from monitoring.services import ingest
from monitoring.services import policy as service
from tenants.models import Company
from tenants.people.models import Role
from tenants.scope import company_scope
from tests.factories.people import signed_in
from tests.factories.told import call

pytestmark = pytest.mark.django_db

WANTED: dict[str, Any] = {
    "keep_calls": "1095", "keep_recordings": "180", "keep_events": "365", "record_calls": "on", "callback_within": "15",
    "work_days": ["1", "2", "6"], "work_from": "08:00", "work_until": "20:00", "region": "kz",
}  # fmt: skip


@pytest.fixture
def old_calls(alpha: Company, beta: Company) -> None:
    for slug in ("alpha", "beta"):
        with company_scope(slug):
            at = (timezone.now() - timedelta(days=100)).timestamp()
            ingest.store("1", [call(f"1:{number}", started=at + number) for number in range(3)])


def test_rules_are_saved_and_every_change_is_written_down(old_calls: None) -> None:
    client, _admin = signed_in("alpha")
    assert client.post("/manage/policy/", WANTED).status_code == 302
    with company_scope("alpha"):
        rules = Policy.objects.get()
        assert (rules.callback_within, rules.work_days, rules.region) == (15, [1, 2, 6], "KZ")
        assert AuditEntry.objects.get().details["callback_within"] == [30, 15]
    with company_scope("beta"):
        assert not Policy.objects.exists()


def test_a_shorter_time_first_says_what_it_removes(old_calls: None, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(service, "start", lambda task, *args: started.append(task))
    client, _admin = signed_in("alpha")
    answer = client.post("/manage/policy/", {**WANTED, "keep_calls": "30"})
    text = answer.content.decode()
    assert "3 звонка старше 30 дн." in text
    assert 'name="confirmed" value="1"' in text
    with company_scope("alpha"):
        assert not Policy.objects.exists()
        assert Call.objects.count() == 3
    assert client.post("/manage/policy/", {**WANTED, "keep_calls": "30", "confirmed": "1"}).status_code == 302
    with company_scope("alpha"):
        assert Policy.objects.get().keep_calls == 30
    assert started == ["monitoring.clean"]


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.MANAGER])
@pytest.mark.parametrize("where", ["/manage/policy/", "/manage/policy/erase/"])
def test_only_an_admin_may(old_calls: None, role: Role, where: str) -> None:
    client, _user = signed_in("alpha", role)
    assert client.get(where).status_code == 403
    assert (
        client.post(where, {**WANTED, "number": "+79160000000", "again": "+79160000000"}).status_code == 403
    )
    with company_scope("alpha"):
        assert not Policy.objects.exists()
        assert Call.objects.filter(customer="79160000000").count() == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [("keep_calls", "0"), ("keep_calls", "99999"), ("work_days", []), ("region", "RUS"), ("work_from", "x")],
)
def test_nonsense_is_refused_beside_its_field(old_calls: None, field: str, value: object) -> None:
    client, _admin = signed_in("alpha")
    assert client.post("/manage/policy/", {**WANTED, field: value}).status_code == 422
    with company_scope("alpha"):
        assert not Policy.objects.exists()
