"""A company comes into being whole or not at all, watched or not, alone or beside another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import Client

from tenants import creation, lookup, services
from tenants.models import Company, CompanyCreation, Domain
from tenants.people.models import Role, User
from tenants.scope import UnknownCompany, company_scope
from tenants.services import create_company
from tests.factories.people import signed_in, signed_in_staff

WISH = {"name": "ООО «Гамма»", "time_zone": "Europe/Moscow", "language": "ru"}


def schemas() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        )
        return {name for (name,) in cursor.fetchall()}


def nothing_was_made() -> bool:
    lookup.forget()
    companies = set(Company.objects.values_list("schema_name", flat=True))
    return (
        schemas() == {"public", "asterisk", "alpha", "beta"}
        and companies == {"alpha", "beta"}
        and Domain.objects.count() == 2
    )


@pytest.mark.django_db
def test_a_new_company_has_its_schema_its_host_and_its_first_admin() -> None:
    steps: list[tuple[int, int]] = []
    create_company(
        slug="gamma",
        name="Гамма",
        admin_email="Olga@gamma.example",
        progress=lambda done, all_: steps.append((done, all_)),
    )
    assert "gamma" in schemas()
    assert Domain.objects.get(tenant__schema_name="gamma").domain == "gamma.localhost"
    with company_scope("gamma"):
        assert User.objects.get().email == "olga@gamma.example"
        assert User.objects.get().role == Role.ADMIN
    assert not User.objects.exists(), "its people are its own, not the platform's"
    assert steps[0][0] == 0
    assert steps[-1][0] == steps[-1][1] > 10
    assert [done for done, _all in steps] == sorted({done for done, _all in steps})
    assert Client(headers={"host": "gamma.localhost"}).get("/account/login/").status_code == 200


@pytest.mark.django_db
def test_every_table_of_a_new_company_is_its_own() -> None:
    create_company(slug="gamma", name="Гамма")
    with connection.cursor() as cursor:
        tables = "SELECT array_agg(tablename::text ORDER BY tablename) FROM pg_tables WHERE schemaname = %s"
        found = {}
        for schema in ("alpha", "gamma"):
            cursor.execute(tables, [schema])
            found[schema] = cursor.fetchone()[0]
    assert found["gamma"] == found["alpha"]
    assert "people_user" in found["gamma"]
    assert "django_session" in found["gamma"]
    assert not {"tenants_company", "tenants_pbx"} & set(found["gamma"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("slug", "code"),
    [
        ("", "slug_empty"),
        ("a", "slug_short"),
        ("a" * 32, "slug_long"),
        ("public", "slug_reserved"),
        ("www", "slug_reserved"),
        ("pg_toast", "slug_reserved"),
        ("pg_catalog", "slug_reserved"),
        ("information_schema", "slug_reserved"),
        ("Gamma", "slug_shape"),
        ("gam_ma", "slug_shape"),
        ("gam-ma", "slug_shape"),
        ("1gamma", "slug_shape"),
        ("гамма", "slug_shape"),
        ("gamma\n", "slug_shape"),
        ('x"; DROP SCHEMA alpha; --', "slug_shape"),
        ("alpha", None),
    ],
)
def test_a_name_that_is_no_schema_is_refused_in_words(slug: str, code: str | None) -> None:
    with pytest.raises(ValidationError) as refusal:
        create_company(slug=slug, name="Гамма")
    assert set(refusal.value.message_dict) == {"slug"}
    if code:
        assert [error.code for error in refusal.value.error_dict["slug"]] == [code]
    assert nothing_was_made()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "details"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "Гамма\r\nAction: Originate"}),
        ("name", {"name": "Гамма\u202e"}),
        ("time_zone", {"time_zone": "Moscow"}),
        ("language", {"language": "tlh"}),
        ("domain", {"host": "alpha.localhost"}),
        ("domain", {"host": "localhost"}),
        ("domain", {"host": "gamma.localhost:8000"}),
    ],
)
def test_a_wrong_detail_is_refused_and_nothing_is_left(field: str, details: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refusal:
        create_company(**{"slug": "gamma", "name": "Гамма", **details})
    assert field in refusal.value.message_dict
    assert nothing_was_made()


@pytest.mark.django_db(transaction=True)
def test_a_failure_in_the_middle_leaves_nothing() -> None:
    def cut(done: int, _all: int) -> None:
        if done == 5:
            raise ConnectionError("the lights went out")

    with pytest.raises(ConnectionError):
        create_company(slug="gamma", name="Гамма", progress=cut)
    assert nothing_was_made()
    with pytest.raises(UnknownCompany), company_scope("gamma"):
        pass
    assert create_company(slug="gamma", name="Гамма").slug == "gamma", "and the name is free again"


@pytest.mark.django_db(transaction=True)
def test_two_made_at_once_do_not_hurt_each_other() -> None:
    done = in_threads(
        lambda: create_company(slug="gamma", name="Гамма").slug,
        lambda: create_company(slug="delta", name="Дельта").slug,
    )
    assert done == ["gamma", "delta"]
    for slug in done:
        with company_scope(str(slug)):
            assert User.objects.count() == 0
    assert Company.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_two_of_one_name_at_once_make_one_company_and_one_clear_refusal() -> None:
    def make() -> str:
        try:
            return create_company(slug="gamma", name="Гамма").slug
        except ValidationError as error:
            return ",".join(error.message_dict)

    assert sorted(in_threads(make, make)) == ["gamma", "slug"]
    assert Company.objects.filter(schema_name="gamma").count() == 1


def in_threads(*works: Callable[[], object]) -> list[object]:
    """What each work gave, each done in a thread of its own at the same time."""
    results: list[object] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(place: int) -> None:
        try:
            start.wait()
            results[place] = works[place]()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_staff_asks_for_a_company_and_sees_it_done() -> None:
    client, _staff = signed_in_staff()
    answer = client.post("/companies/new/", {**WISH, "slug": "gamma", "admin_email": "olga@gamma.example"})
    page = client.get(answer["Location"])
    assert page.status_code == 200
    assert "gamma.localhost" in page.content.decode()
    row = CompanyCreation.objects.get()
    assert (row.state, row.percent) == ("done", 100)
    assert row.done == row.total > 10, "progress was written while the transaction was open"
    assert "gamma" in client.get("/companies/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_from_outside_while_the_company_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def watch() -> None:
        seen.append(CompanyCreation.objects.get().done)
        connections.close_all()

    real = services._make_schema

    def watched(slug: str, admin_email: str, progress: services.Progress) -> None:
        def tell(done: int, total: int) -> None:
            progress(done, total)
            if done == 7:
                looker = threading.Thread(target=watch)
                looker.start()
                looker.join()

        real(slug, admin_email, tell)

    monkeypatch.setattr(services, "_make_schema", watched)
    creation.request_company(actor=None, slug="gamma", **WISH)
    assert seen == [7]


@pytest.mark.django_db(transaction=True)
def test_what_goes_wrong_is_told_on_the_page_and_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    client, _staff = signed_in_staff()
    with monkeypatch.context() as broken:
        broken.setattr(services, "_make_schema", lambda *_details: 1 / 0)
        answer = client.post("/companies/new/", {**WISH, "slug": "gamma"})
    row = CompanyCreation.objects.get()
    assert row.state == "failed"
    assert row.error
    assert nothing_was_made()
    assert row.error in client.get(answer["Location"]).content.decode()
    client.post(f"{answer['Location']}again/")
    row.refresh_from_db()
    assert row.state == "done"


@pytest.mark.django_db
def test_a_task_delivered_twice_makes_one_company() -> None:
    row = CompanyCreation.objects.create(slug="gamma", **WISH)
    creation.carry_out(creation_id=row.pk)
    creation.carry_out(creation_id=row.pk)
    row.refresh_from_db()
    assert row.state == "done"
    assert not creation.retry(row=row)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("slug", "field"), [("alpha", "slug"), ("pg_x", "slug"), ("Gamma", "slug"), ("", "slug")]
)
def test_a_wrong_wish_is_refused_on_the_form_at_once(slug: str, field: str) -> None:
    client, _staff = signed_in_staff()
    answer = client.post("/companies/new/", {**WISH, "slug": slug})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not CompanyCreation.objects.exists()
    assert nothing_was_made()


@pytest.mark.django_db
def test_a_companys_admin_makes_no_companies() -> None:
    client, _admin = signed_in("alpha", Role.ADMIN)
    assert client.post("/companies/new/", {**WISH, "slug": "gamma"}).status_code == 404
    assert nothing_was_made()


@pytest.mark.django_db
def test_the_command_line_makes_a_company_and_says_what_is_wrong() -> None:
    said = StringIO()
    call_command("create_company", "gamma", "ООО «Гамма»", stdout=said)
    assert "gamma.localhost" in said.getvalue()
    with pytest.raises(CommandError, match=r"\S"):
        call_command("create_company", "gamma", "ООО «Гамма»")
    assert Company.objects.count() == 3
