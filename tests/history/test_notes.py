"""Notes and marks: who may write them on whose calls, whose notes are whose, and that taking back can be undone."""

from __future__ import annotations

import pytest

from monitoring.models import AuditEntry, CallMark, Mark, Note
from tenants.people.models import User
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff
from tests.history.past import make_call
from tests.history.test_journal import HOSTILE, signed_in

HX = {"HX-Request": "true"}


@pytest.fixture
def alpha_staff(db: None) -> Staff:
    return make_staff("alpha")


@pytest.fixture
def beta_staff(db: None) -> Staff:
    return make_staff("beta")


def user_of(staff: Staff, who: str) -> User:
    found = getattr(staff, who)
    user = found if isinstance(found, User) else found.user
    assert isinstance(user, User)
    return user


@pytest.mark.parametrize(
    ("who", "allowed"), [("admin", True), ("supervisor", True), ("anna", True), ("boris", False)]
)
def test_who_may_write_on_a_call_of_annas_in_sales(
    alpha_staff: Staff, beta_staff: Staff, who: str, allowed: bool
) -> None:
    with company_scope("alpha"):
        call = make_call("a", groups=[alpha_staff.sales.pk], manager=alpha_staff.anna)
        mark = Mark.objects.create(label="Проба", colour="red")
    for staff, slug, expected in ((alpha_staff, "alpha", 302 if allowed else 404), (beta_staff, "beta", 404)):
        client = signed_in(slug, user_of(staff, who))
        assert client.post(f"/calls/{call.pk}/notes/", {"text": "важно"}).status_code == expected
        assert client.post(f"/calls/{call.pk}/marks/{mark.pk}/", {"on": "1"}).status_code == expected
    with company_scope("alpha"):
        assert Note.objects.count() == CallMark.objects.count() == int(allowed)
    with company_scope("beta"):
        assert not Note.objects.exists()


def test_a_mark_is_set_and_unset_by_one_click_and_twice_is_once(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        call, mark = make_call("a"), Mark.objects.create(label="Проба", colour="red")
    client = signed_in("alpha", alpha_staff.admin)
    where = f"/calls/{call.pk}/marks/{mark.pk}/"
    for _ in range(2):
        assert 'aria-pressed="true"' in client.post(where, {"on": "1"}, headers=HX).text
    with company_scope("alpha"):
        assert CallMark.objects.count() == 1
        assert AuditEntry.objects.filter(details__mark="Проба").count() == 1
    assert 'aria-pressed="true"' not in client.post(where, {"on": "0"}, headers=HX).text
    assert client.post(f"/calls/{call.pk}/marks/999/", {"on": "1"}).status_code == 404


def test_a_note_is_its_authors(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        call = make_call("a", groups=[alpha_staff.sales.pk], manager=alpha_staff.anna)
    anna, admin = signed_in("alpha", alpha_staff.anna.user), signed_in("alpha", alpha_staff.admin)
    anna.post(f"/calls/{call.pk}/notes/", {"text": "просил перезвонить"})
    with company_scope("alpha"):
        note = Note.objects.get()
    where = f"/calls/notes/{note.pk}/"
    for do in ("edit", "remove", "restore"):
        refused = admin.post(where, {"do": do, "text": "чужое"}, headers=HX)
        assert "toast" in refused.headers["HX-Trigger"]
    with company_scope("alpha"):
        note.refresh_from_db()
        assert (note.text, note.removed) == ("просил перезвонить", None)
        assert AuditEntry.objects.filter(verb="call.note", outcome="refused").count() == 3
    assert "перезвонить" in admin.get(f"/calls/{call.pk}/").text


def test_a_note_taken_back_is_hidden_from_others_and_comes_back(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        call = make_call("a", groups=[alpha_staff.sales.pk], manager=alpha_staff.anna)
    anna, admin = signed_in("alpha", alpha_staff.anna.user), signed_in("alpha", alpha_staff.admin)
    anna.post(f"/calls/{call.pk}/notes/", {"text": "Перваязаметка"})
    with company_scope("alpha"):
        note = Note.objects.get()
    where = f"/calls/notes/{note.pk}/"
    gone = anna.post(where, {"do": "remove"}, headers=HX).text
    assert "Перваязаметка" not in gone
    assert 'value="restore"' in gone
    assert "Перваязаметка" not in admin.get(f"/calls/{call.pk}/").text
    assert 'value="restore"' not in admin.get(f"/calls/{call.pk}/").text
    assert "Перваязаметка" in anna.post(where, {"do": "restore"}, headers=HX).text
    changed = anna.post(where, {"do": "edit", "text": "Втораязаметка"}, headers=HX).text
    assert "Втораязаметка" in changed
    assert anna.post(where, {"do": "burn"}, headers=HX).status_code == 400


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_nothing_and_too_much_are_refused(alpha_staff: Staff, text: str) -> None:
    with company_scope("alpha"):
        call = make_call("a")
    answer = signed_in("alpha", alpha_staff.admin).post(
        f"/calls/{call.pk}/notes/", {"text": text}, headers=HX
    )
    assert "toast" in answer.headers["HX-Trigger"]
    with company_scope("alpha"):
        assert not Note.objects.exists()


def test_a_note_is_only_text(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        call = make_call("a")
    shown = signed_in("alpha", alpha_staff.admin).post(
        f"/calls/{call.pk}/notes/", {"text": HOSTILE}, headers=HX
    )
    assert "<script>" not in shown.text
    assert "&lt;script&gt;" in shown.text
