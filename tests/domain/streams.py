"""Recorded streams as tests use them: read once, replayed event by event, told as plain data."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from monitoring.domain.directory import Directory, ManagerEntry, QueueEntry, Standing, StatusEntry
from monitoring.domain.events import Event
from monitoring.domain.facts import AutoFact, CallFact, Fact, VisitFact
from monitoring.domain.switchboard import Switchboard
from monitoring.pbx.replay import blocks_of, companies_in, events_of

STREAMS = Path(__file__).parent.parent / "ami"


def names(pattern: str = "*.ami") -> list[str]:
    return sorted(p.name for p in STREAMS.glob(pattern) if not p.name.startswith("mixed"))


@cache
def raw(name: str) -> bytes:
    data = (STREAMS / name).read_bytes()
    return gzip.decompress(data) if name.endswith(".gz") else data


@cache
def events(name: str) -> tuple[Event, ...]:
    return tuple(events_of(blocks_of(raw(name))))


@cache
def companies(name: str) -> tuple[str, ...]:
    return tuple(companies_in(blocks_of(raw(name))))


def truth(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((STREAMS / f"{name.partition('.')[0]}.truth.json").read_text())
    return data


Known = tuple[Directory, Standing]


@cache
def furnished(name: str, wrap_up: float) -> dict[str, Known]:
    """The stream's own people and queues as a portal's rows: everybody available, ``wrap_up`` seconds everywhere."""
    board = Switchboard("t", {company: Directory(company) for company in companies(name)})
    for event in events(name):
        board.feed(event)
    board.finish()
    made = {}
    for company in companies(name):
        seen = board.board(company)
        made[company] = (
            Directory(
                company,
                managers=tuple(
                    ManagerEntry(key, key, key.partition("_")[2], (f"PJSIP/{key}",))
                    for key in seen["manager"]
                ),
                queues=tuple(QueueEntry(key, key, wrap_up=wrap_up) for key in seen["queue"]),
                statuses=(StatusEntry(1, "Available", "available", "green"),),
            ),
            Standing(statuses=dict.fromkeys(seen["manager"], (1, 0.0))),
        )
    return made


class Told:
    """Boards and the last word on every fact after a run, comparable with ``==``."""

    def __init__(
        self, stream: Iterable[Event], whose: Iterable[str], known: Mapping[str, Known] | None = None
    ) -> None:
        board = Switchboard("t", {name: Directory(name) for name in whose})
        for name, (directory, standing) in (known or {}).items():
            board.configure(name, directory, standing)
        for event in stream:
            board.feed(event)
        board.finish()
        self.calls: dict[str, CallFact] = {}
        self.visits: dict[tuple[str, str, float], VisitFact] = {}
        self.autos: dict[tuple[str, str, float], AutoFact] = {}
        self.others: list[Fact] = []
        self.boards = {}
        for changes in board.drain():
            for fact in changes.facts:
                if isinstance(fact, CallFact):
                    self.calls[fact.key] = fact
                elif isinstance(fact, VisitFact):
                    self.visits[fact.uniqueid, fact.queue, fact.joined] = fact
                elif isinstance(fact, AutoFact):
                    self.autos[fact.manager, fact.kind, fact.started] = fact
                else:
                    self.others.append(fact)
        for name in board.companies:
            self.boards[name] = board.board(name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Told) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # compared, never kept in a set
