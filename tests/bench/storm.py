"""Two thousand browsers come back at once to one Daphne: how long until each has the board again.

The browsers wait and try again as static/js/live/socket.js does, with the sessions they had.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import random
import re
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psutil

from ccenter.web_process import allow_sockets
from tests.bench.collector import collecting
from tests.bench.portal import Portal, portal
from tests.bench.table import Row

SOCKETS = 2_000
PROMISED = 10.0  # seconds, p99
GIVE_UP = 60.0
# static/js/live/socket.js
FIRST_RETRY, LONGEST_RETRY, PONG_WITHIN, SNAPSHOT_WITHIN = 0.5, 15.0, 5.0, 10.0
EPOCH = re.compile(rb'"epoch":"([^"]+)","seq":(\d+)')
RESET = struct.pack("ii", 1, 0)  # close with a reset: the network is gone, nobody says goodbye


def backoff(failures: int) -> float:
    """Seconds: half of the doubled wait, and up to as much again."""
    ceiling: float = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(failures - 1, 10))
    return ceiling / 2 + random.random() * ceiling / 2


@dataclass(eq=False)
class Browser(asyncio.Protocol):
    """One panel: ``back_at`` is when it had the board again."""

    company: str
    request: bytes
    crowd: Crowd
    have: dict[str, Any] | None = None
    failures: int = 0
    back_at: float | None = None
    wire: asyncio.Transport | None = None
    data: bytearray = field(default_factory=bytearray)
    is_open: bool = False
    opened_at: float = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.wire, self.data, self.is_open = transport, bytearray(), False
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.data += data
        if not self.is_open:
            head, found, rest = bytes(self.data).partition(b"\r\n\r\n")
            if not found:
                return
            status = int(head.split(b" ", 2)[1])
            if status != 101:
                self.crowd.refusals[f"HTTP {status}"] += 1
                self.lost()
                return
            self.is_open, self.opened_at, self.data = True, time.monotonic(), bytearray(rest)
            self.say({"t": "hello", "have": self.have})
            self.say({"t": "ping", "id": 1})
        self.hear()

    def hear(self) -> None:
        """Whole frames, ours have no mask; only what a board's browser waits for is looked at."""
        while len(self.data) >= 2:
            size, start = self.data[1], 2
            if size == 126:
                size, start = int.from_bytes(self.data[2:4]), 4
            elif size == 127:
                size, start = int.from_bytes(self.data[2:10]), 10
            if len(self.data) < start + size:
                return
            head = bytes(self.data[start : start + 120])
            del self.data[: start + size]
            if b'"t":"pong"' in head:
                self.opened_at = float("inf")  # the deadline is met
                if self.have is not None:
                    self.back()
            else:
                found = EPOCH.search(head)
                if found:
                    self.have = {"epoch": found[1].decode(), "seq": int(found[2])}
                    if b'"t":"snapshot"' in head:
                        self.crowd.snapshots += 1
                        self.back()

    def back(self) -> None:
        if self.back_at is None:
            self.back_at, self.failures = time.monotonic(), 0
            self.crowd.returned()

    def say(self, frame: dict[str, Any]) -> None:
        text = json.dumps(frame).encode()
        assert self.wire is not None
        assert len(text) < 126
        self.wire.write(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.wire is not None:
            self.crowd.refusals["cut by the server"] += 1
            self.lost()

    def lost(self) -> None:
        """The socket ended or is given up: try again later."""
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.abort()
        self.failures += 1
        self.crowd.later(backoff(self.failures), self)

    def cut(self) -> None:
        """The network between us and the server is gone."""
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            wire.abort()


class Crowd:
    """All the browsers, and what happens to them."""

    def __init__(self, portal: Portal, sockets: int) -> None:
        self.port = portal.port
        self.server = portal.process()
        self.server_seconds = 0.0
        self.refusals: Counter[str] = Counter()
        self.snapshots = 0
        self.browsers = [
            Browser(company, _request(portal, company, session), self)
            for company, sessions in portal.sessions.items()
            for session in sessions[: sockets // len(portal.sessions)]
        ]
        self._waiting: list[tuple[float, int, Browser]] = []
        self._out = 0
        self._connecting: set[asyncio.Task[None]] = set()

    def later(self, seconds: float, browser: Browser) -> None:
        heapq.heappush(self._waiting, (time.monotonic() + seconds, id(browser), browser))

    def returned(self) -> None:
        self._out -= 1

    async def come(self) -> list[float]:
        """All begin to connect now; seconds until each has the board, sorted."""
        began, self._out = time.monotonic(), len(self.browsers)
        burnt = _cpu(self.server)
        self.refusals.clear()
        self.snapshots = 0
        for browser in self.browsers:
            browser.back_at, browser.failures = None, 1
            self.later(backoff(1), browser)
        looked_at = began
        while self._out and time.monotonic() < began + GIVE_UP:
            now = time.monotonic()
            while self._waiting and self._waiting[0][0] <= now:
                self._start(heapq.heappop(self._waiting)[2])
            if now - looked_at > 0.25:
                looked_at = now
                self._lose_the_unanswered(now)
            await asyncio.sleep(0.005)
        self.server_seconds = _cpu(self.server) - burnt
        return sorted((browser.back_at or began + GIVE_UP) - began for browser in self.browsers)

    def _start(self, browser: Browser) -> None:
        task = asyncio.create_task(self._connect(browser))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, browser: Browser) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: browser, "127.0.0.1", self.port)
        except OSError as error:
            self.refusals[type(error).__name__] += 1
            browser.lost()

    def _lose_the_unanswered(self, now: float) -> None:
        for browser in self.browsers:
            if browser.wire is not None and browser.is_open and browser.back_at is None:
                waited = now - browser.opened_at
                if waited > PONG_WITHIN:
                    self.refusals["no pong in time"] += 1
                    browser.lost()

    async def cut(self) -> None:
        for browser in self.browsers:
            browser.cut()
        await asyncio.sleep(0)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _request(portal: Portal, company: str, session: str) -> bytes:
    host = portal.host(company)
    return (
        f"GET /ws/board/ HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Cookie: sessionid={session}\r\n\r\n"
    ).encode()


