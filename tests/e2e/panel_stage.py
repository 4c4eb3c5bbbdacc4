"""A stage for the live panel alone: the real page and script, a made-up company over the real wire protocol.

For looking at it (``python tests/e2e/panel_stage.py --managers 500 --calls 200 --rate 50``) and for measuring it.
No database, no Redis, no PBX: whatever is slow or ugly here is the panel's own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import mimetypes
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

ROOT = Path(__file__).resolve().parents[2]
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'"
)
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FAMILIES = [
    "Иванова",
    "Петров",
    "Сидорова",
    "Кузнецов",
    "Смирнова",
    "Васильев",
    "Попова",
    "Соколов",
    "Михайлова",
    "Новиков",
    "Фёдорова",
    "Морозов",
]
NAMES = [
    "Анна",
    "Борис",
    "Вера",
    "Глеб",
    "Дарья",
    "Егор",
    "Жанна",
    "Захар",
    "Ирина",
    "Кирилл",
    "Лариса",
    "Максим",
    "Нина",
    "Олег",
    "Полина",
    "Роман",
]
CALLERS = ["", "ООО «Техносвет»", "Смирнов Алексей", "Мария", "ИП Гаврилов", "", "Стоматология на Мира"]
STATUSES = [
    (1, "Доступен", "available", "free"),
    (2, "Перерыв", "break", "break"),
    (3, "Обед", "break", "break"),
    (4, "Отсутствую", "away", "away"),
]


class Scene:
    """A company in memory that changes at random yet coherently; ``changes`` yields wire ops."""

    def __init__(self, *, managers: int, calls: int, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.titles = ["Продажи", "Поддержка", "VIP"] if managers > 10 else ["Продажи"]
        self.wanted_calls = calls
        self.wanted_managers = managers
        self.serial = 0
        now = time.time()
        self.board: dict[str, Any] = {
            "at": now,
            "call": {},
            "manager": {},
            "group": {
                str(n + 1): {"id": n + 1, "title": t, "groups": [n + 1]} for n, t in enumerate(self.titles)
            },
            "status": {
                str(s[0]): dict(zip(("id", "label", "kind", "colour"), s, strict=True)) for s in STATUSES
            },
            "line": {
                "88005553535": {"number": "88005553535", "title": "8 800 555-35-35", "groups": []},
                "74951234567": {"number": "74951234567", "title": "Москва", "groups": []},
            },
            "queue": {},
            "link": {"1": self.link()},
        }
        for n, title in enumerate(self.titles):
            self.board["queue"][f"romashka_q{n}"] = self.queue(n, title)
        for n in range(managers):
            self.board["manager"][f"romashka_{101 + n}"] = self.manager(n, now)
        for _ in range(calls):
            self.begin(now - self.random.uniform(5, 80))

    def link(self) -> dict[str, Any]:
        return {
            "pbx": "main", "state": "connected", "simulated": False, "since": time.time(), "lag": 0.1,
            "error": "", "next_try": None, "blind": [],
        }  # fmt: skip

    def queue(self, n: int, title: str) -> dict[str, Any]:
        answered = self.random.randint(60, 160)
        today = {
            "offered": answered + 9, "answered": answered, "answered_within": int(answered * 0.83),
            "abandoned": 6, "short_abandoned": 2, "flow_out": 3, "wait_answered": answered * 14.0,
        }  # fmt: skip
        return {
            "key": f"romashka_q{n}", "title": title, "groups": [n + 1], "answer_within": 20.0, "short_abandon": 5.0,
            "managers": [], "waiting": 0, "earliest": None, "today": today,
        }  # fmt: skip

    def manager(self, n: int, now: float) -> dict[str, Any]:
        pick = self.random
        group = 1 + n * len(self.titles) // self.wanted_managers
        status = pick.choices([1, 2, 3, 4], [14, 2, 1, 2])[0]
        registered = pick.random() > 0.05
        flags = []
        missed = 0
        if status == 1 and not registered:
            flags.append("unregistered")
        elif status == 1 and pick.random() < 0.06:
            flags, missed = ["missing_calls"], 3
        return {
            "key": f"romashka_{101 + n}", "title": f"{pick.choice(FAMILIES)} {pick.choice(NAMES)}",
            "extension": str(101 + n), "groups": [group], "queues": [], "status": status,
            "status_since": now - pick.uniform(30, 9000), "paused": status != 1, "pause_reason": "",
            "registration": "registered" if registered else "unregistered",
            "activity": "free" if registered else "unavailable", "activity_since": now - pick.uniform(5, 600),
            "calls": [], "missed_in_row": missed, "flags": flags,
            "today": {"answered": 4, "missed": 1, "outgoing": 2, "talk_in": 600.0, "talk_out": 120.0, "hold": 10.0},
        }  # fmt: skip

    def free(self) -> list[dict[str, Any]]:
        return [m for m in self.board["manager"].values() if m["activity"] == "free" and m["status"] == 1]

    def begin(self, at: float) -> list[list[Any]]:
        self.serial += 1
        pick = self.random
        key = f"1:{at:.0f}.{self.serial}"
        queue = pick.choice(list(self.board["queue"]))
        direction = pick.choices(["in", "out", "internal"], [8, 2, 1])[0]
        line = pick.choice(list(self.board["line"]))
        number = f"79{pick.randint(100000000, 999999999)}"
        inbound = direction == "in"
        steps = [
            {"kind": "line", "what": line, "at": at, "until": at + 1},
            {"kind": "ivr", "what": "1", "at": at + 1, "until": at + 4},
            {"kind": "queue", "what": queue, "at": at + 4, "until": None},
        ]
        call = {
            "key": key, "direction": direction, "number": number if direction != "internal" else "105",
            "name": pick.choice(CALLERS), "line": line, "state": "waiting" if inbound else "ringing", "since": at,
            "started": at, "answered": None, "queue": queue if inbound else None, "joined": at if inbound else None,
            "position": 1 if inbound else None, "managers": [], "listeners": [], "groups": [int(queue[-1]) + 1],
            "steps": steps if inbound else [{"kind": "dial", "what": number, "at": at, "until": None}],
        }  # fmt: skip
        self.board["call"][key] = call
        ops = [["call", key, dict(call)]]
        waiting = sum(other["state"] == "waiting" for other in self.board["call"].values())
        if not inbound or waiting > 5:
            ops += self.answer(call, at + pick.uniform(1, 9))
        return ops

    def answer(self, call: dict[str, Any], at: float) -> list[list[Any]]:
        free = self.free()
        if not free:
            return []
        manager = self.random.choice(free)
        held = self.random.random() < 0.08
        state = "held" if held else "talking"
        steps = [*({**s, "until": s["until"] or at} for s in call["steps"])]
        if self.random.random() < 0.3 and len(free) > 1:
            other = self.random.choice(free)["key"]
            steps.append({"kind": "ring", "what": other, "at": at - 2, "until": at})
        steps.append({"kind": "hold" if held else "talk", "what": manager["key"], "at": at, "until": None})
        change = {
            "state": state, "since": at, "answered": at, "joined": None, "position": None, "steps": steps,
            "managers": [{"manager": manager["key"], "state": state, "since": at}],
        }  # fmt: skip
        call.update(change)
        busy = {"activity": state, "activity_since": at, "calls": [call["key"]]}
        manager.update(busy)
        return [["call", call["key"], change], ["manager", manager["key"], busy]]

    def end(self, call: dict[str, Any], at: float) -> list[list[Any]]:
        del self.board["call"][call["key"]]
        ops: list[list[Any]] = [["call", call["key"], None]]
        for party in call["managers"]:
            manager = self.board["manager"][party["manager"]]
            idle = {"activity": "free", "activity_since": at, "calls": []}
            manager.update(idle)
            ops.append(["manager", manager["key"], idle])
        if call["queue"]:
            queue = self.board["queue"][call["queue"]]
            name = "answered" if call["answered"] else "abandoned"
            today = {
                **queue["today"],
                name: queue["today"][name] + 1,
                "offered": queue["today"]["offered"] + 1,
            }
            queue["today"] = today
            ops.append(["queue", queue["key"], {"today": today}])
        return ops

    def change(self) -> list[list[Any]]:
        """One happening of the company's life."""
        pick, now, calls = self.random, time.time(), list(self.board["call"].values())
        if len(calls) < self.wanted_calls or not calls:
            return self.begin(now)
        waiting = [c for c in calls if c["state"] == "waiting"]
        what = pick.random()
        patient = [c for c in waiting if now - c["joined"] > 90 or len(waiting) > 6]
        if patient:
            return self.answer(patient[0], now) or self.end(patient[0], now)
        talks = [c for c in calls if c["state"] != "waiting"]
        if talks and what < 0.75:
            return self.end(pick.choice(talks), now)
        manager = pick.choice(list(self.board["manager"].values()))
        if manager["calls"] or manager["registration"] != "registered":
            return []
        status = pick.choice([1, 1, 2, 4])
        fields = {"status": status, "status_since": now, "paused": status != 1}
        manager.update(fields)
        return [["manager", manager["key"], fields]]

    def changes(self, number: int) -> Iterator[list[Any]]:
        made = 0
        while made < number:
            for op in self.change():
                made += 1
                yield op


