"""Once a second: how the link is, told to the bus; which boards Redis lost, told to the publisher.

Silence here is how web processes know that nobody watches the PBX any more.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from monitoring.bus import BusAway, Lease, LinkStatus
from monitoring.domain.switchboard import Switchboard
from monitoring.pbx.ending import heed_cancellation
from monitoring.pbx.link import Link, midnight
from monitoring.pbx.publisher import FactPort, Publisher


class LinkPort(Protocol):
    """The bus's BoardWriter, as far as a heartbeat needs it."""

    async def heartbeat(
        self, pbx: str, status: LinkStatus, epochs: Mapping[str, str] | None = None
    ) -> list[str]: ...


class SinkHealth(Protocol):
    """services.spool.SinkStatus, as far as it is told further."""

    @property
    def queued(self) -> int: ...
    @property
    def spooled_bytes(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def error(self) -> str: ...


class SinkPort(FactPort, Protocol):
    """services.spool.FactSink, as far as a collector needs it."""

    def status(self) -> SinkHealth: ...
    def flush(self, timeout: float) -> bool: ...
    def close(self, timeout: float = 5.0) -> None: ...


class Heartbeat:
    """``zones``: the companies' time zones, for "today"; ``show``: called when the link changed by itself;
    ``quiet``: True when connected and nothing came for a while, so nothing is late either.
    """

    def __init__(
        self,
        *,
        lease: Lease,
        boards: LinkPort,
        link: Link,
        switchboard: Switchboard,
        publisher: Publisher,
        sink: SinkPort,
        zones: Callable[[], Sequence[str]],
        quiet: Callable[[], bool],
        show: Callable[[], None],
        wall: Callable[[], float],
    ) -> None:
        self._lease = lease
        self._boards = boards
        self._link = link
        self._switchboard = switchboard
        self._publisher = publisher
        self._sink = sink
        self._zones = zones
        self._quiet = quiet
        self._show = show
        self._wall = wall

    async def run(self, every: float) -> None:
        """For ever, ``every`` seconds; raises Fenced when another worker owns the PBX."""
        while True:
            await self.beat()
            heed_cancellation()
            await asyncio.sleep(every)

    async def beat(self) -> None:
        eased = self._quiet() and self._link.heard(0.0)
        if self._link.forget_before(midnight(self._zones(), self._wall())) or eased:
            self._show()
        with contextlib.suppress(BusAway):
            asked = dict(self._publisher.epochs)
            lost = await self._boards.heartbeat(self._lease.pbx, self._status(), asked)
            # A board replaced while we asked is not lost: it is newer than the question.
            self._publisher.lost([c for c in lost if self._publisher.epochs.get(c) == asked[c]])

    def _status(self) -> LinkStatus:
        link, sink = self._link, self._sink.status()
        return LinkStatus(
            owner=self._lease.owner,
            state=link.state,
            since=link.since,
            lag_ms=int(link.lag * 1000),
            epoch=max(self._publisher.epochs.values(), default=""),
            events=self._switchboard.events,
            quarantined=self._switchboard.quarantined,
            error=link.error,
            next_try=link.next_try,
            simulated=link.simulated,
            spool_queued=sink.queued,
            spool_bytes=sink.spooled_bytes,
            spool_dropped=sink.dropped,
            spool_error=sink.error,
        )
