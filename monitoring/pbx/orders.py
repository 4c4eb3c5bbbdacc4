"""Commands of the portal to the collector: look the target up among the company's own rows, do it, answer.

A status is stored before it comes here, so it goes on the board at once; the PBX follows now or after a
reconnect.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from monitoring.bus import Answer, BusAway, Delivery, Lease
from monitoring.domain.commands import BadValue, ReloadDirectory, SetStatus
from monitoring.domain.events import StatusDeclared
from monitoring.pbx import pauses
from monitoring.pbx.client import Client
from monitoring.pbx.ending import heed_cancellation
from monitoring.pbx.portal import PortalAway
from monitoring.pbx.protocol import AmiError
from monitoring.pbx.roster import Roster

log = logging.getLogger(__name__)

BUS_RETRY_SECONDS = 0.5


class CommandPort(Protocol):
    """The bus's CommandInbox, as far as orders need it."""

    async def next_commands(self, lease: Lease, *, wait: float = 1.0) -> list[Delivery]: ...
    async def answer_command(self, delivery: Delivery, answer: Answer) -> None: ...


class Orders:
    """``say`` puts an event on the board; ``client`` gives the connection, None while there is none; ``member_of``
    the interfaces by which a company's queues ring a manager."""

    def __init__(
        self,
        *,
        lease: Lease,
        commands: CommandPort,
        roster: Roster,
        client: Callable[[], Client | None],
        say: Callable[[StatusDeclared], None],
        reload: Callable[[], Awaitable[None]],
        member_of: Callable[[str, str], tuple[str, ...]],
    ) -> None:
        self._lease = lease
        self._commands = commands
        self._roster = roster
        self._client = client
        self._say = say
        self._reload = reload
        self._member_of = member_of

    async def run(self) -> None:
        """For ever, one command after the other; raises Fenced when another worker owns the PBX."""
        while True:
            try:
                for delivery in await self._commands.next_commands(self._lease):
                    answer = await self._carry_out(delivery)
                    await self._commands.answer_command(delivery, answer)
                heed_cancellation()
            except BusAway:
                await asyncio.sleep(BUS_RETRY_SECONDS)

    async def _carry_out(self, delivery: Delivery) -> Answer:
        command = delivery.command
        if command.company not in self._roster.directories:
            return Answer("refused", "this company has no part in this PBX")
        try:
            if isinstance(command, ReloadDirectory):
                await self._reload()
                await self._switch_recording(command.company)
                return Answer("done")
            return await self._set_status(command)
        except PortalAway as error:
            return Answer("failed", f"the database is away: {error}")
        except BadValue as error:
            return Answer("refused", str(error)[:300])
        except AmiError as error:
            return Answer("failed", f"{error.code}: {error}"[:300])
        except Exception:
            # One command that trips over a mistake of ours must not end the others, nor stay unanswered.
            log.exception("PBX %s: %s failed", self._lease.pbx, command.kind)
            return Answer("failed", "an internal error; it is in the log")

    async def _switch_recording(self, company: str) -> None:
        """The company's rule may be what has changed; without a connection it is told after the next snapshot."""
        directory, client = self._roster.directories.get(company), self._client()
        if directory is not None and client is not None:
            await pauses.switch_recording(client, company, records=directory.records)

    async def _set_status(self, command: SetStatus) -> Answer:
        manager = self._roster.manager(command.company, command.manager)
        status = self._roster.status(command.company, command.status)
        if manager is None or status is None:
            await self._reload()  # the row may be younger than our reading
            manager = self._roster.manager(command.company, command.manager)
            status = self._roster.status(command.company, command.status)
        if manager is None or status is None:
            return Answer("refused", "no such manager or status in this company")
        self._roster.declared.setdefault(command.company, {})[manager.key] = status.id
        self._say(StatusDeclared(command.at, manager.key, status.id))
        client = self._client()
        if client is None:
            return Answer("failed", "the PBX is not connected; it will follow when it is")
        member_of = self._member_of(command.company, manager.key)
        trouble = await pauses.declare(client, manager, status, member_of)
        return Answer("failed", trouble[:300]) if trouble else Answer("done")
