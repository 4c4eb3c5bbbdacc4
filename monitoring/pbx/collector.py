"""One PBX watched by its owner, from the bytes it sends to the board, the facts and the commands it is given.

The way of an event: socket → inbox → normalise → switchboard (order, route, reduce) → publisher → bus, facts.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from monitoring.bus import Lease
from monitoring.domain.events import PbxBooted, StatusDeclared
from monitoring.domain.facts import BlindFact
from monitoring.domain.switchboard import Switchboard
from monitoring.pbx import bootstrap
from monitoring.pbx.agreement import Agreement
from monitoring.pbx.blindness import OVERFLOW, UNWATCHED, Blindness
from monitoring.pbx.client import Client, Deadlines
from monitoring.pbx.ending import heed_cancellation
from monitoring.pbx.heartbeat import Heartbeat, LinkPort, SinkPort
from monitoring.pbx.inbox import CAPACITY, Inbox
from monitoring.pbx.link import Backoff, Link
from monitoring.pbx.normalise import normalise
from monitoring.pbx.orders import CommandPort, Orders
from monitoring.pbx.portal import PbxEntry, Portal, PortalAway
from monitoring.pbx.protocol import ActionRefused, AmiError, ConnectionGone, NoSecret, Unanswered
from monitoring.pbx.publisher import BoardPort, Publisher
from monitoring.pbx.roster import Roster

log = logging.getLogger(__name__)


MISDATED = 86_400.0
"""Seconds between an event's own time and the PBX's clock beyond which it was no clock that dated it: believed, one
event of next year would empty today's counts and keep midnight away until then.
"""


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds. ``settle``: quiet after which held events can no longer be overtaken; ``held``: or this, at
    most.
    ``phones``: every so many reconciles the lists that only change with registrations are read too.
    """

    settle: float = 0.01
    held: float = 0.02
    reconcile: float = 20.0
    phones: int = 15
    beat: float = 1.0
    refresh: float = 60.0
    boot_wait: float = 1.0
    calm: float = 10.0
    doubt: float = 5.0
    close_after: float = 2.0
    portal_retry: float = 1.0


class BusPort(BoardPort, LinkPort, Protocol):
    """The bus's BoardWriter."""


