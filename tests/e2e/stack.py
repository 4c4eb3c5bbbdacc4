"""The whole portal on free ports, as the demo runs it: PostgreSQL, Redis, Asterisk, Daphne, collecting workers.

Everything is a process of its own and may be killed; the tests ask the database by SQL and the portal by HTTP.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings

from ccenter.demo import embedded
from ccenter.demo.past.day import MADE_UP
from ccenter.demo.prepare import leads_to
from ccenter.lab.asterisk import Instance
from ccenter.lab.plan import CompanyPlan, PbxPlan
from ccenter.lab.root import runtime
from tests.e2e.history import Recorder, differences, rebuilt, stored_wrongly
from tests.e2e.visitors import Visitor, ask
from tests.pbx.wire import Cable, cable_to

ROOT = Path(__file__).resolve().parents[2]
PBX = "1"  # the seed's only row
COMPANIES = ("romashka", "vektor")
# Phones that a test directs one by one, each at a loopback address of its own; a group's, all alike, at another; the
# rest share Asterisk's.
DIRECTED = {
    **{f"romashka_{n}": f"127.0.11.{n}" for n in (101, 102, 103)},
    **{f"vektor_{n}": f"127.0.12.{n}" for n in (101, 102)},
    "support": "127.0.11.200",
}
SUPPORTERS = {f"romashka_{n}" for n in range(113, 121)}
RING = 3  # seconds a queue rings one phone here


def until(wanted: Callable[[], object], seconds: float = 10.0, *, what: str = "") -> float:
    """Wait until it is so; the seconds it took."""
    began = time.monotonic()
    while not wanted():
        assert time.monotonic() - began < seconds, f"not within {seconds:g} s: {what or wanted}"
        time.sleep(0.05)
    return time.monotonic() - began


class Line:
    """The cable between collector and PBX (tests.pbx.wire) in a thread of its own; its port outlives Asterisk."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._laid, self._over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._lie(),), name="cable"
        )
        self._thread.start()
        assert self._laid.wait(5)

    async def _lie(self) -> None:
        async with cable_to(self._target) as self.cable:
            self._laid.set()
            await self._over.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.05)

    cable: Cable

    @property
    def port(self) -> int:
        return self.cable.port

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self.cable.cut)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)
        self._loop.close()


