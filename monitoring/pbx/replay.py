"""A captured AMI stream through the live path's own normalise → route → reduce, without database, network or clock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from monitoring.domain.directory import Directory
from monitoring.domain.facts import CallFact, LegFact, VisitFact
from monitoring.domain.routing import prefix_of
from monitoring.domain.switchboard import Switchboard

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

    seen = 0
    for block in blocks:
        if block.startswith(b"Event: ") or b"\nEvent: " in block:
            seen += 1
        event = normalise(block)
        if event is not None:
            switchboard.feed(event)
    switchboard.finish()
    keep()
    return {
        "events": seen,
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
        "outcome": "answered" if any(leg.talk for leg in own) else own[-1].outcome,
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
