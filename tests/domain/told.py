"""Events as a test writes them down: the few fields that matter, the rest as Asterisk would send them."""

from __future__ import annotations

from typing import Any

from monitoring.domain import events as ev
from monitoring.domain.directory import (
    Directory,
    GroupEntry,
    LineEntry,
    ManagerEntry,
    QueueEntry,
    StatusEntry,
)
from monitoring.domain.switchboard import Changes, Switchboard

T0 = 1_795_300_000.0
AVAILABLE, LUNCH, AWAY = 1, 2, 3


def directory(company: str) -> Directory:
    """Two groups, three managers (103 in the second group), two queues, one line."""
    managers = tuple(
        ManagerEntry(f"{company}_{ext}", f"Manager {ext}", ext, (f"PJSIP/{company}_{ext}",), (group,))
        for ext, group in (("101", 1), ("102", 1), ("103", 2))
    )
    return Directory(
        company,
        groups=(GroupEntry(1, "Sales"), GroupEntry(2, "Support")),
        managers=managers,
        queues=(
            QueueEntry(f"{company}_sales", "Sales", (1,)),
            QueueEntry(f"{company}_support", "Support", (2,)),
        ),
        lines=(LineEntry("74950000001", "Main", groups=(1,)),),
        statuses=(
            StatusEntry(AVAILABLE, "Available", "available", "green"),
            StatusEntry(LUNCH, "Lunch", "break", "amber"),
            StatusEntry(AWAY, "Away", "away", "grey"),
        ),
    )


class Pbx:
    """One PBX with two companies; every method is one thing a PBX does, at second ``at`` after ``T0``."""

    def __init__(self) -> None:
        self.board = Switchboard("7", {name: directory(name) for name in ("alpha", "beta")})
        self.facts: dict[str, list[Any]] = {"alpha": [], "beta": []}
        self.gone: list[str] = []

    def tell(self, *events: ev.Event) -> None:
        for event in events:
            self.board.feed(event)
        self.board.settle()
        for changes in self.board.drain():
            self._keep(changes)

    def _keep(self, changes: Changes) -> None:
        self.facts[changes.company] += changes.facts
        self.gone += [key for (_, key), entity in changes.entities.items() if entity is None]

    def calls(self, company: str = "alpha") -> dict[str, Any]:
        return dict(self.board.board(company)["call"])

    def manager(self, key: str) -> Any:
        return self.board.board(key.partition("_")[0])["manager"][key]

    def queue(self, key: str) -> Any:
        return self.board.board(key.partition("_")[0])["queue"][key]

    # what a PBX does

    def rings_in(self, uid: str, at: float, *, company: str = "alpha", number: str = "79160000000") -> None:
        self.tell(
            ev.ChannelOpened(
                T0 + at,
                uid,
                uid,
                company,
                f"PJSIP/trunk-{uid.replace('.', ''):0>8}",
                4,
                number,
                "",
                "74950000001",
                "in",
            )
        )

    def joins(self, uid: str, at: float, queue: str, position: int = 1) -> None:
        company = queue.partition("_")[0]
        self.tell(ev.QueueJoined(T0 + at, uid, uid, company, "PJSIP/trunk", queue, position, "", ""))

    def rings(self, uid: str, leg: str, at: float, manager: str, queue: str = "") -> None:
        company = manager.partition("_")[0]
        channel = f"PJSIP/{manager}-{leg.replace('.', ''):0>8}"
        self.tell(
            ev.ChannelOpened(T0 + at, leg, uid, company, channel, 0, manager, "", "", ""),
            ev.DialStarted(T0 + at + 0.001, uid, company, leg, channel, company, uid, manager),
        )
        if queue:
            self.tell(
                ev.AgentCalled(T0 + at + 0.002, uid, company, queue, f"PJSIP/{manager}", "", leg, channel)
            )

    def answers(self, uid: str, leg: str, at: float, manager: str, queue: str = "") -> None:
        company = manager.partition("_")[0]
        self.tell(ev.DialEnded(T0 + at, uid, company, leg, "", "ANSWER"))
        if queue:
            self.tell(
                ev.QueueLeft(T0 + at + 0.001, uid, company, queue),
                ev.AgentConnected(T0 + at + 0.002, uid, company, queue, f"PJSIP/{manager}", "", leg, ""),
            )
        for party in (uid, leg):
            self.enters(party, at + 0.003, f"bridge-{uid}", company)

    def enters(self, uid: str, at: float, bridge: str, company: str = "alpha") -> None:
        self.tell(ev.BridgeEntered(T0 + at, uid, uid, company, "PJSIP/x", bridge, "simple_bridge"))

    def hangs_up(self, uid: str, at: float, company: str = "alpha") -> None:
        self.tell(ev.ChannelClosed(T0 + at, uid, uid, company, "PJSIP/x", 16))