class Stack:
    """``start`` boots all of it, ``close`` leaves nothing."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ccenter-e2e-"))
        self.folder.chmod(0o711)
        self.programs: list[subprocess.Popen[bytes]] = []
        self.web_port = embedded.free_port()
        self.environment = {
            **os.environ, "CCENTER_STATE": str(self.folder), "DJANGO_SETTINGS_MODULE": "ccenter.settings.demo",
            "PORT": str(self.web_port), "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        self.visitors: dict[tuple[str, str], Visitor] = {}

    def start(self) -> None:
        # A server the environment names is shared by others: it must be neither stopped nor emptied.
        shared = {name: os.environ.pop(name) for name in ("DATABASE_URL", "REDIS_URL") if name in os.environ}
        try:
            self.start_postgres()
            self.start_redis()
        finally:
            os.environ.update(shared)
        self.instance = Instance(runtime(settings.STATE_DIR), f"e2e-{os.getpid()}")
        self.line = Line(self.instance.ports.ami)
        seeding = self.tell("tests.e2e.seeding", str(self.line.port), str(self.instance.ports.phones))
        # It loads while Asterisk does.
        self.web = self.launch(
            "web", "daphne", "-e", f"tcp:port={self.web_port}:interface=127.0.0.1:backlog=1024",
            "--websocket_connect_timeout", "20", "ccenter.asgi:application",
        )  # fmt: skip
        self.instance.start(directed(PbxPlan.from_json(seeding)))
        leads_to(self.folder / "recordings" / "inbox" / PBX, self.instance.recordings.parent)
        self.plan = self.instance.plan()
        self.recorder = Recorder(self.instance.ports.ami)
        self.recorder.begin()
        self.collector = self.start_collector()
        until(self._answers, 40, what=self.log("web"))
        until(lambda: self.link()["state"] == "connected", 30, what=self.log("collector"))

    def tell(self, module: str, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def launch(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """``python -m`` these words; it ends with this process."""
        with (self.folder / f"{name}.log").open("ab") as out:
            program = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", *words],
                cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        self.programs.append(program)
        return program

    def start_collector(self, name: str = "collector") -> subprocess.Popen[bytes]:
        return self.launch(
            name, "celery", "-A", "ccenter", "worker", "--loglevel", "INFO", "--without-mingle", "--without-gossip",
            "-Q", "collect", "--pool", "solo", "-n", f"{name}@%h",
        )  # fmt: skip

    @contextmanager
    def working(self) -> Iterator[None]:
        """Meanwhile somebody does the background tasks by their timetable."""
        program = self.launch(
            "tasks", "celery", "-A", "ccenter", "worker", "--loglevel", "INFO", "--without-mingle",
            "--without-gossip", "-Q", "tasks", "--pool", "solo", "-n", "tasks@%h", "-B",
            "-s", str(self.folder / "timetable"),
        )  # fmt: skip
        try:
            yield
        finally:
            program.terminate()
            program.wait(15)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-3000:]

    def _answers(self) -> bool:
        assert self.web.poll() is None, self.log("web")
        try:
            return bool(self.health()["status"])
        except OSError:
            return False

    # what can be taken away

    def start_postgres(self) -> None:
        self.database_url = embedded.postgres(self.folder / "rows", throwaway=True)
        self.environment["DATABASE_URL"] = self.database_url

    def stop_postgres(self) -> None:
        embedded.stop(self.folder / "rows")

    def start_redis(self) -> None:
        self.redis_url = embedded.redis(self.folder / "hints")
        self.environment["REDIS_URL"] = self.redis_url

    def stop_redis(self) -> None:
        embedded.stop(self.folder / "hints")

    # what can be asked

    def visitor(self, company: str, account: str) -> Visitor:
        if (company, account) not in self.visitors:
            host = f"{company}.localhost" if company else "localhost"
            email = f"{account}@{company or 'ccenter'}.example"
            self.visitors[company, account] = Visitor(self.web_port, host, email)
        return self.visitors[company, account]

    def health(self) -> dict[str, Any]:
        """What a program on this machine is told."""
        found: dict[str, Any] = json.loads(ask(self.web_port, "localhost", "/healthz")[1])
        return found

    def link(self) -> dict[str, Any]:
        found: dict[str, Any] = self.health().get("pbx", {}).get(PBX, {"state": "unknown", "owner": ""})
        return found

    def board(self, company: str) -> dict[str, Any]:
        """All of the company's board, as its admin may see it."""
        return self.visitor(company, "admin").board()

    def rows(self, company: str, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of one company's schema; ``""`` asks the platform's."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(f"SET search_path TO {company or 'public'}")
            done = connection.execute(query, values)
            return done.fetchall() if done.description else []

    def calls(self, company: str) -> list[tuple[Any, ...]]:
        """key, number, ended?, disposition, reconciled of every call stored, the made-up past left out."""
        return self.rows(
            company,
            "SELECT key, number, ended IS NOT NULL, disposition, reconciled FROM monitoring_call"
            " WHERE merged_into = '' AND position(%s in key) = 0",
            MADE_UP,
        )

    # the history checker

    def wrong(self) -> list[str]:
        """Everything in which board or rows differ from what the PBX really said; empty when all is right."""
        raw = rebuilt(self.recorder.bytes(), PBX)
        found: list[str] = []
        for company in COMPANIES:
            if company in raw:
                found += differences(self.board(company), raw[company])
                found += stored_wrongly(self.calls(company), raw[company])
        return found

    def check_history(self, seconds: float = 8.0) -> int:
        """Board and rows equal the raw stream, or will in a moment; how many calls were compared."""
        deadline = time.monotonic() + seconds
        while wrong := self.wrong():
            assert time.monotonic() < deadline, "\n".join(wrong)
            time.sleep(0.3)
        return sum(len(self.calls(company)) for company in COMPANIES)

    def close(self) -> None:
        for program in self.programs:
            if program.poll() is None:
                program.send_signal(signal.SIGCONT)
                program.terminate()
        for program in self.programs:
            try:
                program.wait(12)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        if hasattr(self, "recorder"):
            self.recorder.end()
        if hasattr(self, "instance"):
            self.instance.remove()
            self.line.close()
        self.stop_postgres()
        self.stop_redis()
        shutil.rmtree(self.folder, ignore_errors=True)


def directed(plan: PbxPlan) -> PbxPlan:
    """The seeded plan with quick rings in a known order, and phones that can be told apart."""

    def placed(endpoint: str, contact: str) -> str:
        host = DIRECTED.get("support" if endpoint in SUPPORTERS else endpoint)
        return contact.replace("@127.0.0.1:", f"@{host}:") if host else contact

    def quick(company: CompanyPlan) -> CompanyPlan:
        managers = tuple(
            replace(m, contact=placed(company.endpoint(m.name), m.contact)) for m in company.managers
        )
        queues = tuple(
            replace(q, ring_timeout=RING, strategy=q.strategy if q.strategy == "ringall" else "linear")
            for q in company.queues
        )
        return replace(company, managers=managers, queues=queues)

    return replace(plan, companies=tuple(map(quick, plan.companies)))


@contextmanager
def running() -> Iterator[Stack]:
    stack = Stack()
    try:
        stack.start()
        yield stack
    finally:
        stack.close()
