"""One company's live board in this process: a single subscription, a mirror, and a stream for each audience.

Exists only while somebody watches; the first change goes out at once, then at most one frame a tick.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time

from monitoring.bus import BoardReader, BusAway
from monitoring.domain.audience import Audience, entangled, named_list
from monitoring.live.mirror import Dirty, Mirror, mark
from monitoring.live.protocol import CLOSE_SLOW, Have
from monitoring.live.stream import Outlet, Seat, Stream

logger = logging.getLogger(__name__)

TICK = 0.05  # seconds between two frames of a stream, on the whole; never less than half of it
LINGER = 30.0  # seconds a stream outlives its last browser: people reload pages
SLOW_AFTER = 20.0  # seconds a browser may take nothing of what was written to it


class Room:
    """Use ``enter`` and ``leave``; the hub calls ``watch`` twice a second."""

    def __init__(self, company: str, reader: BoardReader, name: str) -> None:
        self.company = company
        self.mirror = Mirror()
        self.streams: dict[Audience, Stream] = {}
        self._reader = reader
        self._name = name
        self._streams_made = 0
        self._entering = 0
        self._pending: Dirty = {}
        self._next_flush = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ahead: dict[str, tuple[str, int]] = {}
        self._filled = asyncio.Event()
        self._task = asyncio.create_task(self._follow(), name=f"live board of {company}")

    @property
    def empty(self) -> bool:
        """Nobody watches, and nobody is about to."""
        return not self.streams and not self._entering

    # ------------------------------------------------------------ browsers

    async def enter(
        self, outlet: Outlet, audience: Audience, have: Have | None, *, wait: float = 2.0
    ) -> Seat:
        """Seat a browser and send it what it lacks, waiting a little for the first board to be read."""
        self._entering += 1
        try:
            await asyncio.wait_for(self._filled.wait(), wait)
        except TimeoutError:
            logger.warning(
                "The board of %s cannot be read; browsers see it empty until it can.", self.company
            )
        finally:
            self._entering -= 1
        seat = Seat(outlet, self._stream(audience))
        if have is not None and have["epoch"] == seat.stream.epoch and seat.stream.since(have["seq"]):
            seat.cursor, seat.wants_snapshot = have["seq"], False
        seat.stream.seats.add(seat)
        seat.stream.idle_since = None
        seat.catch_up()
        return seat

    def move(self, seat: Seat, audience: Audience) -> None:
        """The person's groups have changed: another audience, from a snapshot on."""
        self.leave(seat)
        seat.stream = self._stream(audience)
        seat.wants_snapshot = True
        seat.stream.seats.add(seat)
        seat.stream.idle_since = None
        if seat.outlet.ready:
            seat.catch_up()

    def leave(self, seat: Seat) -> None:
        seat.stream.seats.discard(seat)
        if not seat.stream.seats:
            seat.stream.idle_since = time.monotonic()

    def _stream(self, audience: Audience) -> Stream:
        if audience not in self.streams:
            # Changes not sent yet are in the mirror already; the others must be told before this one begins.
            self._flush()
            self._streams_made += 1
            self.streams[audience] = Stream(audience, self.mirror, f"{self._name}.{self._streams_made}")
        return self.streams[audience]

    # ------------------------------------------------------------ changes

    async def _follow(self) -> None:
        failures = 0
        while True:
            try:
                async with self._reader.subscribe(self.company) as frames:
                    await self.reread()
                    failures = 0
                    async for frame in frames:
                        dirty = self.mirror.apply(frame)
                        if dirty is None:
                            await self.reread()
                        else:
                            self._changed(dirty)
            except BusAway as error:
                failures += 1
                logger.warning("The live board of %s lost Redis: %s", self.company, error)
            except Exception:  # a frame nobody can read must not freeze the board for good
                failures += 1
                logger.exception("The live board of %s is read anew.", self.company)
            await asyncio.sleep(min(2.0, 0.2 * 2**failures) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    async def reread(self) -> None:
        """Take the boards as they are in Redis."""
        self._changed(self.mirror.replace(await self._reader.boards(self.company)))
        self._filled.set()

    def _changed(self, dirty: Dirty) -> None:
        if not dirty:
            return
        mark(self._pending, dirty)
        if self._timer is not None:
            return
        wait = self._next_flush - time.monotonic()
        if wait <= 0:
            self._flush()
        else:
            self._timer = asyncio.get_running_loop().call_later(wait, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending:
            return
        dirty, self._pending = self._pending, {}
        # Counted from when this one was due, so that one late frame does not make all later ones late.
        self._next_flush = max(self._next_flush, time.monotonic() - TICK / 2) + TICK
        mark(dirty, {key: {named_list(key[0])} for key in entangled(dirty, self.mirror.items())})
        for stream in self.streams.values():
            stream.push(dirty)

    # ------------------------------------------------------------ upkeep

    def expect(self, pbxs: set[str]) -> None:
        """The company has these PBXs, whether or not anybody collects them."""
        self._changed(self.mirror.expect(pbxs))

    async def watch(self, silent: set[str], numbers: dict[str, tuple[str, int]]) -> None:
        """Notice what no frame tells: silent collectors, lost frames, browsers that have stopped reading.

        ``silent``: PBXs without a heartbeat; ``numbers``: the last frame of each of the company's PBXs in Redis.
        """
        self._changed(self.mirror.fall_silent(silent & self.mirror.pbxs()))
        here = self.mirror.numbers()
        # A frame may be under way; one that was known to Redis at the last look and is not here never comes.
        lost = any(
            pbx not in here or here[pbx][0] != epoch or here[pbx][1] < seq
            for pbx, (epoch, seq) in self._ahead.items()
            if numbers.get(pbx, ("", 0))[0] == epoch
        )
        self._ahead = numbers
        if lost:
            logger.warning("The live board of %s missed a frame and is read anew.", self.company)
            await self.reread()
        self._check_browsers()

    def _check_browsers(self) -> None:
        moment = time.monotonic()
        for audience, stream in list(self.streams.items()):
            for seat in tuple(stream.seats):
                if seat.outlet.ready:
                    seat.blocked_since = None
                elif seat.blocked_since is None:
                    seat.blocked_since = moment
                elif moment - seat.blocked_since > SLOW_AFTER:
                    self.leave(seat)
                    seat.outlet.close(CLOSE_SLOW)
            if stream.idle_since is not None and moment - stream.idle_since > LINGER:
                del self.streams[audience]

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
