"""A real Daphne with two companies' people signed in, and browsers' sockets to it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import websockets
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from websockets.asyncio.client import ClientConnection

from ccenter.demo import embedded
from tenants.people.models import User
from tenants.scope import company_scope
from tenants.sessions import SessionStore

ROOT = Path(__file__).resolve().parents[2]
MOST_SOCKETS = 220  # of one person: fewer than this are opened at once by every test but one


def sign_in(company: str, user: User) -> str:
    """The session key of a new session, as a browser would keep it in its cookie."""
    with company_scope(company):
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "tenants.people.backend.EmailBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        return str(session.session_key)


@dataclass(frozen=True)
class Site:
    """Daphne on loopback; every company at its own host."""

    port: int
    process: subprocess.Popen[bytes]

    def origin(self, company: str) -> str:
        return f"http://{company}.localhost:{self.port}"

    def socket(
        self, company: str, session: str, *, origin: str | None = "", path: str = "/ws/board/", **options: Any
    ) -> websockets.connect:
        """A browser's socket from a page of the company's own host, unless ``origin`` says another."""
        return websockets.connect(
            f"ws://{company}.localhost:{self.port}{path}",
            origin=self.origin(company) if origin == "" else origin,
            additional_headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"},
            proxy=None,
            **({"host": "127.0.0.1", "port": self.port} if "sock" not in options else {}),
            **options,
        )

    def get(self, company: str, path: str, **headers: str) -> tuple[int, Any]:
        """Status and body of a page; the body parsed when it is JSON."""
        host = f"{company}.localhost:{self.port}" if company else f"localhost:{self.port}"
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Host": host, **headers}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
                return answer.status, _body(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _body(error.read())


def _body(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")


@contextmanager
def serve(redis_url: str, log: Path) -> Iterator[Site]:
    """Daphne in a process of its own, on the run's database and this Redis."""
    target = connection.settings_dict
    database = (
        f"postgres://{target['USER']}:{target['PASSWORD']}@{target['HOST']}:{target['PORT']}/{target['NAME']}"
    )
    port = embedded.free_port()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.live.served",
        "SERVED_DATABASE_URL": database,
        "SERVED_REDIS_URL": redis_url,
        "SOCKETS_PER_PERSON": str(MOST_SOCKETS),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "daphne", "-e", f"tcp:port={port}:interface=127.0.0.1:backlog=1024",
               "--websocket_connect_timeout", "20", "ccenter.asgi:application"]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    site = Site(port, process)
    try:
        _until_it_answers(site, log)
        yield site
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _until_it_answers(site: Site, log: Path) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        assert site.process.poll() is None, log.read_text()
        try:
            site.get("nobody", "/")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


class Page:
    """What the panel in a browser knows: the board made of a snapshot and the changes since."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.board: dict[str, dict[str, Any]] = {}
        self.epoch = ""
        self.seq = -1
        self.heard: list[dict[str, Any]] = []

    async def say(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def hello(self, have: dict[str, Any] | None = None) -> None:
        """Say hello and take in all of the answer: a snapshot may be a kept one with later changes after it."""
        await self.say(t="hello", have=have)
        await self.say(t="ping", id=0)
        if have is None:
            await self.next("snapshot", within=20)
        await self.next("pong", within=20)
        self.heard.pop()

    async def next(self, kind: str | None = None, *, within: float = 5.0) -> dict[str, Any]:
        """The next frame (of this kind); the board follows everything heard."""
        async with asyncio.timeout(within):
            while True:
                frame = json.loads(await self.socket.recv())
                self.heard.append(frame)
                self._apply(frame)
                if kind is None or frame["t"] == kind:
                    return dict(frame)

    async def until(self, statement: Any, *, within: float = 5.0) -> float:
        """Listen until the statement is true of the board; the seconds it took."""
        began = time.perf_counter()
        async with asyncio.timeout(within):
            while not statement(self.board):
                await self.next()
        return time.perf_counter() - began

    def _apply(self, frame: dict[str, Any]) -> None:
        if frame["t"] == "snapshot":
            self.board = {kind: rows for kind, rows in frame["board"].items() if kind != "at"}
            self.epoch, self.seq = frame["epoch"], frame["seq"]
        elif frame["t"] == "changes":
            assert frame["epoch"] == self.epoch
            assert frame["seq"] == self.seq + 1
            self.seq = frame["seq"]
            for kind, key, fields in frame["ops"]:
                if fields is None:
                    self.board[kind].pop(key, None)
                else:
                    self.board[kind].setdefault(key, {}).update(fields)
