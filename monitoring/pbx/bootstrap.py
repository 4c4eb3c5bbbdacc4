"""What is there now, asked of the PBX itself and put into one Snapshot event: the board is marked and swept
with it.

All lists are asked at once and all must come whole: a failed poll never means "everybody is gone".
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass

from monitoring.domain.events import (
    DeviceChanged,
    MemberChanged,
    RegistrationChanged,
    Snapshot,
    SnapshotCaller,
    SnapshotChannel,
)
from monitoring.pbx import actions
from monitoring.pbx.client import Client
from monitoring.pbx.normalise import TEXT_LIMIT, normalise
from monitoring.pbx.protocol import ActionRefused, Fields, parse

UNREACHABLE_DEVICES = frozenset({"Unavailable", "Invalid"})


@dataclass(frozen=True, slots=True)
class Reading:
    """``boot``: the PBX's own words for when it started (its time zone is unknown to us); compared, not
    computed.
    """

    snapshot: Snapshot
    boot: str


async def read(client: Client, *, phones: bool = True) -> Reading:
    """Ask for everything at once. Raises AmiError when any part is missing, late or cut; nothing is guessed
    then.

    ``at`` is the PBX's time before it made the lists, so whatever it tells afterwards is news.
    """
    at = await client.ping()
    status, channels, queues, devices, endpoints = await _all(
        client.run(actions.core_status()),
        client.collect(actions.channels()),
        client.collect(actions.queues()),
        _optional(client.collect(actions.device_states())) if phones else _nothing(),
        _optional(client.collect(actions.endpoints())) if phones else _nothing(),
    )
    callers, members = _queue_rows(queues, at)
    snapshot = Snapshot(
        at=at,
        channels=tuple(channel for row in map(parse, channels) if (channel := _channel(row))),
        callers=callers,
        members=members,
        devices=tuple(_devices(devices, at)),
        registrations=tuple(_registrations(endpoints, at)),
    )
    boot = f"{status.get('CoreStartupDate', '')} {status.get('CoreStartupTime', '')}"
    return Reading(snapshot, boot.strip())


def snapshot_of(blocks: list[bytes], at: float) -> Snapshot:
    """The lists of a captured stream as one snapshot; ``at``: PBX time of the asking, epoch seconds."""
    callers, members = _queue_rows(blocks, at)
    rows = [parse(block) for block in blocks if block.startswith(b"Event: CoreShowChannel\r\n")]
    return Snapshot(
        at=at,
        channels=tuple(channel for row in rows if (channel := _channel(row))),
        callers=callers,
        members=members,
        devices=tuple(_devices(blocks, at)),
        registrations=(),
    )


async def _all(
    status: Coroutine[None, None, Fields], *lists: Coroutine[None, None, list[bytes]]
) -> tuple[Fields, list[bytes], list[bytes], list[bytes], list[bytes]]:
    """Every answer, or the first failure once nothing of the others is left.

    No TaskGroup: up to Python 3.12 one that failed leaves its task marked as being cancelled.
    """
    first = asyncio.create_task(status)
    rest = [asyncio.create_task(one) for one in lists]
    try:
        said, (channels, queues, devices, endpoints) = await asyncio.gather(first, asyncio.gather(*rest))
    finally:
        for task in (first, *rest):
            task.cancel()
        await asyncio.gather(first, *rest, return_exceptions=True)
    return said, channels, queues, devices, endpoints


async def _optional(listing: Coroutine[None, None, list[bytes]]) -> list[bytes]:
    """A list this PBX does not have (no PJSIP, no such action): an answer "Error" here means there are no
    rows.
    """
    try:
        return await listing
    except ActionRefused:
        return []


async def _nothing() -> list[bytes]:
    return []


def _channel(row: Fields) -> SnapshotChannel | None:
    uniqueid = row.get("Uniqueid", "")
    if not uniqueid:
        return None
    return SnapshotChannel(
        uniqueid=uniqueid,
        linkedid=row.get("Linkedid", ""),
        tenant=row.get("Tenantid", ""),
        channel=row.get("Channel", ""),
        state=_number(row, "ChannelState"),
        number=_text(row, "CallerIDNum"),
        name=_text(row, "CallerIDName"),
        exten=_text(row, "Exten"),
        context=row.get("Context", ""),
        bridge=row.get("BridgeId", ""),
        application=row.get("Application", ""),
        data=_text(row, "ApplicationData"),
        age=_seconds(row.get("Duration", "")),
    )


def _queue_rows(
    blocks: list[bytes], at: float
) -> tuple[tuple[SnapshotCaller, ...], tuple[MemberChanged, ...]]:
    callers: list[SnapshotCaller] = []
    members: list[MemberChanged] = []
    for block in blocks:
        if block.startswith(b"Event: QueueEntry"):
            row = parse(block)
            position, wait = _number(row, "Position"), float(_number(row, "Wait"))
            callers.append(SnapshotCaller(row.get("Queue", ""), row.get("Uniqueid", ""), position, wait))
        elif isinstance(member := normalise(block, at), MemberChanged):
            members.append(member)
    return tuple(callers), tuple(members)


def _devices(blocks: list[bytes], at: float) -> list[DeviceChanged]:
    """Phones only: a queue's own "device" says nothing the queue's rows do not."""
    return [
        state
        for block in blocks
        if isinstance(state := normalise(block, at), DeviceChanged) and not state.device.startswith("Queue:")
    ]


def _registrations(blocks: list[bytes], at: float) -> list[RegistrationChanged]:
    """An endpoint with a contact that does answer (or is never asked) is registered."""
    return [
        RegistrationChanged(
            at,
            row["ObjectName"],
            registered=bool(row.get("Contacts", ""))
            and row.get("DeviceState", "") not in UNREACHABLE_DEVICES,
        )
        for row in map(parse, blocks)
        if row.get("ObjectName")
    ]


def _number(row: Fields, key: str) -> int:
    value = row.get(key, "")
    return int(value) if value.isdecimal() and len(value) < 10 else 0


def _text(row: Fields, key: str) -> str:
    value = row.get(key, "")
    return "" if value in ("<unknown>", "unknown") else value.replace("\0", "\ufffd")[:TEXT_LIMIT]


def _seconds(duration: str) -> float:
    """``HH:MM:SS`` (hours may pass 99) in seconds; 0.0 when it is not one."""
    parts = duration.split(":")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) < 8 for part in parts):
        return 0.0
    hours, minutes, seconds = map(int, parts)
    return float(hours * 3600 + minutes * 60 + seconds)
