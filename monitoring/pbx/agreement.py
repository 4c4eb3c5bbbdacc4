"""What is done beside the stream so that PBX, board and database agree: pauses, away marks, calls nobody saw
end.

Each chore may fail with its connection; the next reconnect does it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

from monitoring.domain.commands import BadValue
from monitoring.domain.directory import ManagerEntry, StatusEntry
from monitoring.domain.events import Snapshot, StatusDeclared
from monitoring.domain.switchboard import Switchboard
from monitoring.pbx import pauses
from monitoring.pbx.client import Client
from monitoring.pbx.heartbeat import SinkPort
from monitoring.pbx.portal import PbxEntry, Portal, PortalAway
from monitoring.pbx.protocol import AmiError
from monitoring.pbx.roster import Roster

log = logging.getLogger(__name__)

FLUSH_SECONDS = 5.0


class Agreement:
    """``client`` gives the connection, None while there is none. ``settle``: seconds for the buffer to be
    applied.
    """

    def __init__(
        self,
        *,
        entry: PbxEntry,
        portal: Portal,
        roster: Roster,
        switchboard: Switchboard,
        sink: SinkPort,
        client: Callable[[], Client | None],
        settle: float,
    ) -> None:
        self.failures = 0
        self._entry = entry
        self._portal = portal
        self._roster = roster
        self._switchboard = switchboard
        self._sink = sink
        self._client = client
        self._settle = settle
        self._chores: set[asyncio.Task[None]] = set()

    def after_snapshot(self, client: Client, snapshot: Snapshot) -> None:
        """The portal's word is put on the PBX, the PBX's on the database."""
        self._chore(self._make_agree(client, snapshot))
        self._chore(self._close_vanished(snapshot.at))

    def declared_on_phone(self, event: StatusDeclared, company: str) -> None:
        """The pause is on the PBX already, in the queues that ring that interface; missing are the others and the
        mark for calls past the queues."""
        status, client = self._roster.status(company, event.status), self._client()
        if status is not None and client is not None:
            manager = self._roster.manager(company, event.manager)
            elsewhere = self._switchboard.member_interfaces(company, event.manager)
            if manager is not None and set(elsewhere) - set(manager.interfaces):
                self._chore(self._declare(client, company, manager, status))
            else:
                self._chore(pauses.mark_away(client, event.manager, away=status.kind != "available"))

    def status_differs(self, company: str, manager: ManagerEntry, status: StatusEntry) -> None:
        """A re-reading found a status whose command never arrived."""
        client = self._client()
        if client is not None:
            self._chore(self._declare(client, company, manager, status))

    def end(self) -> None:
        for chore in self._chores:
            chore.cancel()

    async def _make_agree(self, client: Client, snapshot: Snapshot) -> None:
        for company, directory in self._roster.directories.items():
            declared = self._roster.declared.get(company, {})
            members = [(self._switchboard.manager_of_member(company, m), m) for m in snapshot.members]
            differing = await pauses.align(client, directory, declared, members)
            await pauses.switch_recording(client, company, records=directory.records)
            if differing:
                log.info("PBX %s: %d pauses of %s put right", self._entry.name, differing, company)

    async def _declare(
        self, client: Client, company: str, manager: ManagerEntry, status: StatusEntry
    ) -> None:
        member_of = self._switchboard.member_interfaces(company, manager.key)
        trouble = await pauses.declare(client, manager, status, member_of)
        if trouble:
            log.warning("PBX %s: %s could not be paused: %s", self._entry.name, manager.key, trouble)

    async def _close_vanished(self, at: float) -> None:
        """Stored calls the PBX no longer has, once what is on its way to the database has arrived there."""
        await asyncio.sleep(self._settle)
        if not await asyncio.to_thread(self._sink.flush, FLUSH_SECONDS):
            return
        for company in self._roster.companies():
            alive = list(self._switchboard.board(company)["call"])
            closed = await self._portal.close_interrupted(
                company, self._entry.key, before=at - self._settle, alive=alive
            )
            if closed:
                log.warning("PBX %s: %d calls of %s closed as interrupted", self._entry.name, closed, company)

    def _chore(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(self._told(work))
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _told(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except (AmiError, PortalAway, BadValue) as error:
            log.info("PBX %s: left for the next reconnect: %s", self._entry.name, error)
        except Exception:
            self.failures += 1
            log.exception("PBX %s: a chore failed", self._entry.name)
