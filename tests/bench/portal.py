"""A portal of the bench's own: PostgreSQL, Redis, one Daphne as production runs it, and people signed in already.

Used by the measurements that go through the real door; everything ends and is removed with the block.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from ccenter.demo import embedded

ROOT = Path(__file__).resolve().parents[2]
COMPANIES = {"alpha": "Альфа", "beta": "Бета"}
GROUPS = 3
PBX = "1"


@dataclass
class Portal:
    """``sessions``: session keys of supervisors by company; each has one of seven sets of groups."""

    state: Path
    port: int
    redis_url: str
    groups: dict[str, list[int]] = field(default_factory=dict)
    sessions: dict[str, list[str]] = field(default_factory=dict)
    admins: dict[str, str] = field(default_factory=dict)
    web: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.state / "web.log"

    def host(self, company: str) -> str:
        return f"{company}.localhost:{self.port}"

    def process(self) -> psutil.Process:
        assert self.web is not None
        return psutil.Process(self.web.pid)

    def start_web(self) -> None:
        endpoint = f"tcp:port={self.port}:interface=127.0.0.1:backlog=1024"
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_POOL"}
        environment["PYTHONPATH"] = str(ROOT)
        environment["SOCKETS_PER_PERSON"] = "1000000"  # a few people stand for thousands here
        with self.log.open("ab") as out:
            self.web = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "daphne", "-e", endpoint,
                 "--websocket_connect_timeout", "20", "ccenter.asgi:application"],
                cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            assert self.web.poll() is None, self.log.read_text()[-2000:]
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(self.log.read_text()[-2000:])

    def stop_web(self) -> None:
        if self.web is not None:
            self.web.kill()
            self.web.wait()
            self.web = None


@contextmanager
def portal(*, people: int) -> Iterator[Portal]:
    """``people``: supervisors of each company, each signed in once."""
    state = Path(tempfile.mkdtemp(prefix="ccenter-bench-"))
    state.chmod(0o711)  # PostgreSQL runs as another user and must walk through
    # Servers the environment names are used by others, whom we would measure with.
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    made: Portal | None = None
    try:
        os.environ |= {
            "CCENTER_STATE": str(state),
            "DATABASE_URL": embedded.postgres(state, throwaway=True),
            "REDIS_URL": embedded.redis(state),
            "DATABASE_POOL": "0",
            "DJANGO_SETTINGS_MODULE": "ccenter.settings.demo",
        }
        made = Portal(state, embedded.free_port(), os.environ["REDIS_URL"])
        _fill(made, people)
        made.start_web()
        yield made
    finally:
        if made is not None:
            made.stop_web()
        embedded.stop(state)
        shutil.rmtree(state, ignore_errors=True)


def _fill(made: Portal, people: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from tenants.models import Company, Pbx
    from tenants.scope import company_scope
    from tenants.services import create_company

    call_command("migrate_schemas", shared=True, verbosity=0)
    for slug, name in COMPANIES.items():
        create_company(slug=slug, name=name)
    pbx = Pbx.objects.create(pk=int(PBX), name="Bench", host="127.0.0.1", username="bench")
    pbx.companies.set(Company.objects.filter(schema_name__in=COMPANIES))
    for slug in COMPANIES:
        with company_scope(slug):
            made.groups[slug], made.admins[slug], made.sessions[slug] = _people(people)


def _people(count: int) -> tuple[list[int], str, list[str]]:
    """Inside a company's scope: its groups, its admin's session, its supervisors' sessions."""
    from monitoring.models import Group, Supervisor
    from tenants.people.models import Role, User

    groups = [Group.objects.create(title=f"Группа {n}") for n in range(GROUPS)]
    admin = User.objects.create_user("admin@bench.example", name="Админ", role=Role.ADMIN)
    users = User.objects.bulk_create(
        User(email=f"head{n}@bench.example", name=f"Глава {n}", role=Role.SUPERVISOR, password="!")
        for n in range(count)
    )
    heads = Supervisor.objects.bulk_create(Supervisor(user=user) for user in users)
    pairs = Supervisor.groups.through
    pairs.objects.bulk_create(
        pairs(supervisor=head, group=group)
        for n, head in enumerate(heads)
        for bit, group in enumerate(groups)
        if (n % (2**GROUPS - 1) + 1) >> bit & 1
    )
    admin_session, *sessions = _signed_in([admin, *users])
    return [group.pk for group in groups], admin_session, sessions


def _signed_in(users: list[Any]) -> list[str]:
    from datetime import timedelta

    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    from tenants.sessions import SessionStore

    store = SessionStore()
    rows = [
        Session(
            session_key=f"bench{user.pk:027d}",
            session_data=store.encode(
                {
                    SESSION_KEY: str(user.pk),
                    BACKEND_SESSION_KEY: "tenants.people.backend.EmailBackend",
                    HASH_SESSION_KEY: user.get_session_auth_hash(),
                }
            ),
            expire_date=timezone.now() + timedelta(days=1),
        )
        for user in users
    ]
    Session.objects.bulk_create(rows)
    return [str(row.session_key) for row in rows]