def rows(sockets: int = SOCKETS) -> list[Row]:
    found: list[Row] = []

    def tell(what: str, times: list[float], crowd: Crowd) -> None:
        middle, late = times[len(times) // 2], times[int(len(times) * 0.99)]
        fives = sum(count for what, count in crowd.refusals.items() if what.startswith("HTTP 5"))
        trouble = (
            ", ".join(f"{count} × {what}" for what, count in crowd.refusals.most_common()) or "none refused"
        )
        found.append(
            Row(
                what=f"{sockets:,} sockets {what}, p99",
                ours=late,
                unit="s",
                most=PROMISED,
                note=f"p50 {middle:.2f} s, last {times[-1]:.2f} s, {crowd.snapshots} snapshots, "
                f"{crowd.server_seconds:.1f} s of the server's processor, {trouble}",
            )
        )
        found.append(Row(what=f"{sockets:,} sockets {what}, answers 5xx", ours=fives, unit="", most=0))

    allow_sockets()  # the usual 1,024 are too few for so many browsers
    with portal(people=sockets // 2) as made:
        asyncio.run(_storms(made, sockets, tell))
    return found


async def _storms(made: Portal, sockets: int, tell: Callable[[str, list[float], Crowd], None]) -> None:
    with collecting(made.redis_url, made.groups, rate=20, calls=40, managers=60):
        crowd = Crowd(made, sockets)
        tell("come to a server just started", await crowd.come(), crowd)
        await asyncio.sleep(2)
        await crowd.cut()
        tell("are cut at once and come back", await crowd.come(), crowd)
        await crowd.cut()
