"""A company that has not paid for a year is called, recorded and heard as ever: nobody on that way asks."""

from __future__ import annotations

import pytest

from billing.selectors import standing
from billing.selectors.standing import State
from monitoring.domain.facts import CallFact, LegFact
from monitoring.models import Call
from monitoring.services import ingest
from monitoring.services.recording_inbox import collect
from tenants.models import Company
from tenants.people.models import Role
from tenants.scope import company_scope
from tests.factories import money
from tests.factories.people import signed_in
from tests.factories.staff import Staff
from tests.recordings.conftest import NOON, Recorded, Shelf, talk

pytestmark = pytest.mark.django_db
UID = "1795251600.1"


@pytest.fixture
def owing(alpha: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alpha is suspended on whatever day the test runs; the way of calls may not even ask."""
    money.issued_invoice(money.subscribe(alpha, starts_on=money.date(2020, 1, 1)), money.date(2020, 6, 1))
    assert standing.standing("alpha").state == State.SUSPENDED


@pytest.fixture
def unasked(owing: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_words: object) -> None:
        raise AssertionError("The way of a call asked how the company stands.")

    monkeypatch.setattr(standing, "_read", asked)
    standing.forget()


def test_calls_are_taken_in(unasked: None, alpha_staff: Staff) -> None:
    leg = LegFact("2.1", "alpha_101", "", NOON, NOON + 5, NOON + 30, "answered", ((NOON + 5, NOON + 30),), ())
    fact = CallFact(
        "1:1.1", "in", "+74951234567", "Иван", "74951110001", NOON, NOON + 5, NOON + 30, "answered", "customer",
        (leg,), (), revision=NOON + 30,
    )  # fmt: skip
    with company_scope("alpha"):
        ingest.store("1", [fact])
        assert Call.objects.get().legs.get().talk_seconds == 25


def test_recordings_are_taken_in(unasked: None, shelf: Shelf, alpha_staff: Staff) -> None:
    shelf.leave(alpha_staff, "alpha", UID)
    with company_scope("alpha"):
        talk(alpha_staff, UID)
        assert collect().stored == 1
    assert len(shelf.files()) == 1


def test_recordings_are_heard(owing: None, recorded: Recorded, alpha_staff: Staff) -> None:
    row = recorded("alpha", alpha_staff)
    client, _admin = signed_in("alpha", Role.ADMIN)
    assert client.get(f"/recordings/{row.pk}/").status_code == 200
    linked = client.post(f"/recordings/{row.pk}/link/").json()
    assert client.get(linked["sound"]).status_code == 200
    assert client.post(f"/recordings/{row.pk}/download/").status_code == 200
    assert client.post(f"/recordings/{row.pk}/delete/").status_code == 423
    assert client.get("/calls/").status_code == 423
