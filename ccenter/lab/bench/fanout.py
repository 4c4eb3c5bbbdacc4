"""How many changes one Daphne process delivers, and how old they are in the browser; the hub beside Channels.

``python -m ccenter.lab.bench.fanout``: one process serves, one publishes and reads every socket; Redis is its own.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psutil
from channels_redis.core import RedisChannelLayer

from ccenter.demo import embedded
from monitoring.bus import BoardWriter, Leases
from monitoring.domain.wire import Op

ROOT = Path(__file__).resolve().parents[3]
COMPANY = GROUP = "bench"
MARK = b"~"  # once in every change, nowhere else: counting it counts deliveries
WINDOW = 8  # changes under way at most, so that neither side drops any
RUNS, SECONDS = 3, 2.0
CALLS = 200
EVENTS_PER_SECOND = 240
COLLECTOR_TICK = 0.05
UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@dataclass(frozen=True)
class Said:
    at: float
    ops: list[Op]
    entities: dict[tuple[str, str], dict[str, object] | None]


def call_row(n: int, since: float) -> dict[str, object]:
    return {
        "key": f"1:{n}.0", "direction": "in", "number": "+79161234567", "name": "Иванова Мария", "line": "88005553535",
        "state": "talking", "since": since, "started": since, "answered": since, "queue": "bench_sales",
        "joined": since, "position": 1, "managers": [{"manager": "bench_101", "state": "talking", "since": since}],
        "steps": [{"kind": "queue", "what": "bench_sales", "at": since, "until": None, "note": "~"}],
        "listeners": [], "groups": [1],
    }  # fmt: skip


def change(n: int, since: float) -> dict[str, object]:
    row = call_row(n, since)
    return {name: row[name] for name in ("state", "since", "managers", "steps")}


class Publisher:
    """Says changes by the hub's way or by Channels' way; both block until Redis has them."""

    def __init__(self, url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.layer = RedisChannelLayer(hosts=[{"address": url, "socket_timeout": None}])
        self.leases, self.writer = Leases(url, "bench:1"), BoardWriter(url)
        self.seq = 0
        lease = self._do(self.leases.acquire("1"))
        assert lease is not None
        self.writer.hold(lease)
        # Without steps: the marks of the board itself must not be counted.
        calls = {f"1:{n}.0": {**call_row(n, 1.0), "steps": []} for n in range(CALLS)}
        board: Any = {
            "at": 1.0,
            "call": calls,
            "queue": {},
            "manager": {},
            "group": {},
            "status": {},
            "line": {},
        }
        self._do(self.writer.reset(COMPANY, "1", "e", board))

    def _do(self, deed: Any) -> Any:
        return self.loop.run_until_complete(deed)

    def by_hub(self, changed: dict[int, float]) -> None:
        ops: list[Op] = [("call", f"1:{n}.0", change(n, since)) for n, since in changed.items()]
        whole: dict[tuple[str, str], dict[str, object] | None] = {
            ("call", f"1:{n}.0"): call_row(n, since) for n, since in changed.items()
        }
        self._do(self.writer.publish(COMPANY, "1", Said(1.0, ops, whole)))

    def by_channels(self, changed: dict[int, float]) -> None:
        self.seq += 1
        ops = [("call", f"1:{n}.0", change(n, since)) for n, since in changed.items()]
        self._do(self.layer.group_send(GROUP, {"type": "board.changes", "seq": self.seq, "ops": ops}))

    def close(self) -> None:
        for thing in (self.leases, self.writer):
            self._do(thing.close())
        self._do(self.layer.close_pools())
        self.loop.close()


class Browsers:
    """Many sockets read by one epoll loop, as cheaply as Python can, so that the server is what is measured."""

    def __init__(self, port: int, path: str, count: int, *, watched: int = 0) -> None:
        self.delivered = 0
        self.ages: list[float] = []
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._unread: dict[int, bytes] = {}
        for n in range(count):
            one = socket.create_connection(("127.0.0.1", port))
            one.sendall(UPGRADE.format(path=path).encode())
            head = b""
            while b"\r\n\r\n" not in head:
                head += one.recv(4096)
            assert b" 101 " in head, head
            one.setblocking(False)
            self._sockets[one.fileno()] = one
            self._poll.register(one.fileno(), select.EPOLLIN)
            if watched and n % (count // watched) == count // watched - 1:
                self._unread[one.fileno()] = head.partition(b"\r\n\r\n")[2]

    def read(self, timeout: float = 0.0) -> None:
        for number, _ in self._poll.poll(timeout):
            try:
                data = self._sockets[number].recv(262_144)
            except ConnectionResetError:
                data = b""
            if not data:  # a server that cannot keep up lets go of its sockets
                self._poll.unregister(number)
                continue
            self.delivered += data.count(MARK)
            if number in self._unread:
                self._unread[number] = self._age(self._unread[number] + data)

    def _age(self, data: bytes) -> bytes:
        """Note the age of every change in the whole frames of ``data``; what is left of it."""
        now = time.time()
        while len(data) >= 2:
            size, start = data[1], 2
            if size == 126:
                size, start = int.from_bytes(data[2:4]), 4
            elif size == 127:
                size, start = int.from_bytes(data[2:10]), 10
            if len(data) < start + size:
                break
            if data[0] == 0x81:
                said = orjson.loads(data[start : start + size])
                if said["t"] == "changes":
                    self.ages += [
                        now - op[2]["since"] for op in said["ops"] if op[0] == "call" and "since" in op[2]
                    ]
            data = data[start + size :]
        return data

    def close(self) -> None:
        for one in self._sockets.values():
            one.close()
        self._poll.close()


@contextmanager
def daphne(url: str, *, tick: float | None = None) -> Iterator[tuple[int, psutil.Process]]:
    """A Daphne of its own serving the bench's application: its port and its process."""
    port = embedded.free_port()
    environment = {**os.environ, "BENCH_REDIS_URL": url, "PYTHONPATH": str(ROOT)}
    if tick is not None:
        environment["BENCH_TICK"] = str(tick)
    endpoint = f"tcp:port={port}:interface=127.0.0.1:backlog=1024"
    command = [sys.executable, "-m", "daphne", "-v", "0", "--no-server-name", "-e", endpoint]
    process = subprocess.Popen(
        [*command, "ccenter.lab.bench.fanout_app:application"],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        give_up = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > give_up or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield port, psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def deliveries(
    url: str, path: str, sockets: int, say: Callable[[dict[int, float]], None]
) -> tuple[float, float]:
    """Deliveries a second, and a second of the server's CPU (which other programs on the machine do not change).

    Changes are published as fast as they arrive everywhere, one change a frame.
    """
    with daphne(url, tick=0.0) as (port, server):
        browsers = Browsers(port, path, sockets)
        _settle(browsers)
        browsers.delivered = sent = 0
        began, burnt = time.perf_counter(), _cpu(server)
        while time.perf_counter() - began < SECONDS:
            if sent * sockets - browsers.delivered < WINDOW * sockets:
                say({sent % CALLS: 1.0 + sent})
                sent += 1
                browsers.read()
            else:
                browsers.read(0.05)
        took, burnt = time.perf_counter() - began, _cpu(server) - burnt
        browsers.close()
    return browsers.delivered / took, browsers.delivered / burnt


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def ages(
    url: str, path: str, say: Callable[[dict[int, float]], None], *, every: float, seconds: float
) -> tuple[float, float]:
    """p50 and p99, in seconds, of the age of a change in 100 browsers at 240 events a second.

    ``every``: the publisher gathers what happened for so long, as the collector does; 0 = one message an event.
    """
    with daphne(url) as (port, _server):
        browsers = Browsers(port, path, 100, watched=10)
        _settle(browsers)
        browsers.ages.clear()
        began, sent, said_at = time.time(), 0, 0.0
        gathered: dict[int, float] = {}
        while (now := time.time()) < began + seconds:
            due = int((now - began) * EVENTS_PER_SECOND)
            while sent < due and time.time() < began + seconds:
                gathered[sent % CALLS] = began + sent / EVENTS_PER_SECOND
                sent += 1
                if not every:
                    say(gathered)
                    gathered = {}
                    browsers.read()
            if gathered and now - said_at >= every:
                say(gathered)
                gathered, said_at = {}, now
            browsers.read(0.001)
        _settle(browsers)
        browsers.close()
        found = sorted(browsers.ages)
    assert found, "no change arrived"
    return found[len(found) // 2], found[int(len(found) * 0.99)]


def _settle(browsers: Browsers, *, quiet: float = 0.7, at_most: float = 20.0) -> None:
    """Read until nothing more comes."""
    last, moved_at, give_up = browsers.delivered, time.monotonic(), time.monotonic() + at_most
    while time.monotonic() - moved_at < quiet and time.monotonic() < give_up:
        browsers.read(0.05)
        if browsers.delivered != last:
            last, moved_at = browsers.delivered, time.monotonic()


def main() -> None:
    """Print the table. Some two minutes on two cores."""
    os.environ.pop("REDIS_URL", None)  # a shared Redis would be measured with its other users
    with tempfile.TemporaryDirectory(prefix="ccenter-bench-") as home:
        url = embedded.redis(Path(home))
        publisher = Publisher(url)
        try:
            print(f"{'':54}{'Channels':>14}{'hub':>14}{'ratio':>9}   goal")
            for sockets in (100, 500):
                plain = [deliveries(url, "/plain/", sockets, publisher.by_channels) for _ in range(RUNS)]
                hub = [deliveries(url, "/hub/", sockets, publisher.by_hub) for _ in range(RUNS)]
                for n, name in enumerate(("deliveries/s", "deliveries per CPU second")):
                    label = f"{name}, one Daphne, {sockets} sockets"
                    _row(label, [p[n] for p in plain], [h[n] for h in hub], "{:,.0f}", "≥ 8×", more=True)
            plain_age = [ages(url, "/plain/", publisher.by_channels, every=0.0, seconds=10.0)]
            hub_age = [
                ages(url, "/hub/", publisher.by_hub, every=COLLECTOR_TICK, seconds=5.0) for _ in range(RUNS)
            ]
            for n, name in enumerate(("p50", "p99")):
                goal = ("≥ 50×", "≤ 100 ms, ≥ 50×")[n]
                label = f"age at 240 events/s, 100 browsers, {name}, ms"
                _row(label, [a[n] * 1000 for a in plain_age], [a[n] * 1000 for a in hub_age], "{:,.0f}", goal)
        finally:
            publisher.close()
            embedded.stop(Path(home))


def _row(
    label: str, plain: list[float], hub: list[float], form: str, goal: str, *, more: bool = False
) -> None:
    baseline, ours = statistics.median(plain), statistics.median(hub)
    ratio = ours / baseline if more else baseline / ours
    print(f"{label:54}{form.format(baseline):>14}{form.format(ours):>14}{ratio:>8.1f}×   {goal}", flush=True)


if __name__ == "__main__":
    from django.conf import settings

    settings.configure()  # the bus reads its address from settings only on the web side
    main()
