"""Who is who on one PBX, kept up to date: directories, and the statuses the portal says are declared.

Commands only hurry it along; read anew every minute, it is right even when one was lost with Redis.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from monitoring.domain.directory import Directory, ManagerEntry, StatusEntry
from monitoring.domain.events import StatusDeclared
from monitoring.domain.switchboard import Switchboard
from monitoring.pbx.portal import Loaded, PbxEntry, Portal

log = logging.getLogger(__name__)

SETTLING = 0.5


class Roster:
    """``changed(company, manager, status)`` is called for every status that a re-reading found to be
    different.
    """

    def __init__(self, entry: PbxEntry, portal: Portal) -> None:
        self.entry = entry
        self.directories: dict[str, Directory] = {}
        self.declared: dict[str, dict[str, int]] = {}
        self._portal = portal

    async def begin(self) -> Switchboard:
        """The first reading: a switchboard that already knows today's counts. Raises PortalAway."""
        loaded = await self._portal.directories(self.entry.companies, counted=True, pbx=self.entry.key)
        self.directories = {company: directory for company, (directory, _) in loaded.items()}
        switchboard = Switchboard(self.entry.key, self.directories, sole=self.entry.sole)
        for company, (directory, standing) in loaded.items():
            switchboard.configure(company, directory, standing)
            self.declared[company] = {key: status for key, (status, _) in standing.statuses.items()}
        return switchboard

    async def refresh(
        self, switchboard: Switchboard, changed: Callable[[str, ManagerEntry, StatusEntry], None]
    ) -> None:
        """Read again; feed the switchboard only what differs. Raises PortalAway."""
        loaded: Loaded = await self._portal.directories(
            self.entry.companies, counted=False, pbx=self.entry.key
        )
        for company, (directory, standing) in loaded.items():
            if directory != self.directories.get(company):
                self.directories[company] = directory
                switchboard.configure(company, directory, None)
            known = self.declared.setdefault(company, {})
            for key, (status, since) in standing.statuses.items():
                if known.get(key) != status:
                    switchboard.feed(StatusDeclared(since, key, status))
                    known[key] = status
                    who, what = self.manager(company, key), self.status(company, status)
                    if who is not None and what is not None:
                        changed(company, who, what)

    async def recount(self, switchboard: Switchboard, stored: Callable[[], bool]) -> bool:
        """Take today's counts from the rows anew: what was missed has been filled in there. Raises PortalAway.

        ``stored``: whether every fact told so far is a row. False: something was told meanwhile, so that rows and
        board were not of one moment; ask again.
        """
        before = switchboard.counted()
        await asyncio.sleep(SETTLING)  # what was counted just now is handed to the sink within this
        if not stored():
            return False
        loaded = await self._portal.directories(self.entry.companies, counted=True, pbx=self.entry.key)
        if not stored() or switchboard.counted() != before:
            return False
        for company, (_, standing) in loaded.items():
            switchboard.recount(company, standing)
        return True

    def time_zones(self) -> list[str]:
        return [directory.time_zone for directory in self.directories.values()]

    def companies(self) -> tuple[str, ...]:
        return tuple(self.directories)

    def manager(self, company: str, key: str) -> ManagerEntry | None:
        directory = self.directories.get(company)
        return next((m for m in directory.managers if m.key == key), None) if directory else None

    def status(self, company: str, status_id: int) -> StatusEntry | None:
        directory = self.directories.get(company)
        return next((s for s in directory.statuses if s.id == status_id), None) if directory else None
