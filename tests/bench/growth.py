"""How the collector's board grows: time per event, per reconcile and memory at 100, 1,000 and 10,000 live calls.

Each size runs in a process of its own, so that memory is the board's and nothing an earlier size left behind.
"""

from __future__ import annotations

import gc
import itertools
import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise

import psutil

from monitoring.domain import events as ev
from monitoring.domain.directory import Directory, GroupEntry, ManagerEntry, QueueEntry, StatusEntry
from monitoring.domain.switchboard import Switchboard
from monitoring.pbx.garbage import look_seldom
from tests.bench.table import Row

SIZES = (100, 1_000, 10_000)
MANAGERS = 5_000
QUEUES = 50
"""Of each company; each with a group of its own."""
WAITING = 0.1
"""Share of the live calls that wait in a queue; the rest talk with somebody."""
COMPANIES = ("alpha", "beta")
TURNS = 1_500
"""Calls that end and begin while the clock runs: some 24,000 events."""
PACE = 1 / 240
"""Seconds of PBX time from one event to the next."""
TICK = 0.05
EPOCH = 1_795_300_000.0

GROWTH = 1.25
"""What one event may cost at ten times the calls, as a share of what it cost: linear in all, with some noise."""


@dataclass(frozen=True, kw_only=True)
class Grown:
    """``event`` in µs with its changes, ``reconcile`` and ``board`` (a snapshot of both companies) in ms."""

    calls: int
    event: float
    reconcile: float
    board: float
    megabytes: float


def rows() -> list[Row]:
    """Each size beside a tenth of it: memory, a reconcile and a snapshot may grow as calls do, an event may not."""
    sizes = [_in_its_own_process(size) for size in SIZES]
    found = []
    for small, large in pairwise(sizes):
        what = f"{large.calls:,} live calls, {MANAGERS:,} managers, beside {small.calls:,}"
        times = large.calls / small.calls
        for name, unit, baseline, ours, most in (
            ("an event and its changes", "µs", small.event, large.event, GROWTH),
            ("a reconcile", "ms", small.reconcile, large.reconcile, times * GROWTH),
            ("a whole snapshot", "ms", small.board, large.board, times * GROWTH),
            ("memory", "MB", small.megabytes, large.megabytes, times * GROWTH),
        ):
            row = Row(
                what=f"{what}: {name}",
                unit=unit,
                baseline=baseline,
                ours=ours,
                ratio=ours / baseline,
                most_ratio=most,
            )
            found.append(row)
    return found


