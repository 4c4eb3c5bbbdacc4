"""A Redis of these tests' own, because they flush, stop and start it; and boards to put there."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from ccenter.demo import embedded
from monitoring.bus import BoardReader, BoardWriter, CommandInbox, Lease, Leases
from monitoring.models import Group, Supervisor
from tenants.models import Company, Pbx
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tenants.sessions import SessionStore
from tests.factories.people import person
from tests.live.site import Site, serve, sign_in


@pytest.fixture(scope="session")
def redis_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("live")
    yield home
    embedded.stop(home)


@pytest.fixture(scope="session")
def own_redis_url(redis_home: Path) -> str:
    shared = os.environ.pop("REDIS_URL", None)  # a shared one must not be flushed by these tests
    try:
        return embedded.redis(redis_home)
    finally:
        if shared is not None:
            os.environ["REDIS_URL"] = shared


@pytest.fixture
def redis_url(own_redis_url: str, settings: Any) -> str:
    settings.REDIS_URL = own_redis_url
    with redis_py.Redis.from_url(own_redis_url) as client:
        client.flushall()
    return own_redis_url


@pytest.fixture
def raw(redis_url: str) -> Iterator[redis_py.Redis]:
    with redis_py.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def leases(redis_url: str) -> AsyncIterator[Leases]:
    leases = Leases(redis_url, "first:1")
    yield leases
    await leases.close()


@pytest.fixture
async def others(redis_url: str) -> AsyncIterator[Leases]:
    """Another worker's leases, with a short life."""
    leases = Leases(redis_url, "second:2", seconds=0.15)
    yield leases
    await leases.close()


@pytest.fixture
async def lease(leases: Leases) -> Lease:
    lease = await leases.acquire("1")
    assert lease is not None
    return lease


@pytest.fixture
async def writer(redis_url: str, lease: Lease) -> AsyncIterator[BoardWriter]:
    """A writer that holds PBX 1."""
    writer = BoardWriter(redis_url)
    writer.hold(lease)
    yield writer
    await writer.close()


@pytest.fixture
async def reader(redis_url: str) -> AsyncIterator[BoardReader]:
    reader = BoardReader(redis_url)
    yield reader
    await reader.close()


@pytest.fixture
async def inbox(redis_url: str) -> AsyncIterator[CommandInbox]:
    inbox = CommandInbox(redis_url)
    yield inbox
    await inbox.close()


@dataclass
class People:
    """Who watches in one company: an admin, a supervisor of group one, a supervisor of group two, a manager."""

    company: str
    one: Group
    two: Group
    users: dict[str, User]
    sessions: dict[str, str]


@pytest.fixture(scope="module")
def people(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, People]]:
    """Committed rows in both companies, because another process must see them; taken away again at the end."""
    with django_db_blocker.unblock():
        pbx = Pbx.objects.create(name="Live tests", host="127.0.0.1", username="x", pk=1)
        made = {slug: _people(slug, pbx) for slug in ("alpha", "beta")}
        yield made
        for slug in made:
            with company_scope(slug):
                User.objects.all().delete()
                Group.objects.all().delete()
                SessionStore.get_model_class().objects.all().delete()
        pbx.companies.clear()
        pbx.delete()


def _people(slug: str, pbx: Pbx) -> People:
    pbx.companies.add(Company.objects.get(schema_name=slug))
    with company_scope(slug):
        one, two = Group.objects.create(title="Первая"), Group.objects.create(title="Вторая")
        users = {
            "admin": person(Role.ADMIN),
            "one": person(Role.SUPERVISOR),
            "two": person(Role.SUPERVISOR),
            "manager": person(Role.MANAGER),
        }
        Supervisor.objects.create(user=users["one"]).groups.add(one)
        Supervisor.objects.create(user=users["two"]).groups.add(two)
    return People(slug, one, two, users, {name: sign_in(slug, user) for name, user in users.items()})


@pytest.fixture(scope="module")
def site(
    people: dict[str, People],
    own_redis_url: str,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    with (
        django_db_blocker.unblock(),
        serve(own_redis_url, tmp_path_factory.mktemp("daphne") / "log") as site,
    ):
        yield site
