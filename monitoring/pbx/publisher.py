"""From the switchboard outwards: facts to the sink, changes to the bus; at once, then at most every 50 ms.

Facts go first and never wait for Redis. A board Redis lost, or a fresh snapshot, is written whole under a new
epoch.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from monitoring.bus import BoardLost, BusAway, ChangesLike
from monitoring.domain.facts import Fact
from monitoring.domain.switchboard import Switchboard
from monitoring.domain.wire import BoardWire
from monitoring.pbx.ending import heed_cancellation

log = logging.getLogger(__name__)

TICK_SECONDS = 0.05
REDIS_RETRY_SECONDS = 0.5


class BoardPort(Protocol):
    """The bus's BoardWriter, as far as a publisher needs it."""

    async def reset(self, company: str, pbx: str, epoch: str, board: BoardWire) -> None: ...
    async def publish(self, company: str, pbx: str, changes: ChangesLike) -> int: ...
    async def forget(self, company: str, pbx: str) -> None: ...


class FactPort(Protocol):
    def put(self, company: str, facts: Sequence[Fact]) -> None: ...


class Publisher:
    """Shut until ``open``: a worker that has just taken a PBX over must not blank its panels before it
    knows better.
    """

    def __init__(
        self,
        *,
        pbx: str,
        companies: Sequence[str],
        switchboard: Switchboard,
        boards: BoardPort,
        facts: FactPort,
        epoch: Callable[[], str] = lambda: f"{time.time_ns():x}",
    ) -> None:
        self.epochs: dict[str, str] = {}
        self.frames = 0
        self.bus_error = ""
        self._pbx = pbx
        self._companies = tuple(companies)
        self._switchboard = switchboard
        self._boards = boards
        self._facts = facts
        self._new_epoch = epoch
        self._wake = asyncio.Event()
        self._open = False
        self._whole: set[str] = set()

    def nudge(self) -> None:
        """Something may have changed."""
        self._wake.set()

    def open(self) -> None:
        """The board is worth showing, from a fresh epoch on."""
        self._open = True
        self._whole.update(self._companies)
        self._wake.set()

    def lost(self, companies: Sequence[str]) -> None:
        """Redis no longer has these companies' boards."""
        if self._open and companies:
            self._whole.update(companies)
            self._wake.set()

    def is_open(self) -> bool:
        return self._open

    async def run(self) -> None:
        """For ever; raises Fenced when another worker owns the PBX."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            began = loop.time()
            try:
                wrote = await self.publish()
                self.bus_error = ""
            except BusAway as error:
                # Whether the write happened is unknown, so only a whole board is certain to be right.
                if not self.bus_error:
                    log.warning("PBX %s: Redis is away, panels wait: %s", self._pbx, error)
                self.bus_error = str(error)
                self._whole.update(self._companies)
                self._wake.set()
                await asyncio.sleep(REDIS_RETRY_SECONDS)
            else:
                heed_cancellation()
                if wrote:
                    await asyncio.sleep(max(0.0, TICK_SECONDS - (loop.time() - began)))

    async def publish(self) -> bool:
        """One tick; False when viewers had nothing to hear. Raises BusAway or Fenced; facts are safe by
        then.
        """
        drained = self._switchboard.drain()
        for changes in drained:
            if changes.facts:
                self._facts.put(changes.company, changes.facts)
        if not self._open:
            return False
        wrote = bool(self._whole)
        for changes in drained:
            if changes.ops and changes.company not in self._whole:
                try:
                    await self._boards.publish(changes.company, self._pbx, changes)
                    self.frames += 1
                    wrote = True
                except BoardLost as lost:
                    self._whole.add(lost.company)
        while self._whole:
            company = next(iter(self._whole))
            epoch = self._new_epoch()
            await self._boards.reset(company, self._pbx, epoch, self._switchboard.board(company))
            self.epochs[company] = epoch
            self._whole.discard(company)
        return wrote