def _in_its_own_process(size: int) -> Grown:
    command = [sys.executable, "-m", __name__, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return Grown(**json.loads(done.stdout))


def measure(size: int) -> Grown:
    look_seldom()  # as in a collector
    before = psutil.Process().memory_info().rss
    room = Room(size)
    for call in room.calls:
        room.feed(room.begins(call))
    room.board.drain()
    began, events = time.process_time(), room.board.events
    for _ in range(TURNS):
        room.feed(room.ends())
        room.feed(room.begins(room.place()))
    room.board.drain()
    spent, told = time.process_time() - began, room.board.events - events
    gc.collect()
    grown = psutil.Process().memory_info().rss - before
    return Grown(
        calls=size,
        event=spent / told * 1e6,
        reconcile=room.reconcile(),
        board=room.whole(),
        megabytes=grown / 2**20,
    )


def directory(company: str) -> Directory:
    numbers = [str(1000 + n) for n in range(MANAGERS // len(COMPANIES))]
    return Directory(
        company,
        groups=tuple(GroupEntry(n, f"Group {n}") for n in range(QUEUES)),
        managers=tuple(
            ManagerEntry(f"{company}_{n}", f"Manager {n}", n, (f"PJSIP/{company}_{n}",), (place % QUEUES,))
            for place, n in enumerate(numbers)
        ),
        queues=tuple(QueueEntry(f"{company}_q{n}", f"Queue {n}", (n,)) for n in range(QUEUES)),
        statuses=(StatusEntry(1, "Available", "available", "green"),),
    )


@dataclass(frozen=True, slots=True)
class Live:
    """One call of the room: who it is, whose, and whether anybody ever answers it."""

    company: str
    caller: str
    leg: str
    manager: str
    queue: str
    answered: bool


class Room:
    """A PBX of two companies that holds ``size`` live calls: each call that ends makes place for another."""

    def __init__(self, size: int) -> None:
        self.board = Switchboard("1", {company: directory(company) for company in COMPANIES})
        self.at = EPOCH
        self._drained = EPOCH
        self._number = itertools.count()
        self._live: deque[Live] = deque()
        self.calls = [self.place() for _ in range(size)]

    def place(self) -> Live:
        n = next(self._number)
        company, place = COMPANIES[n % len(COMPANIES)], n // len(COMPANIES)
        call = Live(
            company=company,
            caller=f"{EPOCH + n:.0f}.{2 * n}",
            leg=f"{EPOCH + n:.0f}.{2 * n + 1}",
            manager=f"{company}_{1000 + place % (MANAGERS // len(COMPANIES))}",
            queue=f"{company}_q{place % QUEUES}",
            # Each time round the queues another tenth of them gets a caller who waits.
            answered=(place + place // QUEUES) % round(1 / WAITING) != 0,
        )
        self._live.append(call)
        return call

    def feed(self, events: Iterator[ev.Event]) -> None:
        for event in events:
            self.board.feed(event)
            if self.at - self._drained > TICK:
                self._drained = self.at
                self.board.drain()

    def _now(self) -> float:
        self.at += PACE
        return self.at

    def begins(self, c: Live) -> Iterator[ev.Event]:
        """Line, queue, a phone rings; most are answered."""
        trunk, phone = f"PJSIP/trunk-{c.caller[-8:]}", f"PJSIP/{c.manager}-{c.leg[-8:]}"
        interface, bridge = f"PJSIP/{c.manager}", f"bridge-{c.caller}"
        yield ev.ChannelOpened(
            self._now(), c.caller, c.caller, c.company, trunk, 4, "79160000000", "Anna", "74950000001", "in"
        )
        yield ev.QueueJoined(
            self._now(), c.caller, c.caller, c.company, trunk, c.queue, 0, "79160000000", "Anna"
        )
        yield ev.ChannelOpened(self._now(), c.leg, c.caller, c.company, phone, 0, c.manager, "", "", "")
        yield ev.DialStarted(self._now(), c.caller, c.company, c.leg, phone, c.company, c.caller, c.manager)
        yield ev.AgentCalled(self._now(), c.caller, c.company, c.queue, interface, "", c.leg, phone)
        yield ev.MemberChanged(self._now(), c.queue, interface, "", False, "", 6)
        if not c.answered:
            return
        yield ev.DialEnded(self._now(), c.caller, c.company, c.leg, phone, "ANSWER")
        yield ev.QueueLeft(self._now(), c.caller, c.company, c.queue)
        yield ev.AgentConnected(self._now(), c.caller, c.company, c.queue, interface, "", c.leg, phone)
        yield ev.MemberChanged(self._now(), c.queue, interface, "", False, "", 2)
        for party in (c.caller, c.leg):
            yield ev.BridgeEntered(self._now(), party, c.caller, c.company, phone, bridge, "simple_bridge")

    def ends(self) -> Iterator[ev.Event]:
        c = self._live.popleft()
        if c.answered:
            for party in (c.caller, c.leg):
                yield ev.BridgeLeft(self._now(), party, c.company, f"bridge-{c.caller}")
        else:
            yield ev.HangupAsked(self._now(), c.caller, c.company)
            yield ev.QueueAbandoned(self._now(), c.caller, c.company, c.queue)
        for party in (c.leg, c.caller):
            yield ev.ChannelClosed(self._now(), party, c.caller, c.company, "", 16)
        yield ev.MemberChanged(self._now(), c.queue, f"PJSIP/{c.manager}", "", False, "", 1)

    def reconcile(self) -> float:
        """Milliseconds the board takes for the PBX's own list of everything, its changes rendered."""
        found = ev.Snapshot(self._now(), tuple(self._listed()), (), tuple(self._members()), (), ())
        began = time.process_time()
        self.board.feed(found)
        self.board.drain()
        return (time.process_time() - began) * 1e3

    def _listed(self) -> Iterator[ev.SnapshotChannel]:
        for c in self._live:
            bridge = f"bridge-{c.caller}" if c.answered else ""
            for party, channel in (
                (c.caller, "PJSIP/trunk-0000"),
                (c.leg, f"PJSIP/{c.manager}-{c.leg[-8:]}"),
            ):
                yield ev.SnapshotChannel(
                    party, c.caller, c.company, channel, 6, "", "", "", "", bridge, "", "", 1.0
                )

    def _members(self) -> Iterator[ev.MemberChanged]:
        seats = {(c.queue, c.manager) for c in self._live}
        return (ev.MemberChanged(self.at, q, f"PJSIP/{m}", "", False, "", 2) for q, m in sorted(seats))

    def whole(self) -> float:
        """Milliseconds for both companies' snapshots."""
        began = time.process_time()
        live = sum(len(self.board.board(company)["call"]) for company in COMPANIES)
        spent = (time.process_time() - began) * 1e3
        assert live == len(self._live), "the board lost or invented calls"
        return spent


if __name__ == "__main__":
    print(json.dumps(asdict(measure(int(sys.argv[1])))))
