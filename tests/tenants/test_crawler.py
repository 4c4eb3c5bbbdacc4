"""Walks every address of a company's host, those added tomorrow too, as people of the other company.

Alpha's tables are all filled with marked rows; nothing marked may come out at beta's, and nothing of alpha may change.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.http.cookie import SimpleCookie
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from django.utils.regex_helper import normalize

from tenants import lookup
from tenants.middleware import HostMiddleware
from tenants.models import Company, Pbx
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tests.factories.anything import Filler, company_models
from tests.factories.people import signed_in, signed_in_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]

MARK = "AlphaOnly"
ALPHAS, BETAS = 7_000_001, 5_000_001
LINK = re.compile(r"""(?:href|action|hx-get|hx-post|src)=["'](?P<path>/[^"'?#]*)""")
NUMBER = re.compile(r"/\d+(?=/|$)")
DOORS = (
    "/account/",
    "/i18n/",
    "/healthz",
    "/api/",
)  # what answers without a session; nothing of anybody's is there
PARAMETER = re.compile(r"<(?:(?P<converter>[^>:]+):)?(?P<name>[^>]+)>")


class Address(NamedTuple):
    """One address as the URL map gives it. ``converters``: kind of each parameter, in order."""

    route: str
    converters: tuple[str, ...]

    def at(self, *, number: int, word: str) -> str:
        """The address with every whole-number parameter set to ``number``, every other to ``word``."""
        path = self.route
        for converter in self.converters:
            path = path.replace("{}", str(number) if converter == "int" else word, 1)
        return "/" + path


def addresses(
    patterns: list[URLPattern | URLResolver], prefix: str = "", before: tuple[str, ...] = ()
) -> Iterator[Address]:
    for entry in patterns:
        route, converters = written(entry)
        if isinstance(entry, URLResolver):
            yield from addresses(entry.url_patterns, prefix + route, before + converters)
        else:
            yield Address(prefix + route, before + converters)


def written(entry: URLPattern | URLResolver) -> tuple[str, tuple[str, ...]]:
    text = str(entry.pattern)
    if isinstance(entry.pattern, RoutePattern):
        kinds = tuple(found["converter"] or "str" for found in PARAMETER.finditer(text))
        return PARAMETER.sub("{}", text), kinds
    shape, names = normalize(text.lstrip("^").replace(r"\Z", "$"))[0]
    for name in names:
        shape = shape.replace(f"%({name})s", "{}")
    return shape, tuple("str" for _name in names)


ALL = sorted(set(addresses(get_resolver(settings.COMPANY_URLCONF).url_patterns)))


@pytest.fixture
def filled() -> None:
    """Both companies with a row in every table; alpha's are marked and numbered ALPHAS, beta's BETAS."""
    Company.objects.filter(schema_name="alpha").update(name=f"{MARK} Ltd")
    pbx = Pbx.objects.create(name="АТС", host="127.0.0.1", username="x")
    for slug, mark, number in (("alpha", MARK, ALPHAS), ("beta", "BetaOwn", BETAS)):
        with company_scope(slug):
            filler = Filler(mark=mark, number=number, given={Pbx: pbx})
            for model in company_models():
                filler.row(model)


def state_of(schema: str) -> str:
    """A digest of everything in the schema's tables, its sessions and refusals too."""
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [schema])
        for (table,) in cursor.fetchall():
            rows = "SELECT md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), '')) FROM"
            cursor.execute(f'{rows} "{schema}"."{table}" t')  # the names come from the catalogue itself
            digest.update(f"{table} {cursor.fetchone()[0]}".encode())
    return digest.hexdigest()


def body(answer: HttpResponseBase) -> bytes:
    if answer.streaming:
        return b"".join(answer.streaming_content)  # type: ignore[attr-defined] # only streaming answers have it
    return answer.content  # type: ignore[attr-defined, no-any-return] # the others have this


class Visit(NamedTuple):
    """One answer. ``aimed``: the address named something of alpha's by its number."""

    what: str
    path: str
    aimed: bool
    answer: HttpResponseBase

    def tells(self) -> bool:
        """Whether the answer holds anything of alpha's, besides the address it was asked by."""
        return MARK.encode() in body(self.answer).replace(self.path.encode(), b"")


