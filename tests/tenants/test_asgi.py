"""The gate of the websockets: only a page of the same origin, only a person signed in at that very company."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from tenants.asgi import App, CompanyGate, Receive, Scope, Send, Visitor, load_user, still_welcome
from tenants.models import Company
from tenants.people import services
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tenants.services import close_company
from tenants.sessions import SessionStore
from tests.factories.people import signed_in

pytestmark = pytest.mark.django_db

ALPHA = "alpha.localhost:8000"
BETA = "beta.localhost:8000"


@pytest.fixture(autouse=True)
def _keep_the_tests_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    # Channels drops connections that are in a transaction it did not open; the test's own is one.
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)


class Door:
    """A consumer behind the gate that notes who came through."""

    def __init__(self) -> None:
        self.came: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.came.append(scope)
        await send({"type": "websocket.accept"})


def knock(
    client: Client | None, *, host: str = ALPHA, origin: str | None = f"http://{ALPHA}", scheme: str = "ws",
    more: tuple[tuple[bytes, bytes], ...] = (),
) -> tuple[list[Mapping[str, Any]], list[Scope]]:  # fmt: skip
    """What the gate sends to a handshake, and the scopes it lets through."""
    headers = [(b"host", host.encode()), *more]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    if client is not None:
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        headers.append((b"cookie", cookies.encode()))
    scope = {"type": "websocket", "path": "/ws/board/", "scheme": scheme, "headers": headers}
    sent: list[Mapping[str, Any]] = []
    door = Door()
    gate: App = CompanyGate(door)

    async def receive() -> Mapping[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    async_to_sync(gate)(scope, receive, send)
    return sent, door.came


def is_refused(sent: list[Mapping[str, Any]], came: list[Scope]) -> bool:
    """Closed before it was accepted, which a server answers with 403."""
    return [message["type"] for message in sent] == ["websocket.close"] and not came


@pytest.fixture
def anna() -> tuple[Client, User]:
    return signed_in("alpha", Role.SUPERVISOR)


def test_a_person_at_their_own_company_comes_through(anna: tuple[Client, User]) -> None:
    client, user = anna
    sent, [scope] = knock(client)
    assert sent == [{"type": "websocket.accept"}]
    assert scope["company"].slug == "alpha"
    assert (scope["visitor"].user_id, scope["visitor"].role) == (user.pk, "supervisor")
    assert async_to_sync(load_user)(scope["visitor"]) == user


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        f"http://{BETA}",
        "http://localhost:8000",
        "http://sub.alpha.localhost:8000",
        "http://alpha.localhost:8001",
        "http://alpha.localhost",
        f"https://{ALPHA}",
        "null",
        "",
        None,
        f"http://{ALPHA}@evil.example",
        f"http://evil.example@{ALPHA}",
        f"http://{ALPHA}/path",
        f"http://{ALPHA}.evil.example",
        "http://[::1",
        "file://",
    ],
)
def test_a_page_of_another_origin_is_refused(anna: tuple[Client, User], origin: str | None) -> None:
    assert is_refused(*knock(anna[0], origin=origin))


def test_an_origin_said_twice_is_none() -> None:
    client, _user = signed_in("alpha")
    assert is_refused(*knock(client, more=((b"origin", b"http://evil.example"),)))


def test_a_secure_socket_needs_a_secure_page(anna: tuple[Client, User]) -> None:
    client, _user = anna
    assert is_refused(*knock(client, scheme="wss"))
    sent, _came = knock(client, scheme="wss", origin=f"https://{ALPHA}")
    assert sent == [{"type": "websocket.accept"}]


def test_default_ports_may_be_left_out(anna: tuple[Client, User]) -> None:
    sent, _came = knock(anna[0], host="alpha.localhost", origin="http://alpha.localhost:80")
    assert sent == [{"type": "websocket.accept"}]


def test_the_proxys_word_on_https_is_taken_where_settings_say_so(
    anna: tuple[Client, User], settings: Any
) -> None:
    proxied = ((b"x-forwarded-proto", b"https"),)
    assert is_refused(*knock(anna[0], origin=f"https://{ALPHA}", more=proxied))
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    sent, _came = knock(anna[0], origin=f"https://{ALPHA}", more=proxied)
    assert sent == [{"type": "websocket.accept"}]


def test_a_session_of_alpha_opens_nothing_at_beta_and_a_stranger_nothing_anywhere(
    anna: tuple[Client, User],
) -> None:
    assert is_refused(*knock(anna[0], host=BETA, origin=f"http://{BETA}"))
    assert is_refused(*knock(None))
    assert is_refused(*knock(Client()))


@pytest.mark.parametrize(
    "host", ["gamma.localhost:8000", "localhost:8000", "evil.example", "", "a b", "[::1"]
)
def test_a_host_of_nobody_is_refused(anna: tuple[Client, User], host: str) -> None:
    assert is_refused(*knock(anna[0], host=host, origin=f"http://{host}"))


def scope_of(host: str, session: str) -> Scope:
    headers = [
        (b"host", host.encode()),
        (b"origin", f"http://{host}".encode()),
        (b"cookie", f"sessionid={session}".encode()),
    ]
    return {"type": "websocket", "path": "/ws/board/", "scheme": "ws", "headers": headers}


def knock_together(scopes: list[Scope]) -> tuple[list[str], list[Scope]]:
    """All at one gate in the same moment: what each is answered, and the scopes let through."""
    answers = [""] * len(scopes)
    door = Door()

    async def all_at_once() -> None:
        gate: App = CompanyGate(door)

        async def one(place: int, scope: Scope) -> None:
            async def receive() -> Mapping[str, Any]:
                return {"type": "websocket.connect"}

            async def send(message: Mapping[str, Any]) -> None:
                answers[place] = message["type"]

            await gate(scope, receive, send)

        await asyncio.gather(*(one(place, scope) for place, scope in enumerate(scopes)))

    async_to_sync(all_at_once)()
    return answers, door.came


HOSTILE_KEYS = ["", "a\0b", "'; --", "x" * 10_000, "ключ", "z" * 32]


def test_a_crowd_at_the_gate_is_told_apart_by_two_queries_a_company(
    django_assert_max_num_queries: Any,
) -> None:
    people = {slug: [signed_in(slug, Role.SUPERVISOR) for _ in range(4)] for slug in ("alpha", "beta")}
    keys = {slug: [client.cookies["sessionid"].value for client, _ in each] for slug, each in people.items()}
    own = [scope_of(f"{slug}.localhost:8000", key) for slug in keys for key in keys[slug]]
    foreign = [scope_of(ALPHA, key) for key in keys["beta"]] + [scope_of(BETA, key) for key in keys["alpha"]]
    junk = [scope_of(ALPHA, key) for key in HOSTILE_KEYS]
    with django_assert_max_num_queries(
        24
    ):  # three askings at most, two companies, a search path before each query
        answers, came = knock_together(own + foreign + junk)
    assert answers == ["websocket.accept"] * len(own) + ["websocket.close"] * (len(foreign) + len(junk))
    expected = {(slug, user.pk) for slug, each in people.items() for _, user in each}
    assert {(scope["visitor"].company, scope["visitor"].user_id) for scope in came} == expected
    assert all(scope["company"].slug == scope["visitor"].company for scope in came)


def test_a_session_of_another_password_or_way_in_or_company_opens_nothing(anna: tuple[Client, User]) -> None:
    client, _user = anna
    key = client.cookies["sessionid"].value
    with company_scope("alpha"):
        store = SessionStore(key)
        begun = dict(store.items())

    def said(**more: str | None) -> list[str]:
        with company_scope("alpha"):
            content = {name: value for name, value in {**begun, **more}.items() if value is not None}
            Session.objects.filter(session_key=key).update(session_data=store.encode(content))
        return knock_together([scope_of(ALPHA, key)])[0]

    assert said() == ["websocket.accept"]
    assert said(_auth_user_hash="0" * 64) == ["websocket.close"]
    assert said(_auth_user_hash=None) == ["websocket.close"]
    assert said(_auth_user_backend="a.way.in.we.had") == ["websocket.close"]
    assert said(_auth_user_id=None) == ["websocket.close"]
    with company_scope("alpha"):
        Session.objects.filter(session_key=key).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert knock_together([scope_of(ALPHA, key)])[0] == ["websocket.close"]


def test_a_session_under_a_former_secret_key_still_opens(anna: tuple[Client, User], settings: Any) -> None:
    client, _user = anna
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a newer key of this installation"
    assert knock_together([scope_of(ALPHA, client.cookies["sessionid"].value)])[0] == ["websocket.accept"]


def test_a_database_that_fails_is_told_to_everybody_who_waits(
    anna: tuple[Client, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(knocks: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr("tenants.asgi.admit", broken)
    with pytest.raises(OperationalError):
        knock(anna[0])


def welcome(*visitors: Visitor, company: str = "alpha") -> set[Visitor]:
    return async_to_sync(still_welcome)(company, visitors)


def visitor_of(client: Client) -> Visitor:
    _sent, [scope] = knock(client)
    found: Visitor = scope["visitor"]
    return found


def test_welcome_ends_with_the_session_the_role_the_person_or_the_company(alpha: Company) -> None:
    people = {
        what: signed_in("alpha", Role.SUPERVISOR) for what in ("stays", "out", "everywhere", "off", "role")
    }
    visitors = {what: visitor_of(client) for what, (client, _user) in people.items()}
    assert welcome(*visitors.values()) == set(visitors.values())
    people["out"][0].post("/account/logout/")
    with company_scope("alpha"):
        services.sign_out_everywhere(user=people["everywhere"][1])
        services.disable(user=people["off"][1])
        User.objects.filter(pk=people["role"][1].pk).update(role=Role.MANAGER)
    assert welcome(*visitors.values()) == {visitors["stays"]}
    assert welcome(visitors["stays"], company="beta") == set()
    assert welcome(replace(visitors["stays"], company="beta"), company="beta") == set()
    close_company(company=alpha)
    assert welcome(visitors["stays"]) == set()


def test_asking_for_many_sockets_costs_no_more_queries_than_for_one(
    django_assert_max_num_queries: Any,
) -> None:
    visitors = [visitor_of(signed_in("alpha", Role.SUPERVISOR)[0]) for _ in range(5)]
    with django_assert_max_num_queries(6):  # three, and a search path before each
        assert len(welcome(*visitors)) == 5


def test_what_is_no_websocket_passes_untouched() -> None:
    passed: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope)

    async def nothing(*_message: Any) -> Any:
        return {}

    scope = {"type": "http", "headers": []}
    async_to_sync(CompanyGate(app))(scope, nothing, nothing)
    assert passed == [scope]
