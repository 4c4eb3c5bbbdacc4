"""What companies cost: a request through host look-up and schema scope, against the same view without either.

It brings its own PostgreSQL and leaves nothing.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from ccenter.demo import embedded
from tests.bench.table import Row

REQUESTS = 300  # of each way, one after the other, so that both meet the same machine
DEAREST = 1.1  # times the same request without companies
PAGES = ("/account/", "/account/tokens/")

Ask = Callable[[str], None]


def rows() -> list[Row]:
    """Medians of requests asked in turns."""
    state = Path(tempfile.mkdtemp(prefix="ccenter-bench-"))
    state.chmod(0o711)  # PostgreSQL runs as another user and must walk through
    try:
        os.environ |= {
            "CCENTER_STATE": str(state),
            "DATABASE_URL": embedded.postgres(state, throwaway=True),
            "DATABASE_POOL": "0",
            "DJANGO_SETTINGS_MODULE": "ccenter.settings.demo",
        }
        return measure()
    finally:
        embedded.stop(state)
        shutil.rmtree(state, ignore_errors=True)


def measure() -> list[Row]:
    with_companies, without = prepared()
    found = []
    for page in PAGES:
        times: dict[str, list[float]] = {"without companies": [], "with companies": []}
        for _number in range(REQUESTS):
            with no_companies():
                times["without companies"].append(timed(without, page))
            times["with companies"].append(timed(with_companies, page))
        baseline, ours = (statistics.median(each) for each in times.values())
        found.append(
            Row(
                what=f"a request with host look-up and schema, {page}",
                unit="ms",
                baseline=baseline,
                ours=ours,
                ratio=ours / baseline,
                most_ratio=DEAREST,
            )
        )
    return found


def timed(ask: Ask, page: str) -> float:
    """Milliseconds of one request."""
    began = time.perf_counter()
    ask(page)
    return (time.perf_counter() - began) * 1000


def prepared() -> tuple[Ask, Ask]:
    """A company with a person signed in, and two ways to ask for that person's pages."""
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import SESSION_KEY
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client, override_settings

    from tenants.people.models import Role, User
    from tenants.scope import company_scope
    from tenants.services import create_company

    call_command("migrate_schemas", shared=True, verbosity=0)
    create_company(slug="bench", name="Замер")
    connection.settings_dict["CONN_MAX_AGE"] = None
    client = Client(headers={"host": "bench.localhost"})
    with company_scope("bench"):
        user = User.objects.create_user("bench@bench.example", role=Role.SUPERVISOR)
        client.force_login(user, backend="tenants.people.backend.EmailBackend")
        assert client.session[SESSION_KEY] == str(user.pk)
    bare = Client(headers={"host": "bench.localhost"})
    bare.cookies = client.cookies
    middleware = [
        f"{__name__}.WithoutCompanies" if "HostMiddleware" in name else name for name in settings.MIDDLEWARE
    ]
    with override_settings(MIDDLEWARE=middleware):
        bare.handler.load_middleware()
    client.handler.load_middleware()

    def asking(browser: Client) -> Ask:
        def ask(page: str) -> None:
            answer = browser.get(page)
            assert answer.status_code == 200, (page, answer.status_code)

        return ask

    return asking(client), asking(bare)


class WithoutCompanies:
    """Stands where HostMiddleware does and looks nothing up: one company, as in a program that knows only one."""

    def __init__(self, get_response: Callable[[object], object]) -> None:
        self.get_response = get_response

    def __call__(self, request: object) -> object:
        from tenants import lookup

        one = lookup.CompanyRecord(slug="bench", name="Замер", time_zone="Europe/Moscow", language="ru")
        vars(request).update(company=one, tenant=one, urlconf="ccenter.urls_company")
        return self.get_response(request)


@contextmanager
def no_companies() -> Iterator[None]:
    """The search path is set once for the connection, and never again."""
    from django.db import connection
    from django_tenants.postgresql_backend.base import DatabaseWrapper

    from tenants.scope import company_scope

    with company_scope("bench"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        with mock.patch.object(DatabaseWrapper, "_handle_search_path", return_value=None):
            yield
