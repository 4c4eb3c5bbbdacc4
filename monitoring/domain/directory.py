"""Who is who on the PBX for one company: the portal's rows, frozen, as the reducer's second input.

Keys are the names the PBX knows (``acme_101``, ``acme_sales``), because that is what events carry.
An empty directory is legal: the reducer then learns managers and queues from the stream itself (``replay``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NamedTuple

from .facts import AutoKind
from .wire import GroupWire, Kind, LineWire, ManagerCounts, QueueCounts, StatusWire

StatusKind = Literal["available", "break", "away"]


@dataclass(frozen=True, slots=True)
class GroupEntry:
    id: int
    title: str


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """One status a company's managers may declare. ``colour`` is a design-token name, never a raw colour."""

    id: int
    label: str
    kind: StatusKind
    colour: str


@dataclass(frozen=True, slots=True)
class ManagerEntry:
    """``key``: endpoint name on the PBX; ``interfaces``: every device that rings this person (``PJSIP/acme_101``)."""

    key: str
    title: str
    extension: str
    interfaces: tuple[str, ...]
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """``key``: queue name on the PBX. In seconds: answered-in target, short abandon, wrap-up (0 = none)."""

    key: str
    title: str
    groups: tuple[int, ...] = ()
    answer_within: float = 20.0
    short_abandon: float = 5.0
    wrap_up: float = 0.0


@dataclass(frozen=True, slots=True)
class LineEntry:
    """A number calls come to or leave by; ``groups`` may see a call that has reached nothing but this line yet."""

    number: str
    title: str
    kind: Literal["virtual", "toll_free", "extension", "mobile"] = "virtual"
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything the reducer may know of a company besides its events. ``time_zone`` cuts the day for "today".

    ``records``: the company has its talks recorded; the collector tells the PBX, no figure depends on it.
    """

    company: str
    time_zone: str = "Europe/Moscow"
    groups: tuple[GroupEntry, ...] = ()
    managers: tuple[ManagerEntry, ...] = ()
    queues: tuple[QueueEntry, ...] = ()
    lines: tuple[LineEntry, ...] = ()
    statuses: tuple[StatusEntry, ...] = ()
    trunks: frozenset[str] = field(default_factory=frozenset)
    records: bool = True


class StandingAuto(NamedTuple):
    """An automatic status that nobody has ended. ``call`` and its ``queue``: what a wrap-up follows."""

    started: float
    call: str = ""
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database already knows when a collector begins, so that a restart resets no counter.

    ``day`` is the company's calendar day the counts belong to; counts are keyed by queue and manager key;
    ``statuses``: manager key → (status id, since in epoch seconds). ``automatic``: manager key → what stands.
    """

    day: date | None = None
    queues: Mapping[str, QueueCounts] = field(default_factory=dict)
    managers: Mapping[str, ManagerCounts] = field(default_factory=dict)
    statuses: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    automatic: Mapping[str, Mapping[AutoKind, StandingAuto]] = field(default_factory=dict)


def rows(directory: Directory) -> dict[tuple[Kind, str], dict[str, Any]]:
    """The entities that only the portal's rows make: groups, statuses and lines."""
    made: dict[tuple[Kind, str], Any] = {}
    for g in directory.groups:
        made["group", str(g.id)] = GroupWire(id=g.id, title=g.title, groups=[g.id])
    for s in directory.statuses:
        made["status", str(s.id)] = StatusWire(id=s.id, label=s.label, kind=s.kind, colour=s.colour)
    for ln in directory.lines:
        made["line", ln.number] = LineWire(number=ln.number, title=ln.title, groups=list(ln.groups))
    return made
