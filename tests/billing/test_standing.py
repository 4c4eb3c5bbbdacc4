"""Read-only from the 15th day, suspended from the 30th, open again with the payment; and who is told what of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from billing.models import Invoice
from billing.selectors import standing as selector
from billing.selectors.standing import PAID_UP, State, standing
from billing.services import payments
from billing.services.acts import TIMETABLE
from monitoring.models import Call, Group, LostCall
from tenants.models import Company
from tenants.people.models import Role, Scope
from tenants.people.tokens import issue
from tenants.scope import company_scope
from tests.factories import money
from tests.factories.people import signed_in, signed_in_staff
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db
DUE = date(2026, 7, 14)
On = Callable[[int], None]


@pytest.fixture
def owing(alpha: Company, beta: Company) -> Invoice:
    """Alpha owes 1500.00 due on 14 July 2026; beta owes nothing."""
    money.subscribe(beta)
    return money.issued_invoice(money.subscribe(alpha))


def day(late: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, 7, 14, hour, minute, tzinfo=UTC) - timedelta(hours=3) + timedelta(days=late)


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> On:
    """Sets the day the portal thinks it is, as so many days after the due one."""

    def at(late: int) -> None:
        monkeypatch.setattr(selector, "timezone", SimpleNamespace(now=lambda: day(late)))
        selector.forget()

    return at


# ------------------------------------------------------------------------------------------------ the answer
@pytest.mark.parametrize(
    ("late", "state"),
    [
        (-1, "active"), (0, "active"), (1, "active"), (14, "active"), (15, "read_only"), (29, "read_only"),
        (30, "suspended"), (400, "suspended"),
    ],
)  # fmt: skip
def test_the_state_follows_from_the_days(owing: Invoice, late: int, state: str) -> None:
    found = standing("alpha", now=day(late))
    assert found.state == state
    assert (found.invoice == owing.pk) == (late > 0)
    assert standing("beta", now=day(late)) == PAID_UP


def test_it_changes_at_the_payers_midnight(owing: Invoice) -> None:
    assert standing("alpha", now=day(14, 23, 59)).state == State.ACTIVE
    found = standing("alpha", now=day(15, 0, 0))
    assert (found.state, found.since, found.suspended_on) == (
        State.READ_ONLY,
        date(2026, 7, 29),
        date(2026, 8, 13),
    )
    assert (found.number, found.owed, found.days_late) == ("СЧ-2026/000001", Decimal("1500.00"), 15)


def test_a_part_changes_nothing_and_the_whole_opens_everything_at_once(
    owing: Invoice, alpha: Company, on
) -> None:
    on(30)
    assert standing("alpha").state == State.SUSPENDED
    pay(alpha, "1499.99", "1")
    assert standing("alpha", now=day(30)).state == State.SUSPENDED
    pay(alpha, "0.01", "2")
    assert standing("alpha", now=day(30)) == PAID_UP


def test_the_oldest_unpaid_counts_and_a_later_debt_is_added(owing: Invoice, alpha: Company) -> None:
    money.issued_invoice(owing.subscription, date(2026, 7, 1), Decimal("3000.00"))
    found = standing("alpha", now=day(32))
    assert (found.invoice, found.owed, found.debt) == (owing.pk, Decimal("1500.00"), Decimal("4500.00"))
    pay(alpha, "1500.00", "1")
    assert standing("alpha", now=day(32)).state == State.ACTIVE


def test_what_was_given_back_is_not_owed(owing: Invoice) -> None:
    money.credit_note(owing, Decimal("1500.00"))
    assert standing("alpha", now=day(30)) == PAID_UP


def test_an_answer_is_kept_and_asked_for_without_a_query(owing: Invoice, on: On) -> None:
    on(1)
    first = standing("alpha")
    with CaptureQueriesContext(connection) as asked:
        assert standing("alpha") is first
    assert len(asked) == 0
    assert selector.TTL <= 30


def test_a_payment_clears_what_was_kept(
    owing: Invoice, alpha: Company, on: On, django_capture_on_commit_callbacks
) -> None:
    on(30)
    assert standing("alpha").state == State.SUSPENDED
    with django_capture_on_commit_callbacks(execute=True):
        pay(alpha, "1500.00", "1")
    assert standing("alpha") == PAID_UP


def pay(company: Company, amount: str, number: str) -> None:
    payments.enter(
        who=TIMETABLE, company=company, amount=Decimal(amount), paid_on=DUE, document=number, purpose=""
    )


# ------------------------------------------------------------------------------------------------ the doors
ROLES = [Role.ADMIN, Role.SUPERVISOR, Role.MANAGER]
READ = ["/calls/", "/lost/", "/statistics/", "/manage/groups/", "/live/", "/profiles/"]
ALWAYS_READ = ["/account/", "/me/", "/account/password/change/"]
UNSAFE = [
    "/manage/groups/new/",
    "/manage/policy/",
    "/profiles/new/",
    "/calls/filters/",
    "/statistics/scheduled/new/",
    "/exports/",
    "/account/tokens/",
]
ALWAYS_UNSAFE = [
    "/i18n/setlang/",
    "/me/",
    "/account/password/change/",
    "/recordings/77/link/",
    "/account/sign-out-everywhere/",
    "/account/logout/",
]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("late", [0, 1, 14])
def test_while_active_no_door_is_locked(owing: Invoice, on: On, role: Role, late: int) -> None:
    on(late)
    make_staff("alpha")
    client, _user = signed_in("alpha", role)
    assert 423 not in {client.get(path).status_code for path in READ + ALWAYS_READ}
    assert 423 not in {client.post(path).status_code for path in UNSAFE}


@pytest.mark.parametrize("role", ROLES)
def test_while_read_only_everything_is_read_and_nothing_is_written(
    owing: Invoice, on: On, role: Role
) -> None:
    on(15)
    make_staff("alpha")
    client, _user = signed_in("alpha", role)
    before = rows()
    assert {path: code for path in READ + ALWAYS_READ if (code := client.get(path).status_code) == 423} == {}
    assert {path: client.post(path, {"title": "Новая"}).status_code for path in UNSAFE} == dict.fromkeys(
        UNSAFE, 423
    )
    for method in (client.put, client.patch, client.delete):
        assert method("/manage/groups/new/").status_code == 423
    assert rows() == before
    assert_open(client, ALWAYS_UNSAFE)


@pytest.mark.parametrize("role", ROLES)
def test_while_suspended_pages_are_replaced_too(owing: Invoice, on: On, role: Role) -> None:
    on(30)
    make_staff("alpha")
    client, _user = signed_in("alpha", role)
    before = rows()
    assert {path: client.get(path).status_code for path in READ} == dict.fromkeys(READ, 423)
    assert {path: client.post(path, {"title": "Новая"}).status_code for path in UNSAFE} == dict.fromkeys(
        UNSAFE, 423
    )
    assert {path: code for path in ALWAYS_READ if (code := client.get(path).status_code) == 423} == {}
    assert rows() == before
    assert_open(client, ALWAYS_UNSAFE)


def assert_open(client: Client, paths: list[str]) -> None:
    assert {path: code for path in paths if (code := client.post(path).status_code) == 423} == {}


def rows() -> tuple[int, ...]:
    with company_scope("alpha"):
        return (Group.objects.count(), LostCall.objects.count(), Call.objects.count())


@pytest.mark.parametrize("late", [15, 30])
def test_the_other_company_and_the_platform_feel_nothing(owing: Invoice, on: On, late: int) -> None:
    on(late)
    client, _admin = signed_in("beta", Role.ADMIN)
    assert client.post("/manage/groups/new/", {"title": "Новая"}).status_code == 302
    assert "СЧ-2026" not in client.get("/calls/").content.decode()
    staff, _member = signed_in_staff()
    assert staff.get("/companies/").status_code == 200


@pytest.mark.parametrize("late", [15, 30])
def test_signing_in_stays_open_and_tells_a_stranger_nothing(
    owing: Invoice, on: On, alpha_client: Client, late: int
) -> None:
    on(late)
    page = alpha_client.get("/account/login/")
    assert page.status_code == 200
    assert "standing-band" not in page.content.decode()
    assert alpha_client.get("/calls/").status_code == 302
    assert alpha_client.post("/manage/groups/new/").status_code == 302
    for headers in ({}, {"authorization": "Bearer cc_guessed"}):
        assert alpha_client.get("/api/v1/calls", headers=headers).status_code == 401


def test_lost_callers_are_served_while_read_only_and_not_while_suspended(owing: Invoice, on: On) -> None:
    client, _admin = signed_in("alpha", Role.ADMIN)
    on(15)
    assert client.post("/lost/7/do/").status_code == 404
    on(30)
    assert client.post("/lost/7/do/").status_code == 423


def test_programs_are_told_in_json(owing: Invoice, on: On) -> None:
    client, admin = signed_in("alpha", Role.ADMIN)
    with company_scope("alpha"):
        _token, text = issue(user=admin, name="CRM", scopes=[Scope.CALLS, Scope.LOST])
    program = Client(headers={"host": "alpha.localhost", "authorization": f"Bearer {text}"})
    on(15)
    assert program.get("/api/v1/calls?from=2026-07-01").status_code != 423
    on(30)
    answer = program.get("/api/v1/calls?from=2026-07-01")
    assert (answer.status_code, answer.headers["Content-Type"]) == (423, "application/json")
    assert answer.json()["standing"] == "suspended"
    assert "1500" not in answer.content.decode()
    assert client.post("/api/v1/calls", {}).status_code == 423


def test_a_part_of_a_page_is_told_by_a_short_word(owing: Invoice, on: On) -> None:
    client, _admin = signed_in("alpha", Role.ADMIN)
    on(15)
    answer = client.post("/manage/groups/new/", headers={"hx-request": "true"})
    assert (answer.status_code, answer.content) == (423, b"")
    assert json.loads(answer.headers["HX-Trigger"])["toast"]["tone"] == "alarm"
    on(30)
    quiet = client.get("/calls/count/", headers={"hx-request": "true"})
    assert (quiet.status_code, "HX-Trigger" in quiet.headers) == (423, False)
    assert client.get("/calls/", headers={"accept": "application/json"}).json()["standing"] == "suspended"


# ------------------------------------------------------------------------------------------------ what is said
AMOUNTS = ("1\u00a0500,00", "СЧ-2026/000001")


@pytest.mark.parametrize(
    ("role", "allowed", "told"),
    [
        (Role.ADMIN, False, True), (Role.SUPERVISOR, False, False), (Role.SUPERVISOR, True, True),
        (Role.MANAGER, False, False), (Role.MANAGER, True, False),
    ],
)  # fmt: skip
def test_amounts_are_told_to_those_alone_who_may_see_money(
    owing: Invoice, alpha: Company, on: On, role: Role, allowed: bool, told: bool
) -> None:
    money.account(alpha, supervisors_see=allowed)
    client, _user = signed_in("alpha", role)
    for late, banded in ((0, False), (1, told), (15, True), (30, True)):
        on(late)
        for path in ("/account/", "/exports/"):
            page = client.get(path).content.decode()
            assert ("standing-band" in page) == banded, (late, path)
            assert [word in page for word in AMOUNTS] == [told and late > 0] * 2, (late, path)


def test_the_page_in_place_says_what_was_lost_and_where_to_go(owing: Invoice, on: On) -> None:
    client, _admin = signed_in("alpha", Role.ADMIN)
    on(15)
    page = client.post("/manage/groups/new/", {"title": "Новая"}).content.decode()
    for words in ("не сохранено", "13 августа 2026", "/billing/", "только для чтения"):
        assert words in page, words
    on(30)
    assert "приостановлен" in client.get("/live/").content.decode()


def test_a_page_of_a_company_that_owes_nothing_asks_nothing_more(owing: Invoice, on: On) -> None:
    on(30)
    client, _admin = signed_in("beta", Role.ADMIN)
    client.get("/account/")
    with CaptureQueriesContext(connection) as asked:
        client.get("/account/")
    assert [query["sql"] for query in asked if "billing_" in query["sql"]] == []


# ------------------------------------------------------------------------------------------------ never a call
def test_every_name_that_stays_open_is_an_address(owing: Invoice) -> None:
    known = names(get_resolver(settings.COMPANY_URLCONF))
    for entry in (*settings.BILLING_ALWAYS_OPEN, *settings.BILLING_OPEN_READ_ONLY):
        if not entry.startswith("/"):
            assert any(
                name == entry or (entry.endswith("*") and name.startswith(entry[:-1])) for name in known
            ), entry


def names(resolver: object, space: str = "") -> set[str]:
    found: set[str] = set()
    for entry in resolver.url_patterns:
        if hasattr(entry, "url_patterns"):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            found |= names(entry, inner)
        elif entry.name:
            found.add(space + entry.name)
    return found
