"""One publish a company and tick, one serialisation an audience and tick, however many browsers watch.

Counted, not timed: 500 browsers of eight audiences before one board that changes 240 times a second.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import redis

from ccenter.demo import embedded
from monitoring.live import protocol
from monitoring.live.hub import Hub
from monitoring.live.room import Room
from tests.bench.collector import collecting
from tests.bench.fanout import EVENTS_PER_SECOND
from tests.bench.table import Row

COMPANY = "bench"
GROUPS = [1, 2, 3]
AUDIENCES = [None, *(frozenset(g for bit, g in enumerate(GROUPS) if n >> bit & 1) for n in range(1, 8))]
BROWSERS = 500
SECONDS = 3.0


class Screen:
    """A browser that is always ready and only counts."""

    ready = True
    on_ready: Callable[[], None]

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts

    def write(self, text: bytes) -> None:
        self._counts["deliveries"] += 1

    def close(self, code: int) -> None:
        self._counts["closed"] += 1


def rows() -> list[Row]:
    from django.conf import settings

    settings.configure()
    os.environ.pop("REDIS_URL", None)
    with tempfile.TemporaryDirectory(prefix="ccenter-bench-") as home:
        url = embedded.redis(Path(home))
        try:
            with collecting(url, {COMPANY: GROUPS}, rate=EVENTS_PER_SECOND, calls=200, managers=100):
                counts = asyncio.run(watch(url))
        finally:
            embedded.stop(Path(home))
    audiences = len(AUDIENCES)
    per_tick = counts["serialisations"] / counts["flushes"] / audiences
    told = (
        f"{counts['deliveries']:,} deliveries of {counts['serialisations']:,} frames, {audiences} audiences"
    )
    return [
        Row(
            what=f"publishes a company and tick, {BROWSERS} browsers (baseline: one an event)",
            unit="",
            baseline=EVENTS_PER_SECOND * SECONDS / counts["frames"],
            ours=counts["publishes"] / counts["frames"],
            most=1.05,  # a collector's frame may be under way when counting ends
            note=f"{counts['publishes']} publishes, {counts['frames']} ticks of the collector",
        ),
        Row(
            what=f"serialisations an audience and tick, {BROWSERS} browsers (baseline: one a socket)",
            unit="",
            baseline=BROWSERS / audiences,
            ours=per_tick,
            most=1,
            note=told,
        ),
    ]


async def watch(url: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    hub = Hub(url)
    serialise: Callable[..., bytes] = protocol.changes
    flush = Room._flush

    def counted(*args: Any) -> bytes:
        counts["serialisations"] += 1
        return serialise(*args)

    def flushed(room: Room) -> None:
        counts["flushes"] += bool(room._pending)
        flush(room)

    with (
        redis.Redis.from_url(url) as client,
        mock.patch.object(protocol, "changes", counted),
        mock.patch.object(Room, "_flush", flushed),
    ):

        def told() -> tuple[int, int]:
            published = client.info("commandstats").get("cmdstat_publish", {}).get("calls", 0)
            return published, int(client.hget(f"cc:{COMPANY}:boards", "1.seq") or 0)

        for n in range(BROWSERS):
            await hub.join(COMPANY, Screen(counts), AUDIENCES[n % len(AUDIENCES)], pbxs={"1"})
        await asyncio.sleep(0.5)
        counts.clear()
        before = told()
        await asyncio.sleep(SECONDS)
        counts["publishes"], counts["frames"] = (now - then for now, then in zip(told(), before, strict=True))
    await hub.close()
    assert not counts["closed"]
    return counts
