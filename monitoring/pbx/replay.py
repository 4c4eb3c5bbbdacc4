"""A captured AMI stream through the live path's own normalise → route → reduce, without database, network or clock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from monitoring.domain.directory import Directory
from monitoring.domain.events import Event
from monitoring.domain.facts import CallFact, LegFact, VisitFact
from monitoring.domain.routing import prefix_of
from monitoring.domain.switchboard import Switchboard

from .bootstrap import snapshot_of
from .frames import Framer
from .normalise import normalise

CHUNK = 64 * 1024


def blocks_of(data: bytes) -> list[bytes]:
    """AMI blocks of a whole capture; a capture saved with bare line feeds is read as well."""
    if b"\r\n" not in data:
        data = data.replace(b"\n", b"\r\n")
    framer = Framer()
    blocks = [b for start in range(0, len(data), CHUNK) for b in framer.feed(data[start : start + CHUNK])]
    # A capture cut off mid-stream still ends with an event worth reading.
    return blocks + framer.feed(b"\r\n\r\n")


def events_of(blocks: list[bytes]) -> Iterator[Event]:
    """The stream's events in order; answers to CoreShowChannels and QueueStatus in it become the snapshots they were.

    What carries no Timestamp (a login's FullyBooted, lists) is stamped with the time of the next event that does.
    """
    stamps = _stamps(blocks)
    listed: list[bytes] = []
    for block, at in zip(blocks, stamps, strict=True):
        name = block[: block.find(b"\r\n")]
        if name in _LISTED and b"\r\nActionID: " in block:
            listed.append(block)
            continue
        if listed and not block.startswith((b"Response: ", b"Event: CoreShowChannelsComplete")):
            # The lists asked for one after another are one look at the PBX.
            yield snapshot_of(listed, at)
            listed = []
        event = normalise(block, at)
        if event is not None:
            yield event
    if listed:
        yield snapshot_of(listed, stamps[-1])


_LISTED = frozenset(
    (
        b"Event: CoreShowChannel",
        b"Event: QueueParams",
        b"Event: QueueMember",
        b"Event: QueueEntry",
        b"Event: DeviceStateChange",
        b"Event: QueueStatusComplete",
    )
)
_STAMP = re.compile(rb"\r\nTimestamp: (\d{1,11}(?:\.\d{1,9})?)(?:\r\n|$)")


def _stamps(blocks: list[bytes]) -> list[float]:
    """For each block its own Timestamp, else the next one in the stream, else the last."""
    own = [float(found[1]) if (found := _STAMP.search(block)) else 0.0 for block in blocks]
    following = 0.0
    for place in range(len(own) - 1, -1, -1):
        following = own[place] or following
        own[place] = following
    known = 0.0
    for place, at in enumerate(own):
        known = own[place] = at or known
    return own


def companies_in(blocks: Iterable[bytes]) -> list[str]:
    """The companies a stream itself names: by Tenantid, else by the prefix of its queues, else of its devices."""
    found: dict[str, dict[str, None]] = {"tenant": {}, "queue": {}, "device": {}}
    for block in blocks:
        for line in block.split(b"\r\n"):
            key, _, raw = line.partition(b": ")
            name = _KEYS.get(key)
            if name is not None:
                value = raw.decode("utf-8", "replace").strip()
                company = value if name == "tenant" else prefix_of(value)
                if company:
                    found[name][company] = None
    if found["tenant"]:
        return sorted(found["tenant"])
    return sorted(found["queue"] or found["device"])


_KEYS = {
    b"Tenantid": "tenant",
    b"DestTenantid": "tenant",
    b"Queue": "queue",
    b"Device": "device",
}


def replay(data: bytes, *, company: str | None = None, pbx: str = "replay") -> dict[str, Any]:
    """Everything the stream shows: ``{"events", "quarantined", "companies": {name: {board, calls, queue_visits}}}``.

    Times are epoch seconds (UTC), durations seconds. ``company``: the PBX's only company, which then owns everything.
    """
    blocks = blocks_of(data)
    companies = [company] if company else companies_in(blocks)
    switchboard = Switchboard(pbx, {name: Directory(name) for name in companies}, sole=company)
    calls: dict[str, dict[str, CallFact]] = {name: {} for name in companies}
    visits: dict[str, dict[tuple[str, str, float], VisitFact]] = {name: {} for name in companies}

    def keep() -> None:
        for changes in switchboard.drain():
            for fact in changes.facts:
                if isinstance(fact, CallFact):
                    calls[changes.company][fact.key] = fact
                elif isinstance(fact, VisitFact):
                    visits[changes.company][fact.uniqueid, fact.queue, fact.joined] = fact

    for event in events_of(blocks):
        switchboard.feed(event)
    switchboard.finish()
    keep()
    return {
        "events": sum(block.startswith(b"Event: ") or b"\nEvent: " in block for block in blocks),
        "quarantined": switchboard.quarantined,
        "companies": {
            name: {
                "board": switchboard.board(name),
                "calls": [
                    call_row(fact)
                    for fact in sorted(calls[name].values(), key=lambda f: (f.started, f.key))
                    if fact.merged_into is None
                ],
                "queue_visits": [
                    visit_row(fact)
                    for fact in sorted(visits[name].values(), key=lambda f: (f.joined, f.uniqueid))
                ],
            }
            for name in companies
        },
    }


def call_row(fact: CallFact) -> dict[str, Any]:
    inward = fact.direction == "in"
    return {
        "key": fact.key,
        "direction": fact.direction,
        "from": fact.number if inward else next((leg.manager for leg in fact.legs), ""),
        "to": fact.line if inward else fact.number,
        "name": fact.name,
        "started": fact.started,
        "answered": fact.answered,
        "ended": fact.ended,
        "disposition": fact.disposition,
        "hung_up_by": fact.hung_up_by,
        "managers": [
            manager_row(name, fact.legs) for name in dict.fromkeys(leg.manager for leg in fact.legs)
        ],
        "steps": [step._asdict() for step in fact.steps],
    }


def manager_row(name: str, legs: tuple[LegFact, ...]) -> dict[str, Any]:
    own = [leg for leg in legs if leg.manager == name]
    return {
        "manager": name,
        "talk": round(sum(seconds(leg.talk) for leg in own), 6),
        "hold": round(sum(seconds(leg.hold) for leg in own), 6),
        "outcome": "answered" if any(leg.answered is not None for leg in own) else own[-1].outcome,
    }


def seconds(intervals: tuple[tuple[float, float | None], ...]) -> float:
    return sum(end - start for start, end in intervals if end is not None)


def visit_row(fact: VisitFact) -> dict[str, Any]:
    return {
        "call": fact.call,
        "queue": fact.queue,
        "joined": fact.joined,
        "left": fact.left,
        "outcome": fact.outcome,
        "reason": fact.reason,
        "wait": round(fact.wait, 6),
        "manager": fact.manager,
    }
