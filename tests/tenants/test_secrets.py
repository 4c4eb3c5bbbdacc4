"""Secrets are unreadable in the database, on the pages and in the logs, and outlive a change of keys."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from auditlog.models import LogEntry
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from tenants import secrets
from tenants.models import Company, Pbx
from tenants.people.models import User
from tests.factories.people import PASSWORD, signed_in_staff

pytestmark = pytest.mark.django_db

SECRET = "сек=рет: p@ss;word"


def pbx(**details: Any) -> Pbx:
    made = Pbx(**{"name": "АТС", "host": "127.0.0.1", "username": "ccenter", **details})
    made.secret = SECRET
    made.save()
    return made


def form(**changes: object) -> dict[str, object]:
    return {
        "name": "АТС",
        "host": "127.0.0.1",
        "port": 5038,
        "username": "ccenter",
        "new_secret": SECRET,
        **changes,
    }


def test_the_database_holds_no_readable_secret() -> None:
    made = pbx()
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(p)::text FROM tenants_pbx p")
        assert SECRET not in cursor.fetchone()[0]
    assert Pbx.objects.get(pk=made.pk).secret == SECRET


def test_no_representation_of_a_pbx_tells_its_secret(caplog: pytest.LogCaptureFixture) -> None:
    made = pbx()
    logging.getLogger("any").error("%r %s %s", made, made, vars(made))
    assert SECRET not in caplog.text + repr(made) + str(vars(made))


def test_a_secret_outlives_a_change_of_keys(settings: Any) -> None:
    made = pbx()
    old, new = settings.FIELD_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_KEYS = [new, old]
    call_command("rotate_field_key", verbosity=0)
    settings.FIELD_KEYS = [new]
    assert Pbx.objects.get(pk=made.pk).secret == SECRET


def test_without_its_key_a_secret_is_an_error_in_words_and_rotation_changes_nothing(settings: Any) -> None:
    made = pbx()
    before = made.secret_encrypted
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(secrets.SecretUnreadable, match="Enter it again"):
        _ = made.secret
    with pytest.raises(CommandError):
        call_command("rotate_field_key", verbosity=0)
    assert Pbx.objects.get().secret_encrypted == before


@pytest.mark.parametrize("keys", [[], ["short"]])
def test_a_wrong_field_key_is_named(settings: Any, keys: list[str]) -> None:
    settings.FIELD_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="FIELD_KEY"):
        secrets.encrypt("x")


def test_staff_enters_a_secret_and_never_sees_it_again(alpha: Company) -> None:
    client, _staff = signed_in_staff()
    assert client.post("/admin/tenants/pbx/add/", form(companies=[alpha.pk])).status_code == 302
    made = Pbx.objects.get()
    assert made.secret == SECRET
    assert list(made.companies.all()) == [alpha]
    for page in (f"/admin/tenants/pbx/{made.pk}/change/", "/admin/tenants/pbx/", "/companies/"):
        answer = client.get(page)
        assert answer.status_code == 200
        assert SECRET not in answer.content.decode()
        assert made.secret_encrypted not in answer.content.decode()
    client.post(f"/admin/tenants/pbx/{made.pk}/change/", form(new_secret="", port=5039))
    made.refresh_from_db()
    assert (made.port, made.secret) == (5039, SECRET)


@pytest.mark.parametrize(
    "wrong",
    [
        {"new_secret": ""},
        {"new_secret": "a\r\nAction: Command"},
        {"host": "a\nb"},
        {"port": 70000},
        {"username": "a\x00"},
    ],
)
def test_a_wrong_pbx_is_refused_in_words(wrong: dict[str, object]) -> None:
    client, _staff = signed_in_staff()
    answer = client.post("/admin/tenants/pbx/add/", form(**wrong))
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert not Pbx.objects.exists()


def test_staff_edits_a_company_but_neither_adds_nor_deletes_one_there(alpha: Company) -> None:
    client, _staff = signed_in_staff()
    page = f"/admin/tenants/company/{alpha.pk}/change/"
    assert client.get(page).status_code == 200
    answer = client.post(
        page,
        {"name": "Альфа-2", "time_zone": "Asia/Omsk", "language": "en", "active": "on", "domains-TOTAL_FORMS": 0,
         "domains-INITIAL_FORMS": 0},
    )  # fmt: skip
    assert answer.status_code == 302
    alpha.refresh_from_db()
    assert (alpha.name, alpha.time_zone, alpha.slug) == ("Альфа-2", "Asia/Omsk", "alpha")
    assert client.get("/admin/tenants/company/add/").status_code == 403
    assert client.post(f"/admin/tenants/company/{alpha.pk}/delete/", {"post": "yes"}).status_code == 403
    with pytest.raises(ValidationError):
        alpha.delete()
    assert Company.objects.count() == 2


def test_the_admin_pages_have_no_door_of_their_own(public_client: Client) -> None:
    assert public_client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/account/login/")
    assert Client(headers={"host": "alpha.localhost"}).get("/admin/").status_code == 404


def test_who_changed_a_pbx_is_written_down_without_the_secret(alpha: Company) -> None:
    client, staff = signed_in_staff(name="Олег")
    client.post("/admin/tenants/pbx/add/", form())
    made = Pbx.objects.get()
    client.post(f"/admin/tenants/pbx/{made.pk}/change/", form(port=5039, new_secret="another"))
    entries = LogEntry.objects.get_for_object(made)
    assert [entry.actor for entry in entries] == [staff, staff]
    assert entries[0].changes_dict == {"port": ["5038", "5039"]}
    assert "secret" not in str([entry.changes_dict for entry in entries])


def test_staff_enters_staff_who_choose_a_password_themselves_or_get_one() -> None:
    client, _staff = signed_in_staff()
    client.post(
        "/admin/people/user/add/", {"email": "New@platform.example", "name": "Вера", "is_active": "on"}
    )
    made = User.objects.get(email="new@platform.example")
    assert (made.role, made.has_usable_password()) == ("staff", False)
    page = f"/admin/people/user/{made.pk}/change/"
    weak = client.post(page, {"email": made.email, "is_active": "on", "new_password": "12345"})
    assert weak.context["errors"]
    client.post(page, {"email": made.email, "is_active": "on", "new_password": PASSWORD})
    made.refresh_from_db()
    assert made.check_password(PASSWORD)


def test_nothing_that_others_point_at_is_deleted_there() -> None:
    client, staff = signed_in_staff()
    made = pbx()
    for page in (f"/admin/people/user/{staff.pk}/delete/", f"/admin/tenants/pbx/{made.pk}/delete/"):
        assert client.post(page, {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=staff.pk).exists()
    assert Pbx.objects.filter(pk=made.pk).exists()
