"""The sound of a recording for programs: by a token, within its person's rights, each hearing written down."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from monitoring.models import AuditEntry, Policy
from monitoring.models.recordings import Recording, State
from tenants.people import tokens
from tenants.people.models import Scope, User
from tenants.scope import company_scope
from tests.factories.staff import Staff
from tests.recordings.conftest import Recorded, Shelf

SOUND = bytes(range(256)) * 1000


def fetch(
    company: str, user: User | None, pk: int, *, scopes: tuple[str, ...] = (Scope.RECORDINGS,), host: str = "",
    **headers: str,
) -> Any:  # fmt: skip
    assert user is not None
    with company_scope(company):
        _row, token = tokens.issue(user=user, name="t", scopes=scopes)
    client = Client(headers={"host": f"{host or company}.localhost", "authorization": f"Bearer {token}"})
    return client.get(f"/api/v1/recordings/{pk}/audio", headers=headers)


def hearings(company: str) -> int:
    with company_scope(company):
        return AuditEntry.objects.filter(kind="recording", verb="recording.hear").count()


@pytest.fixture
def mine(recorded: Recorded, alpha_staff: Staff) -> Recording:
    """Of Anna of Sales, whom alpha's supervisor heads."""
    return recorded("alpha", alpha_staff, sound=SOUND)


@pytest.fixture
def other(recorded: Recorded, alpha_staff: Staff) -> Recording:
    """Of Boris of Support, whom he does not."""
    return recorded("alpha", alpha_staff, uniqueid="1795251700.9", manager=alpha_staff.boris, sound=SOUND)


def test_the_sound_comes_whole_and_by_ranges_as_one_hearing(mine: Recording, alpha_staff: Staff) -> None:
    answer = fetch("alpha", alpha_staff.supervisor, mine.pk)
    assert (answer.status_code, b"".join(answer.streaming_content)) == (200, SOUND)
    assert answer["Content-Type"] == "audio/mpeg"
    assert "no-store" in answer["Cache-Control"]
    part = fetch("alpha", alpha_staff.supervisor, mine.pk, range="bytes=100-199")
    assert (part.status_code, b"".join(part.streaming_content)) == (206, SOUND[100:200])
    assert part["Content-Range"] == f"bytes 100-199/{len(SOUND)}"
    assert fetch("alpha", alpha_staff.supervisor, mine.pk, range="bytes=999999-").status_code == 416
    with company_scope("alpha"):
        entries = AuditEntry.objects.filter(kind="recording", actor=alpha_staff.supervisor)
        assert {entry.details["recording"] for entry in entries} == {mine.pk}
    assert hearings("alpha") <= 2  # one, unless the clock's window changed in between


def test_who_may_not_hear_gets_nothing_and_has_heard_nothing(
    mine: Recording, other: Recording, alpha_staff: Staff, beta_staff: Staff
) -> None:
    assert fetch("alpha", alpha_staff.supervisor, other.pk).status_code == 404
    assert fetch("alpha", alpha_staff.supervisor, mine.pk, scopes=(Scope.CALLS,)).status_code == 401
    assert fetch("alpha", alpha_staff.admin, mine.pk, host="beta").status_code == 401
    assert fetch("beta", beta_staff.admin, mine.pk).status_code == 404
    assert fetch("alpha", alpha_staff.admin, 2**63).status_code == 404
    with company_scope("alpha"):
        Recording.objects.filter(pk=other.pk).update(state=State.GONE)
    assert fetch("alpha", alpha_staff.admin, other.pk).status_code == 404
    assert (hearings("alpha"), hearings("beta")) == (0, 0)


def test_a_session_is_no_token_and_a_lost_file_is_not_there(
    mine: Recording, alpha_staff: Staff, shelf: Shelf
) -> None:
    client = Client(headers={"host": "alpha.localhost"})
    with company_scope("alpha"):
        client.force_login(alpha_staff.admin, backend="tenants.people.backend.EmailBackend")
    assert client.get(f"/api/v1/recordings/{mine.pk}/audio").status_code == 401
    for file in shelf.files():
        file.unlink()
    assert fetch("alpha", alpha_staff.admin, mine.pk).status_code == 404
    assert hearings("alpha") == 0


def test_a_right_that_ended_has_ended_for_the_token_too(mine: Recording, alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        _row, token = tokens.issue(user=alpha_staff.supervisor, name="t", scopes=(Scope.RECORDINGS,))
        Policy.objects.create(managers_hear_own=True)
    client = Client(headers={"host": "alpha.localhost", "authorization": f"Bearer {token}"})
    path = f"/api/v1/recordings/{mine.pk}/audio"
    assert client.get(path).status_code == 200
    with company_scope("alpha"):
        alpha_staff.supervisor.supervisor.groups.clear()
    assert client.get(path).status_code == 404
    with company_scope("alpha"):
        User.objects.filter(pk=alpha_staff.supervisor.pk).update(is_active=False)
    assert client.get(path).status_code == 401