class PbxCollector:
    """Everything for one PBX while we hold its lease. ``run`` ends by cancellation, or by Fenced in a
    group.
    """

    switchboard: Switchboard
    publisher: Publisher
    sink: SinkPort
    agreement: Agreement
    blindness: Blindness

    def __init__(
        self,
        *,
        entry: PbxEntry,
        lease: Lease,
        portal: Portal,
        boards: BusPort,
        commands: CommandPort,
        open_sink: Callable[[Callable[[str, StatusDeclared], None]], SinkPort],
        timings: Timings | None = None,
        deadlines: Deadlines | None = None,
        capacity: int = CAPACITY,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.entry = entry
        address = f"{entry.address.host}:{entry.address.port}"
        # Where the platform's own PBX stands is no business of the companies that share it.
        self.link = Link(
            pbx=entry.key, simulated=entry.simulated, wall=wall, hidden=address if entry.managed else ""
        )
        self.roster = Roster(entry, portal)
        self.client: Client | None = None
        self.failures = 0
        self._lease = lease
        self._portal = portal
        self._boards = boards
        self._commands = commands
        self._open_sink = open_sink
        self._timings = timings or Timings()
        self._deadlines = deadlines or Deadlines()
        self._wall = wall
        self._inbox = Inbox(capacity)
        self._backoff = Backoff()
        self._boot: str | None = None
        self._boot_notice: tuple[float, bytes] | None = None
        self._boot_noticed = asyncio.Event()
        self._stock_began = 0.0
        self._polls = 0
        self._unsettled_since: float | None = None
        self._last_work = 0.0
        self._doubtful = False
        self._miscounted = False  # a window was filled since today's counts were read

    async def run(self) -> None:
        """Watch until cancelled. Raises an exception group with Fenced when the lease is somebody else's."""
        loop = asyncio.get_running_loop()
        self.switchboard = await self._begin()
        self.sink = await asyncio.to_thread(
            self._open_sink, functools.partial(_in_loop, loop, self._declared_on_phone)
        )
        try:
            self.publisher = Publisher(
                pbx=self.entry.key, companies=self.roster.companies(), switchboard=self.switchboard,
                boards=self._boards, facts=self.sink,
            )  # fmt: skip
            self.blindness = Blindness(link=self.link, tell=self._tell_blind)
            self.agreement = Agreement(
                entry=self.entry, portal=self._portal, roster=self.roster, switchboard=self.switchboard,
                sink=self.sink, client=lambda: self.client, settle=self._timings.close_after,
            )  # fmt: skip
            orders = Orders(
                lease=self._lease, commands=self._commands, roster=self.roster, client=lambda: self.client,
                say=self.say, reload=self.refresh, member_of=self.switchboard.member_interfaces,
            )  # fmt: skip
            heartbeat = Heartbeat(
                lease=self._lease, boards=self._boards, link=self.link, switchboard=self.switchboard,
                publisher=self.publisher, sink=self.sink, zones=self.roster.time_zones, quiet=self._quiet,
                show=self._show_link, wall=self._wall,
            )  # fmt: skip
            async with asyncio.TaskGroup() as group:
                group.create_task(self.publisher.run(), name="publish")
                group.create_task(heartbeat.run(self._timings.beat), name="heartbeat")
                group.create_task(self._keep_roster(), name="roster")
                group.create_task(orders.run(), name="orders")
                group.create_task(self._listen(), name="listen")
                group.create_task(self.blindness.keep_heard(self._portal, self._wall), name="heard")
        finally:
            await self._leave()

    def say(self, event: StatusDeclared) -> None:
        """Put an event of the portal's own among the PBX's."""
        self.switchboard.feed(event)
        self._settle()

    async def refresh(self) -> None:
        """Read directories and statuses again. Raises PortalAway."""
        await self.roster.refresh(self.switchboard, self.agreement.status_differs)
        self._settle()

    # connection

    async def _listen(self) -> None:
        if self.entry.problem:
            self.link.failed(NoSecret(self.entry.problem))
            self._show_link(even_if_new=True)
            await asyncio.Event().wait()
        while True:
            self.link.connecting()
            self._show_link()
            try:
                await self._connect()
            except AmiError as error:
                heed_cancellation()
                delay = self._backoff.after(error)
                self.link.failed(error, retry_in=delay)
                log.warning("PBX %s: %s: %s; next try in %.1f s", self.entry.name, error.code, error, delay)
                self._show_link(even_if_new=True)
                await asyncio.sleep(delay)

    async def _connect(self) -> None:
        """Log in and listen until the connection is gone; the AmiError that ended it is raised."""
        loop = asyncio.get_running_loop()
        self._boot_notice = None
        self._boot_noticed.clear()
        client = await Client.open(self.entry.address, self._receive, self._deadlines)
        began = loop.time()
        client.lost.add_done_callback(lambda _: self._inbox.nudge())
        self.client = client
        cause = UNWATCHED
        try:
            await self._attend(client)
        except AmiError as error:
            cause = error.code
            raise
        finally:
            self.client = None
            client.close()
            self.blindness.begins(since=self._wall() - (loop.time() - client.last_received), cause=cause)
            if loop.time() - began > self._timings.calm:
                self._backoff.calm()
            while self._work(client):  # what came before the end is still true
                pass
            self._settle()

    def _receive(self, blocks: list[bytes], received: float) -> None:
        """Called inside the socket's read: append, and notice the one event that cannot wait its turn."""
        self._inbox.put(blocks, received)
        for block in blocks:
            if block.startswith(b"Event: FullyBooted"):
                self._boot_notice = (received, block)
                self._boot_noticed.set()

    async def _attend(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        await self._until_booted(client)
        await self._take_stock(client, fresh=True)
        due, missed = loop.time() + self._timings.reconcile, 0
        while not client.lost.done():
            now = loop.time()
            if self._inbox.overflowed or (self._boot_notice and self._boot_notice[0] > self._stock_began):
                await self._take_stock(client, fresh=True)
            elif now >= due or (self._doubtful and now - self._stock_began > self._timings.doubt):
                try:
                    await self._take_stock(client)
                    missed = 0
                except (Unanswered, ActionRefused) as error:
                    # A failed poll says nothing about the calls; three in a row say something of the line.
                    missed += 1
                    log.warning("PBX %s: reconcile failed: %s", self.entry.name, error)
                    if missed == 3:
                        raise ConnectionGone(f"three polls in a row failed: {error}") from error
                due = loop.time() + self._timings.reconcile
            elif self._work(client):
                await asyncio.sleep(0)
            else:
                await self._rest(due - now)
        raise client.lost.result()

    async def _until_booted(self, client: Client) -> None:
        """A PBX still loading answers with half of itself; it says FullyBooted when whole (if we may
        hear).
        """
        noticed = asyncio.create_task(self._boot_noticed.wait())
        either: set[asyncio.Future[Any]] = {noticed, client.lost}
        await asyncio.wait(either, timeout=self._timings.boot_wait, return_when=asyncio.FIRST_COMPLETED)
        noticed.cancel()

    # events

    def _work(self, client: Client) -> bool:
        """Take one read through; False when there was none."""
        read = self._inbox.take()
        if read is None:
            return False
        received, blocks = read
        at_receipt = client.clock.at(received)
        last = 0.0
        for block in blocks:
            event = normalise(block, at_receipt)
            if event is None or type(event) is PbxBooted:
                continue  # a boot is told by CoreStatus, whose words are the same at every login
            if abs(event.at - at_receipt) > MISDATED:
                event = event._replace(at=at_receipt)
            last = event.at
            try:
                self.switchboard.feed(event)
            except Exception:
                self._stumbled()
        now = self._last_work = asyncio.get_running_loop().time()
        if last:
            self._unsettled_since = self._unsettled_since or now
            if now - self._unsettled_since >= self._timings.held:
                self._settle()
            if self.link.heard(client.clock.lag(event=last, shown=now)):
                self._show_link()
            self.publisher.nudge()
        return True

    async def _rest(self, longest: float) -> None:
        if self._unsettled_since is None:
            await self._inbox.wait(max(0.0, min(1.0, longest)))
            return
        await self._inbox.wait(self._timings.settle)
        since = self._unsettled_since
        if since is None:
            return  # a command has settled meanwhile
        if not self._inbox.size or asyncio.get_running_loop().time() - since >= self._timings.held:
            self._settle()

    def _settle(self) -> None:
        self._unsettled_since = None
        try:
            self.switchboard.settle()
        except Exception:
            self._stumbled()
        self.publisher.nudge()

    def _stumbled(self) -> None:
        """A mistake of ours must not end the listening; the next snapshot puts the board right."""
        self.failures += 1
        self._doubtful = True
        log.exception("PBX %s: an event could not be applied", self.entry.name)

    def _quiet(self) -> bool:
        return self.client is not None and asyncio.get_running_loop().time() - self._last_work > 2.0

    async def _take_stock(self, client: Client, *, fresh: bool = False) -> None:
        """A snapshot between what came before and what comes after, which waits in the inbox meanwhile.

        ``fresh``: something was missed before it, so viewers get the whole board under a new epoch.
        """
        if self._inbox.overflowed:
            log.error("PBX %s: over %d blocks waited; starting anew", self.entry.name, self._inbox.capacity)
            # What waited is thrown away too, so all after the last one worked through is unheard.
            idle = asyncio.get_running_loop().time() - max(self._last_work, self._stock_began)
            self.blindness.begins(since=self._wall() - idle, cause=OVERFLOW)
            self._inbox.restart()
        while not fresh and self._work(client):
            pass
        self._stock_began, self._doubtful = asyncio.get_running_loop().time(), False
        phones = fresh or self._polls % self._timings.phones == 0
        reading = await bootstrap.read(client, phones=phones)
        self._polls += 1
        self._settle()
        if reading.boot != self._boot:
            if self._boot is not None:
                log.warning("PBX %s was restarted (%s)", self.entry.name, reading.boot)
            at = reading.snapshot.at
            # Without its FullyBooted only "before now" is known.
            self.switchboard.feed(PbxBooted(at, self._boot_heard(client) or at))
            self._boot = reading.boot
        self.switchboard.feed(reading.snapshot)
        self._settle()
        if fresh:
            now = asyncio.get_running_loop().time()
            self.blindness.ends(skew=client.clock.at(now) - self._wall(), boot=self._boot_heard(client))
            self._show_link()
            self.publisher.open()
            self.agreement.after_snapshot(client, reading.snapshot)

    def _boot_heard(self, client: Client) -> float | None:
        """When the PBX started, epoch seconds by its own clock; None without its FullyBooted."""
        if self._boot_notice is None:
            return None
        received, block = self._boot_notice
        event = normalise(block, client.clock.at(received))
        return event.boot if isinstance(event, PbxBooted) else None

    # upkeep

    async def _begin(self) -> Switchboard:
        while True:
            try:
                return await self.roster.begin()
            except PortalAway as error:
                log.warning("PBX %s: people and queues cannot be read yet: %s", self.entry.name, error)
                await asyncio.sleep(self._timings.portal_retry)

    async def _keep_roster(self) -> None:
        while True:
            await asyncio.sleep(self._timings.refresh)
            try:
                await self.refresh()
                if await self.blindness.look(self._portal, self.roster.companies()):
                    self._show_link()
                    self._miscounted = True
                if self._miscounted and await self.roster.recount(self.switchboard, self._all_stored):
                    self._miscounted = False
            except PortalAway as error:
                log.warning("PBX %s: people and queues could not be read: %s", self.entry.name, error)

    def _all_stored(self) -> bool:
        sink = self.sink.status()
        return sink.queued == 0 and sink.spooled_bytes == 0

    def _declared_on_phone(self, company: str, event: StatusDeclared) -> None:
        self.roster.declared.setdefault(company, {})[event.manager] = event.status
        self.say(event)
        self.agreement.declared_on_phone(event, company)

    def _tell_blind(self, fact: BlindFact) -> None:
        for company in self.roster.companies():
            self.sink.put(company, [fact])

    def _show_link(self, *, even_if_new: bool = False) -> None:
        self.switchboard.link(self.link.wire())
        if even_if_new and not self.publisher.is_open():
            self.publisher.open()
        self.publisher.nudge()

    async def _leave(self) -> None:
        """Hand every fact already known to the sink and let it finish, also when we are being cancelled."""
        self.agreement.end()
        for changes in self.switchboard.drain():
            if changes.facts:
                self.sink.put(changes.company, changes.facts)
        await asyncio.shield(asyncio.to_thread(self.sink.close))


def _in_loop(
    loop: asyncio.AbstractEventLoop,
    take: Callable[[str, StatusDeclared], None],
    company: str,
    event: StatusDeclared,
) -> None:
    """Carry what a sink's thread says into our loop; a loop that has ended meanwhile needs it no more."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(take, company, event)
