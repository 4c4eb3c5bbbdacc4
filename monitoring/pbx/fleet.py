"""One worker's share of the PBXs: takes leases, keeps them, gives them up; one PbxCollector for each it
holds.

A worker that dies stops renewing, and the others take its PBXs within five seconds; a new worker is given its
share.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path

from monitoring.bus import (
    BoardReader,
    BoardWriter,
    BusAway,
    BusError,
    CommandInbox,
    Fenced,
    Lease,
    Leases,
    get_links,
)
from monitoring.pbx.client import Deadlines
from monitoring.pbx.collector import PbxCollector, Timings
from monitoring.pbx.ending import end, heed_cancellation
from monitoring.pbx.portal import PbxEntry, Portal, PortalAway
from monitoring.services.spool import FactSink

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5
LEASE_SECONDS = 3.0
"""Renewed every tick. Short enough that taking over, connecting and the first board fit into five seconds."""
REREAD_SECONDS = 5.0
REBALANCE_SECONDS = 5.0
RESTART_SECONDS = 2.0


@dataclass(slots=True)
class Post:
    """One PBX in our hands."""

    entry: PbxEntry
    lease: Lease
    task: asyncio.Task[None]
    held: bool = True
    collector: PbxCollector | None = None
    leaving: asyncio.Task[None] | None = None
    """Ending may wait for a slow database; it must not keep the other leases from being renewed."""


def worker_name() -> str:
    """Unique among workers, also after a restart with the same process id."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}".replace("|", "-")