class Stage:
    """Serves the page, its files and the socket on one port."""

    def __init__(self, scene: Scene, *, rate: float, language: str = "ru") -> None:
        self.scene = scene
        self.rate = rate
        self.language = language
        self.seq = 1
        self.epoch = "stage"
        self.sockets: set[ServerConnection] = set()
        self.heard: list[dict[str, Any]] = []

    async def serve(self, port: int = 0) -> tuple[Any, int]:
        server = await serve(self.talk, "127.0.0.1", port, process_request=self.answer)
        return server, next(iter(server.sockets)).getsockname()[1]

    async def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        path, _, query = request.path.partition("?")
        if path.startswith("/ws/"):
            return None
        if path.startswith("/static/"):
            file = (ROOT / path.lstrip("/")).resolve()
            if not file.is_file() or ROOT / "static" not in file.parents:
                return connection.respond(HTTPStatus.NOT_FOUND, "no such file")
            return self.body(file.read_bytes(), mimetypes.guess_type(file.name)[0] or "text/plain")
        language = "en" if "lang=en" in query else self.language
        return self.body(page(language).encode(), "text/html; charset=utf-8")

    def body(self, content: bytes, kind: str) -> Response:
        headers = Headers(
            {"Content-Type": kind, "Content-Length": str(len(content)), "Content-Security-Policy": CSP}
        )
        return Response(200, "OK", headers, content)

    def snapshot(self) -> str:
        board = self.scene.board
        return json.dumps(
            {"t": "snapshot", "epoch": self.epoch, "seq": self.seq, "now": time.time(), "board": board}
        )

    async def talk(self, socket: ServerConnection) -> None:
        try:
            async for message in socket:
                frame = json.loads(message)
                self.heard.append(frame)
                if frame["t"] == "ping":
                    await socket.send(json.dumps({"t": "pong", "id": frame["id"], "now": time.time()}))
                else:
                    await socket.send(self.snapshot())
                    self.sockets.add(socket)
        finally:
            self.sockets.discard(socket)

    async def play(self, seconds: float = float("inf")) -> None:
        """``rate`` changes a second in frames of at most one per 50 ms, as the real server sends them."""
        until, owed = time.monotonic() + seconds, 0.0
        while time.monotonic() < until:
            await asyncio.sleep(0.05)
            owed += self.rate * 0.05
            if owed < 1:
                continue
            ops = list(self.scene.changes(int(owed)))
            owed -= int(owed)
            await self.publish(ops)

    async def publish(self, ops: list[Any]) -> None:
        self.seq += 1
        frame = json.dumps({"t": "changes", "epoch": self.epoch, "seq": self.seq, "ops": ops})
        for socket in list(self.sockets):
            with suppress(ConnectionClosed):  # a browser that left; its own task notices
                await socket.send(frame)


