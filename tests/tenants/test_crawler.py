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
from django.http.cookie import SimpleCookie
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from django.utils.regex_helper import normalize

from tenants.models import Company, Pbx
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tests.factories.anything import FIRST_ID, Filler, company_models
from tests.factories.people import signed_in, signed_in_staff

pytestmark = pytest.mark.django_db

MARK = "AlphaOnly"
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
def filled() -> list[int]:
    """Alpha with a marked row in every table; the ids of those rows."""
    alpha = Company.objects.get(schema_name="alpha")
    Company.objects.filter(pk=alpha.pk).update(name=f"{MARK} Ltd")
    pbx = Pbx.objects.create(name="АТС", host="127.0.0.1", username="x")
    with company_scope("alpha"):
        filler = Filler(MARK, {Pbx: pbx})
        rows = [filler.row(model) for model in company_models()]
        return sorted({int(row.pk) for row in rows if isinstance(row.pk, int) and row.pk >= FIRST_ID})


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


def visits(client: Client, ids: list[int]) -> Iterator[tuple[str, Address, HttpResponseBase]]:
    """Every address by GET and POST, with every one of alpha's ids where it takes a number."""
    client.raise_request_exception = False
    for address in ALL:
        for number in ids if "int" in address.converters else ids[:1]:
            path = address.at(number=number, word=MARK)
            yield f"GET {path}", address, client.get(path)
            yield f"POST {path}", address, client.post(path)


def test_the_map_is_not_empty_and_every_table_was_filled(filled: list[int]) -> None:
    assert len(ALL) > 15
    with company_scope("alpha"):
        assert all(model._base_manager.exists() for model in company_models())
        assert User.objects.filter(email__contains=MARK.lower()).exists()
    assert len(filled) >= 3


def test_a_session_of_alpha_opens_nothing_at_beta(filled: list[int]) -> None:
    client, _user = signed_in("alpha", Role.ADMIN)
    stolen = Client(headers={"host": "beta.localhost"})
    stolen.cookies = SimpleCookie({"sessionid": client.cookies["sessionid"].value})
    before = state_of("alpha")
    doors = ("/account/", "/i18n/")
    for what, _address, answer in visits(stolen, filled):
        assert MARK.encode() not in body(answer).replace(what.split()[1].encode(), b""), what
        assert answer.status_code < 500 or "/healthz" in what, what
        if answer.status_code == 200:
            assert what.split()[1].startswith((*doors, "/healthz", "/api/")), (
                f"{what} opened without a session of beta"
            )
        stolen.cookies["sessionid"] = client.cookies["sessionid"].value
    assert state_of("alpha") == before


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR, Role.MANAGER])
def test_alphas_ids_are_nothing_to_betas_people(filled: list[int], role: Role) -> None:
    client, user = signed_in("beta", role)
    before = state_of("alpha")
    for what, address, answer in visits(client, filled):
        assert MARK.encode() not in body(answer).replace(what.split()[1].encode(), b""), what
        assert answer.status_code < 500 or "/healthz" in what, what
        if "int" in address.converters:
            assert answer.status_code in (302, 401, 403, 404, 405), f"{what} knew an id of alpha's"
        with company_scope("beta"):
            User.objects.filter(pk=user.pk).update(session_version=1, is_active=True)
            client.force_login(user, backend="tenants.people.backend.EmailBackend")
    assert state_of("alpha") == before


def test_staff_sees_nothing_of_a_companys_schema_on_the_platforms_host(filled: list[int]) -> None:
    Company.objects.filter(schema_name="alpha").update(name="Альфа")
    client, _staff = signed_in_staff()
    before = state_of("alpha")
    for address in addresses(get_resolver(settings.PUBLIC_URLCONF).url_patterns):
        for number in filled:
            path = address.at(number=number, word=str(number))
            assert MARK.encode() not in body(client.get(path)), path
            if "int" not in address.converters:
                break
    assert state_of("alpha") == before
