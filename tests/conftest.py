"""The ground tests stand on: PostgreSQL and Redis of their own, and two companies, alpha and beta.

Servers start when the first test asks for them. Tests marked ``django_db`` run in a transaction that is rolled
back; those marked ``django_db(transaction=True)`` commit, and get the database back from a template afterwards.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dj_database_url
import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client, TransactionTestCase

from ccenter.demo import embedded
from ccenter.demo.translations import compile_all
from tenants import lookup
from tenants.models import Company
from tenants.services import create_company

# The whole portal's fixtures serve two folders and must be one; the figures are told by all.
pytest_plugins = ["tests.figures", "tests.e2e.fixtures"]

COMPANIES = {"alpha": "Альфа", "beta": "Бета"}


def pytest_configure() -> None:
    """Compile translations that were edited since: tests read the pages people will see."""
    sources = Path(settings.BASE_DIR).glob("*/locale/*/LC_MESSAGES/*.po")
    compile_all([source for source in sources if _is_stale(source)])


def _is_stale(source: Path) -> bool:
    compiled = source.with_name("django.mo")
    return not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime


@pytest.fixture(scope="session")
def servers_dir() -> Iterator[Path]:
    """Where this run's servers live. Not under the user's temporary files if those are memory."""
    home = Path(tempfile.mkdtemp(prefix="ccenter-tests-"))
    home.chmod(0o711)  # the server runs as another user and must walk through
    yield home
    embedded.stop(home)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def database_url(servers_dir: Path) -> str:
    """A PostgreSQL for this run alone; DATABASE_URL names another server to use."""
    return embedded.postgres(servers_dir, throwaway=True)


@pytest.fixture(scope="session")
def redis_url(servers_dir: Path) -> str:
    """A Redis for this run alone; settings.REDIS_URL points at it from now on."""
    settings.REDIS_URL = embedded.redis(servers_dir)
    return str(settings.REDIS_URL)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(database_url: str) -> None:
    """Point Django at this run's server. The name is this run's own: several may use one server."""
    parsed = dj_database_url.parse(database_url)
    target = connections["default"].settings_dict
    for key in ("HOST", "PORT", "USER", "PASSWORD"):
        target[key] = parsed.get(key, "")
    target["NAME"] = f"ccenter_{os.getpid()}"
    target["TEST"]["NAME"] = f"test_ccenter_{os.getpid()}"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Two companies, made once, and a template of the whole to restore committed tests from."""
    lookup.TTL = 1e9  # no test waits for it, and query counts must not depend on how long a run takes
    with django_db_blocker.unblock():
        for slug, name in COMPANIES.items():
            create_company(slug=slug, name=name)
        database = connection.settings_dict["NAME"]
        template = f"{database}_template"
        connection.close()
        _on_maintenance(f'CREATE DATABASE "{template}" TEMPLATE "{database}"')

    def restore(_case: object) -> None:
        # Django would empty every table, the companies' own rows with them, and of one schema only.
        connections.close_all()
        _on_maintenance(
            f'DROP DATABASE "{database}" WITH (FORCE)', f'CREATE DATABASE "{database}" TEMPLATE "{template}"'
        )
        lookup.forget()

    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", restore)
    yield
    patch.undo()
    with django_db_blocker.unblock():
        connection.close()
        _on_maintenance(f'DROP DATABASE "{template}" WITH (FORCE)')


def _on_maintenance(*statements: str) -> None:
    """Run statements that must not be inside the database they are about."""
    with connection._nodb_cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def alpha(db: None) -> Company:
    return Company.objects.get(schema_name="alpha")


@pytest.fixture
def beta(db: None) -> Company:
    return Company.objects.get(schema_name="beta")


@pytest.fixture
def alpha_client(db: None) -> Client:
    """A browser at alpha's host, signed in as nobody."""
    return Client(headers={"host": "alpha.localhost"})


@pytest.fixture
def beta_client(db: None) -> Client:
    """A browser at beta's host, signed in as nobody."""
    return Client(headers={"host": "beta.localhost"})


@pytest.fixture
def public_client(db: None) -> Client:
    """A browser at the platform's own host, signed in as nobody."""
    return Client(headers={"host": "localhost"})


@pytest.fixture(autouse=True)
def _outside_every_company() -> Iterator[None]:
    """No test leaves a scope open for the next one."""
    yield
    assert connection.schema_name == "public", "A company's scope was left open."


@pytest.fixture(autouse=True)
def _standing_asked_afresh() -> None:
    """What one test's company owed is nothing to the next one's."""
    from billing.selectors import standing

    standing.forget()
