"""The host says the company, quickly, however it is written; threads and sockets never mix two of them up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenants import lookup
from tenants.models import Company, Domain
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tests.factories.people import person, signed_in


@pytest.mark.django_db
@pytest.mark.parametrize(
    "host", ["alpha.localhost", "ALPHA.LocalHost", "alpha.localhost:8000", "alpha.localhost."]
)
def test_a_host_is_known_however_it_is_written(host: str) -> None:
    assert "Альфа" in Client(headers={"host": host}).get("/account/login/").content.decode()


@pytest.mark.django_db
def test_a_request_asks_the_database_for_its_host_once_in_a_while() -> None:
    client, _user = signed_in("alpha")
    client.get("/account/")
    with CaptureQueriesContext(connections["default"]) as asked:
        client.get("/account/")
    assert not [query for query in asked if "tenants_domain" in query["sql"]]
    assert len([query for query in asked if "SELECT" in query["sql"]]) <= 2, "the session and the person"


@pytest.mark.django_db
def test_a_strangers_host_is_asked_for_each_time_and_never_kept() -> None:
    lookup.forget()
    for _attempt in range(3):
        assert Client(headers={"host": "gamma.localhost"}).get("/").status_code == 404
    assert not lookup._hosts


@pytest.mark.django_db
def test_a_second_host_and_a_new_name_are_seen_at_once() -> None:
    alpha = Company.objects.get(schema_name="alpha")
    Domain.objects.create(domain="calls.localhost", tenant=alpha, is_primary=False)
    client = Client(headers={"host": "calls.localhost"})
    assert "Альфа" in client.get("/account/login/").content.decode()
    alpha.name = "Омега"
    alpha.save()
    assert "Омега" in client.get("/account/login/").content.decode()
    Domain.objects.get(domain="calls.localhost").delete()
    assert client.get("/account/login/").status_code == 404


@pytest.mark.django_db
def test_a_host_that_is_not_ours_at_all_is_refused(settings: Any) -> None:
    assert Client(headers={"host": "evil.example"}).get("/").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_four_hundred_questions_at_once_get_no_answer_of_the_other_company() -> None:
    for slug in ("alpha", "beta"):
        with company_scope(slug):
            person(Role.MANAGER, email=f"only@{slug}.example")

    @database_sync_to_async
    def ask(slug: str) -> str:
        with company_scope(slug):
            return User.objects.get().email

    async def everybody() -> list[str]:
        return await asyncio.gather(*(ask(("alpha", "beta")[number % 2]) for number in range(400)))

    answers = asyncio.run(everybody())
    wrong = [
        answer
        for number, answer in enumerate(answers)
        if answer != f"only@{('alpha', 'beta')[number % 2]}.example"
    ]
    assert len(answers) == 400
    assert wrong == []
