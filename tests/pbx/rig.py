"""A collector with a real Redis and a real switchboard; only the database is played: two companies, facts in a list."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from monitoring.bus import (
    BoardReader,
    BoardWriter,
    CommandInbox,
    Fenced,
    Lease,
    Leases,
    LinkHealth,
    PbxBoard,
    get_links,
)
from monitoring.domain.directory import Directory, ManagerEntry, QueueEntry, Standing, StatusEntry
from monitoring.domain.events import StatusDeclared
from monitoring.domain.facts import CallFact, Fact, PauseFact
from monitoring.pbx.client import Address, Deadlines
from monitoring.pbx.collector import PbxCollector, Timings
from monitoring.pbx.portal import Loaded, PbxEntry, PortalAway
from tests.pbx.scripted import until

# Long enough for a busy machine, short enough that a test can wait for one to pass.
QUICK = Deadlines(
    connect=2.0, login=2.0, action=1.0, listing=1.0, ping_every=0.15, pong=1.0, pong_at_most=4.0
)
TIMINGS = Timings(reconcile=30.0, beat=0.1, boot_wait=0.3, doubt=0.1, close_after=0.1, portal_retry=0.1)
STATUSES = (
    StatusEntry(1, "Доступен", "available", "green"),
    StatusEntry(2, "Обед", "break", "orange"),
    StatusEntry(3, "Отсутствую", "away", "red"),
)


def directory(company: str, *extensions: str) -> Directory:
    return Directory(
        company=company,
        managers=tuple(
            ManagerEntry(f"{company}_{e}", f"Менеджер {e}", e, (f"PJSIP/{company}_{e}",))
            for e in extensions or ("101", "102")
        ),
        queues=(QueueEntry(f"{company}_sales", "Продажи"), QueueEntry(f"{company}_support", "Поддержка")),
        statuses=STATUSES,
    )


@dataclass
class PlayedSinkStatus:
    queued: int = 0
    spooled_bytes: int = 0
    dropped: int = 0
    error: str = ""


class PlayedPortal:
    """The database's part. ``away``: it does not answer."""

    def __init__(self, entry: PbxEntry | None = None) -> None:
        self.entries = [entry] if entry else []
        self.rows: Loaded = {c: (directory(c), Standing()) for c in ("alpha", "beta")}
        self.closed: list[tuple[str, str, float, tuple[str, ...]]] = []
        self.facts: list[tuple[str, Fact]] = []
        self.away = False
        self.heard_at: float | None = None
        self.all_filled = False
        self.declared: Callable[[str, StatusDeclared], None] | None = None

    async def pbxs(self) -> list[PbxEntry]:
        self._answer()
        return list(self.entries)

    async def directories(self, companies: Iterable[str], *, counted: bool, pbx: str = "") -> Loaded:
        self._answer()
        return {company: self.rows[company] for company in companies}

    async def filled(
        self, companies: Collection[str], pbx: str, windows: Sequence[Sequence[float]]
    ) -> list[bool]:
        self._answer()
        return [self.all_filled for _ in windows]

    async def heard(self, pbx: str, at: float | None = None) -> float | None:
        self._answer()
        self.heard_at = at if at is not None else self.heard_at
        return self.heard_at

    async def close_interrupted(
        self, company: str, pbx: str, *, before: float, alive: Collection[str]
    ) -> int:
        self._answer()
        self.closed.append((company, pbx, before, tuple(alive)))
        return 0

    def _answer(self) -> None:
        if self.away:
            raise PortalAway("connection refused")

    # the sink's part

    def open_sink(self, declared: Callable[[str, StatusDeclared], None]) -> PlayedPortal:
        self.declared = declared
        return self

    def put(self, company: str, facts: Sequence[Fact]) -> None:
        self.facts += [(company, fact) for fact in facts]

    def status(self) -> PlayedSinkStatus:
        return PlayedSinkStatus()

    def flush(self, timeout: float) -> bool:
        return True

    def close(self, timeout: float = 5.0) -> None:
        return None

    def calls(self, company: str) -> list[CallFact]:
        """The latest word on each call."""
        latest = {
            fact.key: fact for owner, fact in self.facts if owner == company and isinstance(fact, CallFact)
        }
        return list(latest.values())

    def pauses(self, company: str) -> list[PauseFact]:
        return [fact for owner, fact in self.facts if owner == company and isinstance(fact, PauseFact)]


class Rig:
    """``start`` takes the lease and runs; ``board`` is what a web process would read."""

    def __init__(
        self, address: Address, redis_url: str, *, companies: tuple[str, ...] = ("alpha", "beta")
    ) -> None:
        self.entry = PbxEntry("1", "АТС", address, companies, managed=True)
        self.portal = PlayedPortal(self.entry)
        self.redis_url = redis_url
        self.leases = Leases(redis_url, "rig:1", seconds=60.0)
        self.writer = BoardWriter(redis_url)
        self.reader = BoardReader(redis_url)
        self.inbox = CommandInbox(redis_url)
        self.lease: Lease | None = None
        self.collector: PbxCollector
        self.task: asyncio.Task[None] | None = None

    async def start(
        self,
        *,
        timings: Timings = TIMINGS,
        deadlines: Deadlines = QUICK,
        connected: bool = True,
        **options: Any,
    ) -> PbxCollector:
        """Run the collector; by default wait until its first board can be read."""
        self.lease = self.lease or await self.leases.acquire("1")
        assert self.lease is not None
        self.writer.hold(self.lease)
        self.collector = PbxCollector(
            entry=self.entry, lease=self.lease, portal=self.portal, boards=self.writer, commands=self.inbox,
            open_sink=self.portal.open_sink, timings=timings, deadlines=deadlines, **options,
        )  # fmt: skip
        self.task = asyncio.create_task(self.collector.run())
        if connected:
            await self.reach(lambda link: link.state == "connected")
            await until(lambda: len(self.collector.publisher.epochs) == len(self.entry.companies))
        return self.collector

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError, BaseExceptionGroup):
                await self.task
            self.task = None

    async def board(self, company: str) -> PbxBoard:
        boards = await self.reader.boards(company)
        return boards["1"]

    async def entity(self, company: str, kind: str, key: str) -> dict[str, Any]:
        return (await self.board(company)).entities[kind, key]

    async def calls(self, company: str) -> dict[str, dict[str, Any]]:
        return {key: e for (kind, key), e in (await self.board(company)).entities.items() if kind == "call"}

    async def see(self, company: str, wanted: Callable[[PbxBoard], object], seconds: float = 3.0) -> float:
        """Wait until the company's board in Redis is as wanted; how long it took in seconds."""
        began = time.monotonic()
        while True:
            boards = await self.reader.boards(company)
            if "1" in boards and wanted(boards["1"]):
                return time.monotonic() - began
            assert time.monotonic() - began < seconds, f"not on the board within {seconds} s"
            await asyncio.sleep(0.005)

    async def reach(self, wanted: Callable[[LinkHealth], object], seconds: float = 5.0) -> float:
        """Wait until the link in Redis is as wanted; how long it took in seconds."""
        began = time.monotonic()
        while True:
            link = (await asyncio.to_thread(get_links, ["1"])).get("1")
            if link is not None and wanted(link):
                return time.monotonic() - began
            assert not (self.task and self.task.done()), self.task
            assert time.monotonic() - began < seconds, f"link is {link}"
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        await self.stop()
        for port in (self.leases, self.writer, self.reader, self.inbox):
            await port.close()


__all__ = ["QUICK", "TIMINGS", "Fenced", "PlayedPortal", "Rig", "directory"]
