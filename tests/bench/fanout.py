"""How many changes one Daphne process delivers, and how old they are at the sockets; the hub beside Channels.

One process serves, one publishes; Redis is its own, and nobody signs in: only the way of a change is measured.
"""

from __future__ import annotations

import asyncio
import os
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

import psutil
from channels_redis.core import RedisChannelLayer

from ccenter.demo import embedded
from monitoring.bus import BoardWriter, Leases
from monitoring.domain.wire import Op
from tests.bench import boards
from tests.bench.collector import collecting
from tests.bench.sockets import Sockets, middle_and_late, request
from tests.bench.table import Row

ROOT = Path(__file__).resolve().parents[2]
COMPANY = GROUP = "bench"
GROUPS = [1, 2, 3]
WINDOW = 8  # changes under way at most, so that neither side drops any
RUNS, SECONDS = 3, 2.0
CALLS = 200
EVENTS_PER_SECOND = 240
BROWSERS = 100
MARKED = {"kind": "queue", "what": "bench_sales", "at": 1.0, "until": None, "note": "~"}


@dataclass(frozen=True)
class Said:
    at: float
    ops: list[Op]
    entities: dict[tuple[str, str], dict[str, Any] | None]


def change(n: int, at: float) -> dict[str, Any]:
    """A change as the collector tells it, with the one mark by which deliveries are counted."""
    return {**boards.change(COMPANY, n, GROUPS, 1, at), "steps": [MARKED]}


class Publisher:
    """Says changes by the hub's way or by Channels' way; both block until Redis has them."""

    def __init__(self, url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.layer = RedisChannelLayer(hosts=[{"address": url, "socket_timeout": None}])
        self.leases, self.writer = Leases(url, "bench:1"), BoardWriter(url)
        self.seq = 0
        self.lease = self._do(self.leases.acquire("1"))
        assert self.lease is not None
        self.writer.hold(self.lease)
        whole: Any = boards.board(COMPANY, GROUPS, calls=CALLS, managers=0)
        self._do(self.writer.reset(COMPANY, "1", "e", whole))

    def _do(self, deed: Any) -> Any:
        return self.loop.run_until_complete(deed)

    def by_hub(self, n: int, at: float) -> None:
        ops: list[Op] = [("call", boards.call_key(n), change(n, at))]
        whole: dict[str, Any] = {**boards.call(COMPANY, n, GROUPS, at, 1), "steps": [MARKED]}
        self._do(self.writer.publish(COMPANY, "1", Said(1.0, ops, {("call", boards.call_key(n)): whole})))

    def by_channels(self, n: int, at: float) -> None:
        self.seq += 1
        ops = [("call", boards.call_key(n), change(n, at))]
        self._do(self.layer.group_send(GROUP, {"type": "board.changes", "seq": self.seq, "ops": ops}))

    def close(self) -> None:
        self._do(self.leases.release(self.lease))
        for thing in (self.leases, self.writer):
            self._do(thing.close())
        self._do(self.layer.close_pools())
        self.loop.close()


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
        [*command, "tests.bench.fanout_app:application"],
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


Say = Callable[[int, float], None]


def deliveries(url: str, path: str, sockets: int, say: Say) -> tuple[float, float]:
    """Deliveries a second, and a second of the server's CPU (which other programs on the machine do not change).

    Changes are published as fast as they arrive everywhere, one change a frame.
    """
    with daphne(url, tick=0.0) as (port, server):
        browsers = Sockets(port, [request(path)] * sockets)
        browsers.settle()
        browsers.delivered = sent = 0
        began, burnt = time.perf_counter(), _cpu(server)
        while time.perf_counter() - began < SECONDS:
            if sent * sockets - browsers.delivered < WINDOW * sockets:
                say(sent % CALLS, 1.0 + sent)
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


def ages_by_channels(url: str, say: Say, *, seconds: float) -> tuple[float, float]:
    """p50 and p99 in seconds, one message an event."""
    with daphne(url) as (port, _server):
        browsers = Sockets(port, [request("/plain/")] * BROWSERS, watched=10)
        began, sent = time.time(), 0
        while (now := time.time()) < began + seconds:
            due = int((now - began) * EVENTS_PER_SECOND)
            while sent < due and time.time() < began + seconds:
                say(sent % CALLS, began + sent / EVENTS_PER_SECOND)
                sent += 1
                browsers.read()
            browsers.read(0.001)
        browsers.settle()
        browsers.close()
    return middle_and_late(browsers.ages)


def ages_by_hub(url: str, *, seconds: float) -> tuple[float, float]:
    """The same by the hub, written by a process that gathers as the collector does."""
    with (
        daphne(url) as (port, _server),
        collecting(url, {COMPANY: GROUPS}, rate=EVENTS_PER_SECOND, calls=CALLS, managers=0),
    ):
        browsers = Sockets(port, [request("/hub/")] * BROWSERS, watched=10)
        browsers.read_for(1.0)
        browsers.ages.clear()
        browsers.read_for(seconds)
        browsers.close()
    return middle_and_late(browsers.ages)


def rows() -> list[Row]:
    from django.conf import settings

    settings.configure()  # the bus reads its address from settings only on the web side
    os.environ.pop("REDIS_URL", None)  # a shared Redis would be measured with its other users
    with tempfile.TemporaryDirectory(prefix="ccenter-bench-") as home:
        url = embedded.redis(Path(home))
        try:
            return measure(url)
        finally:
            embedded.stop(Path(home))


def measure(url: str) -> list[Row]:
    found: list[Row] = []
    publisher = Publisher(url)
    try:
        for sockets in (BROWSERS, 500):
            plain = [deliveries(url, "/plain/", sockets, publisher.by_channels) for _ in range(RUNS)]
            hub = [deliveries(url, "/hub/", sockets, publisher.by_hub) for _ in range(RUNS)]
            for n, unit in enumerate(("/s", "/s of its processor")):
                baseline, ours = (statistics.median(run[n] for run in runs) for runs in (plain, hub))
                found.append(
                    Row(
                        what=f"deliveries{unit}, one Daphne, {sockets} sockets",
                        unit="",
                        baseline=baseline,
                        ours=ours,
                        ratio=ours / baseline,
                        least_ratio=8.0,
                    )
                )
        slow = ages_by_channels(url, publisher.by_channels, seconds=10.0)
    finally:
        publisher.close()
    quick = [ages_by_hub(url, seconds=5.0) for _ in range(RUNS)]
    for n, (name, most) in enumerate((("p50", None), ("p99", 100.0))):
        ours = statistics.median(run[n] for run in quick) * 1000
        found.append(
            Row(
                what=f"age of a change at the socket, {EVENTS_PER_SECOND} events/s, {BROWSERS} browsers, {name}",
                unit="ms",
                baseline=slow[n] * 1000,
                ours=ours,
                ratio=slow[n] * 1000 / ours,
                most=most,
                least_ratio=50.0,
                note="runs: " + ", ".join(f"{run[n] * 1000:.0f} ms" for run in quick),
            )
        )
    return found