def page(language: str) -> str:
    """The product's own template, rendered for a supervisor who exists only here: no rows stand behind it."""
    from unittest.mock import patch

    from django.template.loader import render_to_string
    from django.test import RequestFactory
    from django.utils import translation

    from billing.selectors.standing import PAID_UP
    from monitoring.views.live import page_config
    from tenants.lookup import CompanyRecord
    from tenants.people.models import User

    request = RequestFactory().get("/live/")
    request.urlconf = "ccenter.urls_company"
    request.user = User(email="head@romashka.example", name="Ольга Ветрова", role="supervisor")
    request.company = CompanyRecord(
        slug="romashka", name="ООО «Ромашка»", time_zone="Europe/Moscow", language=language
    )
    request.csp_nonce = ""
    from django.urls import set_urlconf

    set_urlconf("ccenter.urls_company")
    with (
        translation.override(language),
        patch("billing.templatetags.standing.standing", return_value=PAID_UP),
        patch("billing.selectors.sight.sees_money", return_value=False),
    ):
        return render_to_string("monitoring/live.html", {"config": page_config("Europe/Moscow", {})}, request)


def set_up_django() -> None:
    import django

    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ccenter.settings.test")
    django.setup()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--managers", type=int, default=24)
    parser.add_argument("--calls", type=int, default=12)
    parser.add_argument("--rate", type=float, default=2)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--language", default="ru")
    given = parser.parse_args()
    set_up_django()
    stage = Stage(Scene(managers=given.managers, calls=given.calls), rate=given.rate, language=given.language)
    _server, port = await stage.serve(given.port)
    print(f"http://127.0.0.1:{port}/live/", flush=True)
    await stage.play()


if __name__ == "__main__":
    asyncio.run(main())
