"""The gate of every websocket: the host says the company, the page must be of the same host, the person signed in.

What fails is refused with 403 before the socket is accepted. Behind the gate a consumer finds
``scope["company"]`` (CompanyRecord) and ``scope["visitor"]`` (Visitor), and asks ``still_welcome`` now and then.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from tenants import lookup
from tenants.models import Company
from tenants.people.models import User
from tenants.scope import company_scope
from tenants.sessions import SessionStore

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

DEFAULT_PORTS = {"http": "80", "https": "443"}
MOST_AT_ONCE = 200
"""Knocks that are asked about together; more would keep the first of them waiting."""
_SESSION_KEY = re.compile(
    r"[a-z0-9]{8,40}"
)  # what Django makes; anything else must not reach a query with others'


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who opened a socket, by which session, in which role. Values only: no row is held for hours."""

    company: str
    user_id: int
    role: str
    session_key: str
    proof: str  # User.get_session_auth_hash() at the door


@dataclass(frozen=True, slots=True)
class Knock:
    """What a handshake says of who is there."""

    host: str
    session_key: str


Admitted = tuple[lookup.CompanyRecord, Visitor]


class AtTheRoot:
    """ASGI middleware: the portal is served at the root of its hosts, whatever a visitor says.

    Daphne takes a prefix from the header Daphne-Root-Path, from anybody: every link of a page, and where we redirect
    to, would begin with what a stranger wrote, and a path could pass for one that needs no sign-in.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, "root_path": ""}, receive, send)


class CompanyGate:
    """ASGI middleware for websockets; other scopes pass untouched.

    Whoever comes while others are asked about waits and is asked about with the rest: when a server or a network
    comes back, thousands come at once.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._waiting: list[tuple[Knock, asyncio.Future[Admitted | None]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        headers = _Headers(scope)
        host = headers.host()
        if host is None or not headers.same_origin(scope):
            await refuse(receive, send)
            return
        admitted = await self._admit(Knock(host, headers.cookies().get(settings.SESSION_COOKIE_NAME, "")))
        if admitted is None:
            await refuse(receive, send)
            return
        company, visitor = admitted
        await self.app({**scope, "company": company, "visitor": visitor}, receive, send)

    async def _admit(self, knock: Knock) -> Admitted | None:
        answer: asyncio.Future[Admitted | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((knock, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(), name="who is at the gate")
        return await answer

    async def _ask(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            try:
                admitted = await admit({knock for knock, _ in asked})
            except Exception as error:
                for _, answer in asked:
                    if not answer.done():
                        answer.set_exception(error)
            else:
                for knock, answer in asked:
                    if not answer.done():
                        answer.set_result(admitted.get(knock))


async def refuse(receive: Receive, send: Send) -> None:
    """Close before accepting: the server answers the handshake with 403."""
    await receive()
    await send({"type": "websocket.close", "code": 4403})


@database_sync_to_async
def admit(knocks: Iterable[Knock]) -> dict[Knock, Admitted]:
    """Those whose host is a company's and whose session there is somebody's. Two queries a company."""
    at_company: dict[lookup.CompanyRecord, list[Knock]] = {}
    for knock in knocks:
        company = lookup.company_at(knock.host)
        if company is not None and _SESSION_KEY.fullmatch(knock.session_key):
            at_company.setdefault(company, []).append(knock)
    admitted: dict[Knock, Admitted] = {}
    for company, theirs in at_company.items():
        with company_scope(company.slug):
            people = _people({knock.session_key for knock in theirs})
            for knock in theirs:
                user = people.get(knock.session_key)
                if user is not None:
                    admitted[knock] = company, _visitor(company.slug, user, knock.session_key)
    return admitted


def _visitor(company: str, user: User, session_key: str) -> Visitor:
    return Visitor(
        company=company,
        user_id=user.pk,
        role=user.role,
        session_key=session_key,
        proof=user.get_session_auth_hash(),
    )


@database_sync_to_async
def still_welcome(company: str, visitors: Iterable[Visitor]) -> set[Visitor]:
    """Those of one company's visitors who are still signed in, active and in the role they came in.

    Two queries however many sockets there are; ask every few seconds for all of them together.
    """
    asked = {visitor for visitor in visitors if visitor.company == company}
    if not asked or not _is_open(company):
        return set()
    with company_scope(company):
        people = {
            user.pk: user
            for user in User.objects.filter(pk__in={visitor.user_id for visitor in asked}, is_active=True)
        }
        keys = {visitor.session_key for visitor in asked}
        sessions = set(
            SessionStore.get_model_class()
            .objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
            .values_list("session_key", flat=True)
        )
        return {
            visitor
            for visitor in asked
            if visitor.session_key in sessions
            and (user := people.get(visitor.user_id)) is not None
            and user.role == visitor.role
            and user.get_session_auth_hash() == visitor.proof
        }


@database_sync_to_async
def load_user(visitor: Visitor) -> User | None:
    """The visitor's row as it is now, for the questions a consumer asks once."""
    with company_scope(visitor.company):
        return User.objects.filter(pk=visitor.user_id, is_active=True).first()


def _people(session_keys: set[str]) -> dict[str, User]:
    """The active people of sessions, by the checks of Django's ``get_user`` (which asks for one at a time)."""
    store = SessionStore()
    found = (
        store.get_model_class()
        .objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
        .values_list("session_key", "session_data")
    )
    sessions = {key: content for key, data in found if SESSION_KEY in (content := store.decode(data))}
    users = {
        str(user.pk): user
        for user in User.objects.filter(
            pk__in={content[SESSION_KEY] for content in sessions.values()}, is_active=True
        )
    }
    return {
        key: user
        for key, content in sessions.items()
        if (user := users.get(str(content[SESSION_KEY]))) is not None and _is_proven(user, content)
    }


def _is_proven(user: User, content: Mapping[str, Any]) -> bool:
    """Whether the session was begun by a way in we still have, with this person's password and version."""
    proof = str(content.get(HASH_SESSION_KEY, ""))
    valid = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return content.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS and any(
        constant_time_compare(proof, one) for one in valid
    )


class _Headers:
    """The handshake's headers, where a repeated one is as good as none."""

    def __init__(self, scope: Scope) -> None:
        self.all: dict[bytes, list[bytes]] = {}
        for name, value in scope.get("headers", ()):
            self.all.setdefault(name.lower(), []).append(value)

    def one(self, name: bytes) -> str | None:
        values = self.all.get(name, [])
        return values[0].decode("latin-1") if len(values) == 1 else None

    def cookies(self) -> dict[str, str]:
        return parse_cookie("; ".join(value.decode("latin-1") for value in self.all.get(b"cookie", [])))

    def host(self) -> str | None:
        """The host without its port, when it is one of ours."""
        domain, _port = split_domain_port(self.one(b"host") or "")
        return domain if domain and validate_host(domain, settings.ALLOWED_HOSTS) else None

    def same_origin(self, scope: Scope) -> bool:
        """Whether the page that opens the socket has the scheme, host and port of the socket's own request."""
        try:
            origin = urlsplit(self.one(b"origin") or "")
        except ValueError:  # brackets that are no IPv6 address
            return False
        scheme = self._scheme(scope)
        if origin.scheme != scheme or origin.path or origin.query or origin.fragment or "@" in origin.netloc:
            return False
        return _with_port(origin.netloc.lower(), scheme) == _with_port(
            (self.one(b"host") or "").lower(), scheme
        )

    def _scheme(self, scope: Scope) -> str:
        secure = scope.get("scheme") == "wss"
        told_by_proxy = getattr(settings, "SECURE_PROXY_SSL_HEADER", None)
        if told_by_proxy:
            name = told_by_proxy[0].removeprefix("HTTP_").replace("_", "-").lower().encode()
            secure = secure or self.one(name) == told_by_proxy[1]
        return "https" if secure else "http"


def _with_port(netloc: str, scheme: str) -> tuple[str, str]:
    domain, port = split_domain_port(netloc)
    return domain, port or DEFAULT_PORTS[scheme]


def _is_open(company: str) -> bool:
    return bool(Company.objects.filter(schema_name=company, active=True).exists())