def visits(client: Client) -> Iterator[Visit]:
    """Every address of the map by GET and POST, then every link found on the way, with its numbers and with alpha's."""
    client.raise_request_exception = False
    found: set[str] = set()
    paths = {address.at(number=ALPHAS, word=MARK) for address in ALL} | {
        address.at(number=BETAS, word="x") for address in ALL
    }
    asked: set[str] = set()
    while paths - asked:
        for path in sorted(paths - asked):
            asked.add(path)
            answer = client.get(path)
            yield Visit(f"GET {path}", path, str(ALPHAS) in path, answer)
            found.update(links(answer))
        paths |= found | {NUMBER.sub(f"/{ALPHAS}", link) for link in found}
    for path in sorted(asked):
        if str(BETAS) not in path:
            yield Visit(f"POST {path}", path, str(ALPHAS) in path, client.post(path))


def links(answer: HttpResponseBase) -> set[str]:
    if answer.streaming or "html" not in answer.headers.get("Content-Type", ""):
        return set()
    text = body(answer).decode()
    return {
        found["path"] for found in LINK.finditer(text) if not found["path"].startswith(("/static/", "//"))
    }


def test_the_map_is_not_empty_and_every_table_was_filled(filled: None) -> None:
    assert len(ALL) > 15
    with company_scope("alpha"):
        assert all(model._base_manager.exists() for model in company_models())
        assert User.objects.get(pk=ALPHAS).email.startswith(MARK.lower())


def test_a_session_of_alpha_opens_nothing_at_beta(filled: None) -> None:
    client, _user = signed_in("alpha", Role.ADMIN)
    key = client.cookies["sessionid"].value
    stolen = Client(headers={"host": "beta.localhost"})
    before = state_of("alpha")
    stolen.cookies = SimpleCookie({"sessionid": key})
    for visit in visits(stolen):
        assert not visit.tells(), visit.what
        assert visit.answer.status_code < 500 or "/healthz" in visit.path, visit.what
        if visit.answer.status_code == 200:
            assert visit.path.startswith(DOORS), f"{visit.what} opened without a session of beta"
        stolen.cookies["sessionid"] = key
    assert state_of("alpha") == before


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR, Role.MANAGER])
def test_alphas_numbers_are_nothing_to_betas_people(filled: None, role: Role) -> None:
    client, user = signed_in("beta", role)
    before = state_of("alpha")
    opened = 0
    for visit in visits(client):
        assert not visit.tells(), visit.what
        assert visit.answer.status_code < 500 or "/healthz" in visit.path, visit.what
        if visit.aimed:
            assert visit.answer.status_code in (302, 401, 403, 404, 405), (
                f"{visit.what} knew a number of alpha's"
            )
        opened += visit.answer.status_code == 200
        if (
            "sessionid" not in client.cookies
            or not client.cookies["sessionid"].value
            or "sign-out" in visit.path
        ):
            with company_scope("beta"):
                user.refresh_from_db()
                client.force_login(user, backend="tenants.people.backend.EmailBackend")
    assert opened > 5, "the walk saw next to nothing"
    assert state_of("alpha") == before


def test_staff_sees_nothing_of_a_companys_schema_on_the_platforms_host(filled: None) -> None:
    Company.objects.filter(schema_name="alpha").update(name="Альфа")
    client, _staff = signed_in_staff()
    before = state_of("alpha")
    for address in sorted(set(addresses(get_resolver(settings.PUBLIC_URLCONF).url_patterns))):
        path = address.at(number=ALPHAS, word=str(ALPHAS))
        assert MARK.encode() not in body(client.get(path)), path
    assert state_of("alpha") == before


def test_the_walk_would_see_a_leak(filled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def leaky(self: HostMiddleware, request: HttpRequest) -> HttpResponseBase:
        vars(request).update(company=None, tenant=lookup.PLATFORM, urlconf=settings.COMPANY_URLCONF)
        with company_scope("alpha"):
            return self.get_response(request)

    monkeypatch.setattr(HostMiddleware, "__call__", leaky)
    client, _user = signed_in("alpha", Role.ADMIN)
    client.defaults["HTTP_HOST"] = "beta.localhost"
    assert any(visit.tells() for visit in visits(client))
