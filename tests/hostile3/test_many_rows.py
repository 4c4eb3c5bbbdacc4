"""A page of many rows asks the database as often as a page of few: counted, not timed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring.models import Call, Note, Step
from monitoring.services import ingest, rollups
from tenants.people import tokens
from tenants.people.models import Scope
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff
from tests.factories.told import call, leg, visit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]

FEW, MANY = 3, 45  # one page holds fifty
DAYS = "from={0}&to={0}"


@pytest.fixture
def staff() -> Staff:
    return make_staff("alpha")


def tell(count: int, begin: int) -> None:
    noon = timezone.now().timestamp() - 26 * 3600
    with company_scope("alpha"):
        for number in range(begin, begin + count):
            at = noon + number * 20
            lost = number % 2
            told = call(
                f"1:{at:.2f}", started=at, number=f"+7916{number:07}", disposition="abandoned" if lost else "answered",
                legs=(leg("alpha_101", rang=at, talk=None if lost else 20, queue="alpha_sales"),),
            )  # fmt: skip
            ingest.store("1", [
                told._replace(answered=None) if lost else told,
                visit(told.key, "alpha_sales", joined=at, outcome="abandoned" if lost else "answered", wait=30,
                      manager="" if lost else "alpha_101"),
            ])  # fmt: skip
        while rollups.build().left:
            pass


@contextmanager
def counted(found: dict[str, int], name: str) -> Iterator[None]:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        yield
    found[name] = sum(not query["sql"].startswith("SET search_path") for query in queries)


def asked(client: Client, program: Client) -> dict[str, int]:
    day = DAYS.format((timezone.now() - timedelta(hours=26)).date().isoformat())
    pages = {
        "journal": "/calls/?period=week", "lost": "/lost/?show=open", "overview": "/statistics/?period=days7",
        "queues": "/statistics/queues/?period=days7", "managers": "/statistics/managers/?period=days7",
        "explain": f"/statistics/explain/?metric=offered&period=custom&{day}", "quality": "/quality/",
    }  # fmt: skip
    found: dict[str, int] = {}
    for name, path in pages.items():
        assert client.get(path).status_code == 200, path  # whatever is cached by a first look is cached
        with counted(found, name):
            client.get(path)
    for name in ("calls", "lost", "recordings"):
        with counted(found, f"api {name}"):
            assert program.get(f"/api/v1/{name}").status_code == 200
    return found


def test_pages_ask_as_often_for_many_rows_as_for_few(staff: Staff) -> None:
    client = Client(headers={"host": "alpha.localhost"})
    with company_scope("alpha"):
        client.force_login(staff.admin, backend="tenants.people.backend.EmailBackend")
        scopes = (Scope.CALLS, Scope.LOST, Scope.RECORDINGS)
        _row, token = tokens.issue(user=staff.admin, name="t", scopes=scopes)
    program = Client(headers={"host": "alpha.localhost", "authorization": f"Bearer {token}"})
    tell(FEW, 0)
    few = asked(client, program)
    tell(MANY - FEW, FEW)
    many = asked(client, program)
    more = {name: (few[name], count) for name, count in many.items() if count > few[name] + 1}
    assert not more, f"{more}"
    assert max(many.values()) < 80, many


def test_a_card_asks_as_often_for_a_long_route_as_for_a_short_one(staff: Staff) -> None:
    client = Client(headers={"host": "alpha.localhost"})
    with company_scope("alpha"):
        client.force_login(staff.admin, backend="tenants.people.backend.EmailBackend")
    tell(2, 0)
    with company_scope("alpha"):
        pk = Call.objects.order_by("pk")[0].pk
    found: dict[str, int] = {}
    client.get(f"/calls/{pk}/")
    with counted(found, "short"):
        client.get(f"/calls/{pk}/")
    with company_scope("alpha"):
        one = Call.objects.get(pk=pk)
        Step.objects.filter(call=one).delete()
        Step.objects.bulk_create(
            Step(
                call=one,
                position=n,
                kind="ring",
                what=f"alpha_{n}",
                at=one.started,
                until=one.ended,
                note="missed",
            )
            for n in range(300)
        )
        Note.objects.bulk_create(
            Note(call=one, who="Анна", author=staff.admin, text=f"заметка {n}", written=timezone.now())
            for n in range(50)
        )
    with counted(found, "long"):
        assert client.get(f"/calls/{pk}/").status_code == 200
    # Names of people and queues are looked up only when the route names some.
    assert found["long"] <= found["short"] + 2, found
