"""A customer is forgotten: no number, no name, no voice is left anywhere, and every count stays as it was."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from monitoring.domain.facts import StepFact
from monitoring.models import AuditEntry, Call, Erasure, LostCall, Note, SavedFilter, Step
from monitoring.services import erasure, ingest
from monitoring.services.audit import record
from monitoring.services.errors import Refused
from tenants.models import Company
from tenants.people.models import Role
from tenants.scope import company_scope
from tests.factories.people import person, signed_in
from tests.factories.staff import Staff, make_staff
from tests.factories.told import call, visit

pytestmark = pytest.mark.django_db

NUMBER, SPELLED = "79161234567", "8 (916) 123-45-67"
NOW = timezone.now().timestamp()


@pytest.fixture
def staff(alpha: Company, beta: Company) -> dict[str, Staff]:
    found = {}
    for slug in ("alpha", "beta"):
        found[slug] = make_staff(slug)
        with company_scope(slug):
            tell(slug, found[slug])
    return found


def tell(slug: str, staff: Staff) -> None:
    dial = (StepFact("dial", "+79161234567", NOW - 900, NOW - 900),)
    lost = call(
        "1:lost", started=NOW - 5000, number="+79161234567", name="Пётр Петров", disposition="abandoned"
    )
    ingest.store("1", [
        lost._replace(answered=None), visit("1:lost", f"{slug}_sales", outcome="abandoned", joined=NOW - 5000, wait=20),
        call("1:in", started=NOW - 9000, number="89161234567", name="Пётр Петров"),
        call("1:out", started=NOW - 900, number="+7 916 123 45 67", direction="out", steps=dial)
        ._replace(answered=None),
        call("1:other", started=NOW - 800, number="+79169999999", name="Другой", steps=dial),
    ])  # fmt: skip
    Note.objects.create(
        call=Call.objects.get(key="1:in"), who="Анна", text="перезвонить Петру", written=timezone.now()
    )
    record(
        actor=staff.admin, verb="x", kind="call", what="звонок +7 916 123-45-67", details={"number": NUMBER}
    )
    SavedFilter.objects.create(owner=staff.admin, title="Пётр", query="number=%2B79161234567")


def everything(schema: str) -> str:
    """Every row of every table of the schema, as text."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        for (table,) in cursor.fetchall():
            rows = "SELECT coalesce(string_agg(t::text, ' '), '') FROM"
            cursor.execute(f'{rows} "{schema}"."{table}" t')  # the names come from the catalogue itself
            found.append(cursor.fetchone()[0])
    return " ".join(found)


def erase(staff: Staff) -> Erasure:
    asked = erasure.ask(actor=staff.admin, customer=NUMBER)
    erasure.carry_out(asked.pk)
    return Erasure.objects.get(pk=asked.pk)


def test_nothing_of_the_customer_is_left_and_others_stay(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        done = erase(staff["alpha"])
        whole = everything("alpha")
        for trace in ("9161234567", "916 123", "123-45-67", "Пётр", "Петру"):
            assert trace not in whole, trace
        assert (done.state, done.customer, done.done) == ("done", "", 3)
        assert Call.objects.get(key="1:other").name == "Другой"
        assert Call.objects.count() == 4
        assert Step.objects.get(call__key="1:other").what == ""
    assert "9161234567" in everything("beta")


def test_what_became_of_the_lost_caller_stays_a_count(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        erase(staff["alpha"])
        row = LostCall.objects.get()
        assert (row.state, row.number, row.customer) == ("closed", "", "")
        assert row.queue == staff["alpha"].queue


def test_a_retold_fact_does_not_bring_the_number_back(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        erase(staff["alpha"])
        tell_again = call(
            "1:in", started=NOW - 9000, number="89161234567", name="Пётр Петров", revision=NOW + 5
        )
        ingest.store("1", [tell_again])
        assert Call.objects.get(key="1:in").number == ""
        ingest.store("1", [call("1:new", started=timezone.now().timestamp() + 60, number="+79161234567")])
        assert Call.objects.get(key="1:new").customer == NUMBER, "a later call is a new story"


def test_asked_and_done_twice_it_is_done_once(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        first = erasure.ask(actor=staff["alpha"].admin, customer=NUMBER)
        assert erasure.ask(actor=staff["alpha"].admin, customer=NUMBER) == first
        erasure.carry_out(first.pk)
        before = everything("alpha")
        erasure.carry_out(first.pk)
        assert everything("alpha") == before
        assert erasure.unfinished() == []


def test_the_request_is_audited_by_a_digest_alone(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        done = erase(staff["alpha"])
        entry = AuditEntry.objects.get(verb="customer.delete")
        assert entry.what == done.digest[:12]
        assert done.digest == erasure.digest(NUMBER)
    with company_scope("beta"):
        assert erasure.digest(NUMBER) != done.digest


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.MANAGER])
def test_others_may_not(staff: dict[str, Staff], role: Role) -> None:
    with company_scope("alpha"):
        with pytest.raises(Refused):
            erasure.ask(actor=person(role), customer=NUMBER)
        with pytest.raises(Refused):
            erasure.preview(actor=staff["beta"].admin, customer=NUMBER)
        assert not Erasure.objects.exists()


@pytest.mark.parametrize("typed", [SPELLED, "+7 916 123 45 67", "9161234567"])
def test_the_page_shows_first_and_begins_only_with_the_number_again(
    staff: dict[str, Staff], typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure.policy, "start", lambda task, *args: None)
    client, _admin = signed_in("alpha")
    shown = client.post("/manage/policy/erase/", {"number": typed}).content.decode()
    assert '<dd class="num">3</dd>' in shown
    wrong = client.post("/manage/policy/erase/", {"number": typed, "again": "+79160000000"})
    assert "Номера не совпали" in wrong.content.decode()
    with company_scope("alpha"):
        assert not Erasure.objects.exists()
    assert client.post("/manage/policy/erase/", {"number": typed, "again": SPELLED}).status_code == 302
    with company_scope("alpha"):
        assert Erasure.objects.get().total == 3


@pytest.mark.parametrize("typed", ["", "101", "<b>", "-"])
def test_an_extension_or_nothing_is_no_customer(staff: dict[str, Staff], typed: str) -> None:
    client, _admin = signed_in("alpha")
    assert (
        "Это не номер клиента"
        in client.post("/manage/policy/erase/", {"number": typed, "again": typed}).content.decode()
    )
    with company_scope("alpha"):
        assert not Erasure.objects.exists()
        assert Call.objects.filter(customer=NUMBER).count() == 3
