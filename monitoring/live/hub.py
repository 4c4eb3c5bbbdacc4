"""The live boards of one web process: a room per watched company, and the watch over what no frame tells.

Lives in the process's event loop; nothing here asks the database, nothing is done per socket that can be sha
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
import weakref

from django.conf import settings

from monitoring.bus import ORPHAN_AFTER, BoardReader, BusAway
from monitoring.domain.audience import Audience
from monitoring.live.protocol import Have
from monitoring.live.room import Room
from monitoring.live.stream import Outlet, Seat

logger = logging.getLogger(__name__)

WATCH_EVERY = 0.5  # seconds


class Hub:
    """One per event loop: ``hub_here()``."""

    def __init__(self, redis_url: str) -> None:
        self.name = uuid.uuid4().hex[:12]
        self.rooms: dict[str, Room] = {}
        self._reader = BoardReader(redis_url)
        self._rooms_made = 0
        self._heard_at = time.monotonic()
        self._watch: asyncio.Task[None] | None = None

    async def join(
        self, company: str, outlet: Outlet, audience: Audience, *, pbxs: set[str], have: Have | None = None
    ) -> Seat:
        """Seat a browser of this company's audience. ``pbxs``: keys of the PBXs the company has."""
        room = self.rooms.get(company)
        if room is None:
            self._rooms_made += 1
            room = self.rooms[company] = Room(company, self._reader, f"{self.name}.{self._rooms_made}")
        if self._watch is None:
            self._watch = asyncio.create_task(self._keep_watch(), name="watch over the live boards")
        room.expect(pbxs)
        return await room.enter(outlet, audience, have)

    def move(self, company: str, seat: Seat, audience: Audience) -> None:
        self.rooms[company].move(seat, audience)

    def expect(self, company: str, pbxs: set[str]) -> None:
        """The company has these PBXs now."""
        room = self.rooms.get(company)
        if room is not None:
            room.expect(pbxs)

    def leave(self, company: str, seat: Seat) -> None:
        room = self.rooms.get(company)
        if room is not None:
            room.leave(seat)

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_EVERY)
            try:
                await self._watch_once()
            except Exception:  # whatever it is, the other companies' boards must stay watched
                logger.exception("The watch over the live boards failed; it goes on.")

    async def _watch_once(self) -> None:
        for company, room in list(self.rooms.items()):
            if room.empty:
                del self.rooms[company]
                await room.close()
        numbers: dict[str, dict[str, tuple[str, int]]] = {}
        heard: set[str] = set()
        try:
            heard = {pbx for pbx, health in (await self._reader.links()).items() if not health.orphaned}
            numbers = await self._reader.numbers(self.rooms)
            self._heard_at = time.monotonic()
        except BusAway:
            # Without Redis nobody can be heard. One missed look is not yet news.
            if time.monotonic() - self._heard_at < ORPHAN_AFTER:
                return
        for company, room in list(self.rooms.items()):
            try:
                await room.watch(room.mirror.pbxs() - heard, numbers.get(company, {}))
            except BusAway:
                pass  # the next look may find it again
            except Exception:  # one company's trouble must not end the watch over the others
                logger.exception("The live board of %s could not be watched; it goes on.", company)

    async def close(self) -> None:
        """End every room and connection; for tests and an orderly end of the process."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        for room in self.rooms.values():
            await room.close()
        self.rooms.clear()
        await self._reader.close()


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = weakref.WeakKeyDictionary()


def hub_here() -> Hub:
    """The hub of the running event loop, made when first asked for."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(settings.REDIS_URL)
    return _hubs[loop]
