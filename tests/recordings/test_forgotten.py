"""A customer who was forgotten is not heard again: no file that comes later, or was being stored, finds its call."""

from __future__ import annotations

import pytest
from django.utils import timezone

from monitoring.models import Call, Erasure
from monitoring.models.recordings import Recording, State
from monitoring.services import erasure, recording_inbox
from monitoring.services.recording_inbox import attach_to, collect
from tenants.scope import company_scope
from tests.factories.staff import Staff
from tests.recordings.conftest import NOON, Recorded, Shelf, talk

UNIQUEID = "1795251600.1"
CUSTOMER = "79161234567"


def forget(staff: Staff) -> None:
    made = Erasure.objects.create(
        digest="d", customer=CUSTOMER, asked=timezone.now(), asked_by=staff.admin, who="Админ",
        until=timezone.now(), total=1,
    )  # fmt: skip
    erasure.carry_out(made.pk)
    assert Call.objects.get().customer == ""


def test_a_file_that_comes_after_the_removal_is_thrown_away(shelf: Shelf, alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        talk(alpha_staff, UNIQUEID)
        forget(alpha_staff)
        left = shelf.leave(alpha_staff, "alpha", UNIQUEID)
        assert collect().dropped == 1
        assert not left.exists()
        assert not Recording.objects.exists()
    assert shelf.files() == []


def test_a_file_being_stored_during_the_removal_is_thrown_away(
    shelf: Shelf, alpha_staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = recording_inbox._put

    def slowly(*args: object) -> None:
        put(*args)  # type: ignore[arg-type]
        forget(alpha_staff)

    monkeypatch.setattr(recording_inbox, "_put", slowly)
    with company_scope("alpha"):
        talk(alpha_staff, UNIQUEID)
        shelf.leave(alpha_staff, "alpha", UNIQUEID, begun=NOON)
        assert collect().dropped == 1
        assert not Recording.objects.exists()
        assert not Call.objects.get().recorded
    assert shelf.files() == []


def test_an_orphan_is_not_given_to_a_forgotten_call_and_what_slipped_in_goes_with_the_next_removal(
    recorded: Recorded, shelf: Shelf, alpha_staff: Staff
) -> None:
    orphan = recorded("alpha", alpha_staff, uniqueid=UNIQUEID)
    with company_scope("alpha"):
        Recording.objects.update(call=None, state=State.ORPHAN, reason="no_call")
        forget(alpha_staff)
        orphan.refresh_from_db()
        assert not attach_to(orphan, Call.objects.get())
        Recording.objects.update(call=Call.objects.get(), state=State.STORED)
        Erasure.objects.update(customer="79160000001", state="waiting")
        erasure.carry_out(Erasure.objects.get().pk)
        assert not Recording.objects.exists()
    assert shelf.files() == []