class Fleet:
    """``run(stop)`` works until ``stop`` is set, then gives everything back."""

    def __init__(
        self,
        *,
        redis_url: str,
        state_dir: Path,
        portal: Portal,
        owner: str = "",
        timings: Timings | None = None,
        deadlines: Deadlines | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.owner = owner or worker_name()
        self.posts: dict[str, Post] = {}
        self._state_dir = state_dir
        self._portal = portal
        self._timings = timings
        self._deadlines = deadlines
        self._leases = Leases(redis_url, self.owner, seconds=lease_seconds)
        self._boards = BoardWriter(redis_url)
        self._reader = BoardReader(redis_url)
        self._commands = CommandInbox(redis_url)
        self._entries: dict[str, PbxEntry] = {}
        self._reread_at = 0.0
        self._rebalanced_at = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._bus_away = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``. Neither Redis nor PostgreSQL being away ends it."""
        log.info("collector %s begins", self.owner)
        try:
            while not stop.is_set():
                try:
                    await self._tick()
                    self._bus_away = False
                except BusAway as error:
                    # Nobody else can take our PBXs either: keep collecting.
                    if not self._bus_away:
                        log.warning("Redis is away, leases wait: %s", error)
                    self._bus_away = True
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TICK_SECONDS):
                        await stop.wait()
        finally:
            await self._end()

    async def _tick(self) -> None:
        alive = await self._leases.announce()
        for post in list(self.posts.values()):
            if post.held and not await self._leases.renew(post.lease):
                log.warning("PBX %s: another worker has taken it over", post.entry.name)
                post.held = False
                self._boards.drop(post.entry.key)
                self._aside(post, self._stop(post))
        self._reread()
        for key, post in list(self.posts.items()):
            entry = self._entries.get(key)
            if post.leaving is not None and not post.leaving.done():
                continue
            if entry is None:
                self._aside(post, self._give_up(post))
            elif entry != post.entry:
                self._aside(post, self._replace(post, entry))
            elif post.task.done():
                self._stand_again(post)
        await self._take_share(max(1, len(alive)))

    def _reread(self) -> None:
        """The list of PBXs, in the background: a slow database must not cost us our leases."""
        now = asyncio.get_running_loop().time()
        if now >= self._reread_at and (self._reading is None or self._reading.done()):
            self._reread_at = now + REREAD_SECONDS
            self._reading = asyncio.create_task(self._read_entries())

    async def _read_entries(self) -> None:
        try:
            self._entries = {entry.key: entry for entry in await self._portal.pbxs()}
        except PortalAway as error:
            self._reread_at = 0.0 if not self._entries else self._reread_at
            log.warning("the list of PBXs could not be read: %s", error)
        except Exception:
            log.exception("the list of PBXs could not be read")

    async def _take_share(self, workers: int) -> None:
        share = -(-len(self._entries) // workers)
        free = len(self.posts) < share and [key for key in self._entries if key not in self.posts]
        if free:
            owned = await self._leases.owners(free)
            for key in free:
                if key not in owned and len(self.posts) < share:
                    lease = await self._leases.acquire(key)
                    if lease is not None:
                        await self._begin(self._entries[key], lease)
        now = asyncio.get_running_loop().time()
        if len(self.posts) > share and now - self._rebalanced_at > REBALANCE_SECONDS:
            # One at a time: every move costs its PBX a second of blindness.
            self._rebalanced_at = now
            post = next(reversed(self.posts.values()))
            if post.leaving is None or post.leaving.done():
                self._aside(post, self._give_up(post))

    async def _begin(self, entry: PbxEntry, lease: Lease) -> None:
        log.info("PBX %s (%s) is ours, token %s", entry.name, entry.address, lease.token)
        self._boards.hold(lease)
        post = Post(entry, lease, asyncio.create_task(asyncio.sleep(0)))
        self.posts[entry.key] = post
        post.task = asyncio.create_task(self._watch(post), name=f"pbx {entry.key}")

    async def _watch(self, post: Post) -> None:
        """The collector of one PBX; a failure of its own is told and repaired by a fresh start."""
        key = post.entry.key
        collector = PbxCollector(
            entry=post.entry,
            lease=post.lease,
            portal=self._portal,
            boards=self._boards,
            commands=self._commands,
            open_sink=lambda declared: FactSink(self._state_dir, key, on_declared=declared),
            timings=self._timings,
            deadlines=self._deadlines,
        )
        post.collector = collector
        windows: list[list[float]] = []
        seen = await self._seen(key)
        with contextlib.suppress(BusError):
            windows = await self._windows(post.entry)
        collector.link.restore(windows, seen)
        heed_cancellation()
        try:
            await collector.run()
        except* Fenced:
            log.warning("PBX %s: our writes are refused, another worker owns it", post.entry.name)
        except* Exception:
            log.exception("PBX %s: its collector failed and begins anew", post.entry.name)
            await asyncio.sleep(RESTART_SECONDS)

    async def _seen(self, key: str) -> float | None:
        """When the PBX was last heard by whoever had it: by the second from Redis, else by the portal's own word."""
        seen: list[float] = []
        with contextlib.suppress(BusError):
            before = (await asyncio.to_thread(get_links, [key])).get(key)
            seen += [time.time() - before.age] if before is not None else []
        with contextlib.suppress(PortalAway):
            heard = await self._portal.heard(key)
            seen += [heard] if heard is not None else []
        return max(seen, default=None)

    async def _windows(self, entry: PbxEntry) -> list[list[float]]:
        """Today's blind windows as the previous owner showed them."""
        for company in entry.companies:
            board = (await self._reader.boards(company)).get(entry.key)
            if board is not None:
                link = board.entities.get(("link", entry.key), {})
                return [list(window) for window in link.get("blind", [])]
        return []

    def _stand_again(self, post: Post) -> None:
        """The lease is still ours, so the end of the task was a failure, not a take-over."""
        post.task = asyncio.create_task(self._watch(post), name=f"pbx {post.entry.key}")

    def _aside(self, post: Post, work: Coroutine[None, None, None]) -> None:
        post.leaving = asyncio.create_task(self._told(work, post.leaving))

    async def _told(self, work: Coroutine[None, None, None], after: asyncio.Task[None] | None) -> None:
        try:
            if after is not None:
                await asyncio.wait({after})
            await work
        except BusError as error:
            log.warning("left as it is until Redis answers: %s", error)
        finally:
            work.close()

    async def _replace(self, post: Post, entry: PbxEntry) -> None:
        """Its row changed: leave companies that no longer use it and connect anew."""
        log.info("PBX %s was edited; connecting anew", entry.name)
        await end(post.task)
        for company in set(post.entry.companies) - set(entry.companies):
            await self._boards.forget(company, entry.key)
        post.entry = entry
        self._stand_again(post)

    async def _give_up(self, post: Post) -> None:
        await end(post.task)
        try:
            if post.entry.key not in self._entries:
                for company in post.entry.companies:
                    await self._boards.forget(company, post.entry.key)
            await self._leases.release(post.lease)
        finally:
            self._boards.drop(post.entry.key)
            self.posts.pop(post.entry.key, None)

    async def _stop(self, post: Post) -> None:
        """At once, writing nothing more for it; its sink keeps what it has."""
        await end(post.task)
        self.posts.pop(post.entry.key, None)

    async def _end(self) -> None:
        if self._reading is not None:
            await end(self._reading)
        posts = list(self.posts.values())
        await asyncio.gather(*(end(post.task) for post in posts))
        await asyncio.gather(*(end(post.leaving) for post in posts if post.leaving is not None))
        with contextlib.suppress(BusError):
            for post in posts:
                await self._leases.release(post.lease)
            await self._leases.leave()
        self.posts.clear()
        for port in (self._leases, self._boards, self._reader, self._commands):
            await port.close()
        log.info("collector %s ended", self.owner)
