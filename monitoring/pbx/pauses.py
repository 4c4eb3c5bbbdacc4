"""Declared statuses brought to the PBX: pauses in every queue, and ``AWAY_<endpoint>`` for calls past the
queues.

The portal's word is the truth: whatever differs on the PBX after a reconnect is put right. Nobody who has
declared
nothing is touched.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable, Mapping

from monitoring.domain.commands import BadValue
from monitoring.domain.directory import Directory, ManagerEntry, StatusEntry
from monitoring.domain.events import MemberChanged
from monitoring.pbx import actions
from monitoring.pbx.client import Client
from monitoring.pbx.protocol import ActionRefused

log = logging.getLogger(__name__)

AT_ONCE = 50
_PLAIN = re.compile(r"[A-Za-z0-9_]{1,70}\Z")


async def declare(
    client: Client, manager: ManagerEntry, status: StatusEntry, member_of: Iterable[str] = ()
) -> str:
    """Pause or unpause in every queue and mark the endpoint. ``member_of``: interfaces the PBX's queues know besides
    the person's own (``Local/101@…``), which a pause of the phone alone would leave ringing.
    Returns what was not possible, in words; "" = all done.

    Raises BadValue, and AmiError when the connection is gone or silent.
    """
    paused = status.kind != "available"
    refused = []
    for interface in dict.fromkeys((*manager.interfaces, *member_of)):
        try:
            await client.run(
                actions.queue_pause(interface=interface, paused=paused, reason=status.label if paused else "")
            )
        except ActionRefused as error:
            # "Interface not found": a manager who serves no queue has nothing to pause.
            if "not found" not in str(error).lower():
                refused.append(str(error))
    try:
        await mark_away(client, manager.key, away=paused)
    except ActionRefused as error:
        refused.append(str(error))
    return "; ".join(refused)


async def mark_away(client: Client, endpoint: str, *, away: bool) -> None:
    """What the dialplan reads before it rings a manager directly. Raises AmiError."""
    if _PLAIN.match(endpoint):
        await client.run(actions.set_global(name=f"AWAY_{endpoint}", value="1" if away else "0"))


async def switch_recording(client: Client, company: str, *, records: bool) -> None:
    """What the dialplan reads before it records a customer: it holds from the next call on. Raises AmiError."""
    if _PLAIN.match(company):
        await client.run(actions.set_global(name=f"RECORD_{company}", value="1" if records else "0"))


async def align(
    client: Client,
    directory: Directory,
    declared: Mapping[str, int],
    members: Iterable[tuple[str, MemberChanged]],
) -> int:
    """After a reconnect: make the PBX agree with ``declared`` (manager key → status id). ``members``: with the
    key of the manager each stands for. How many pauses differed.

    Raises AmiError when the connection ends meanwhile.
    """
    statuses = {status.id: status for status in directory.statuses}
    wanted = {
        manager.key: status
        for manager in directory.managers
        if (status := statuses.get(declared.get(manager.key, 0))) is not None
    }
    differing = [
        (member, status)
        for key, member in members
        if (status := wanted.get(key)) is not None and member.paused != (status.kind != "available")
    ]
    gate = asyncio.Semaphore(AT_ONCE)

    async def pause(member: MemberChanged, status: StatusEntry) -> None:
        away = status.kind != "available"
        async with gate:
            reason = status.label if away else ""
            await _pause(client, interface=member.interface, paused=away, reason=reason, queue=member.queue)

    async def mark(key: str, status: StatusEntry) -> None:
        async with gate:
            try:
                await mark_away(client, key, away=status.kind != "available")
            except ActionRefused as error:
                log.info("the PBX did not mark %s: %s", key, error)

    await asyncio.gather(*(pause(*pair) for pair in differing), *(mark(*pair) for pair in wanted.items()))
    return len(differing)


async def _pause(client: Client, *, interface: str, paused: bool, reason: str, queue: str) -> None:
    """One member that cannot be paused must not keep the others from being put right."""
    try:
        await client.run(actions.queue_pause(interface=interface, paused=paused, reason=reason, queue=queue))
    except (ActionRefused, BadValue) as error:
        log.info("pause of %s in %s was refused: %s", interface, queue, error)
