"""The collector is killed in the middle of a mixed run and kept away: after reconcile the rows are those of a witness
that was never disturbed.

The witness is the recorder's own AMI session, whose raw bytes go through the reducer; Asterisk's call log, from which
the missing calls are rebuilt, is another account of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ccenter.lab import mixed, witness
from ccenter.lab.sipp import Stage
from monitoring.domain.directory import Directory
from monitoring.domain.facts import CallFact, VisitFact
from monitoring.domain.intervals import total
from monitoring.domain.switchboard import Switchboard
from monitoring.pbx.replay import blocks_of, events_of
from tests.e2e import skew
from tests.e2e.fixtures import Exchange
from tests.e2e.stack import COMPANIES, DIRECTED, PBX, Stack, until
from tests.faults.counting import counted_twice
from tests.figures import Figure

pytestmark = [pytest.mark.real, pytest.mark.browser]

NEAR = 0.05
AWAY = 10.0
CALLS = """
    SELECT key, direction, number, disposition, hung_up_by, extract(epoch FROM started)::float8,
           extract(epoch FROM ended)::float8, talk_seconds, wait_seconds
      FROM monitoring_call WHERE merged_into = '' AND started >= to_timestamp(%s) ORDER BY key
"""
LEGS = """
    SELECT c.key, l.uniqueid, l.manager_name, l.queue_name, l.outcome, l.talk_seconds, l.hold_seconds
      FROM monitoring_leg l JOIN monitoring_call c ON c.id = l.call_id
     WHERE c.merged_into = '' AND c.started >= to_timestamp(%s) ORDER BY 1, 2
"""
VISITS = """
    SELECT call_key, uniqueid, queue_name, outcome, reason, manager_name, extract(epoch FROM joined)::float8, wait
      FROM monitoring_queuevisit WHERE joined >= to_timestamp(%s) ORDER BY 2, 3, 7
"""
WINDOWS = """
    SELECT state, cause, extract(epoch FROM ended - began)::float8, found, added, corrected, details
      FROM monitoring_blindwindow WHERE began >= to_timestamp(%s)
"""


def no_matter_who(calls: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Who hung up first, when both ends go within a moment, the log tells by the order of its rows alone."""
    return [(*call[:4], "", *call[5:]) for call in calls]


def by_joining(visits: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """One call may come to one queue twice."""
    return sorted(visits, key=lambda visit: (visit[1], visit[2], visit[6]))


def in_vain(legs: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Why a phone rang in vain the log does not say (docs/adr/0012): rung out or given up by the caller is one here."""
    return [(*leg[:4], "in vain" if leg[4] in ("missed", "cancelled") else leg[4], *leg[5:]) for leg in legs]


@pytest.fixture
def everybody(stack: Stack) -> Iterator[None]:
    """The phones with addresses of their own behave like all the others of the run."""
    with Stage(stack.instance.ports.sip, logs=False) as stage:
        for host in DIRECTED.values():
            stage.phones(mixed.MANAGERS, stack.instance.ports.phones, host)
        yield


class Witness:
    """What the recorder's bytes tell of all calls begun since ``began``."""

    def __init__(self, data: bytes, began: float) -> None:
        board = Switchboard(PBX, {company: Directory(company) for company in COMPANIES})
        for event in events_of(blocks_of(data)):
            board.feed(event)
        board.finish()
        self.calls: dict[str, CallFact] = {}
        self.visits: dict[tuple[str, str, float], VisitFact] = {}
        for changes in board.drain():
            for fact in changes.facts:
                if isinstance(fact, CallFact) and fact.started >= began:
                    self.calls[fact.key] = fact
                elif isinstance(fact, VisitFact) and fact.joined >= began:
                    self.visits[fact.uniqueid, fact.queue, fact.joined] = fact
        self.calls = {key: fact for key, fact in self.calls.items() if not fact.merged_into}

    def call_rows(self) -> list[tuple[Any, ...]]:
        return sorted(
            (
                fact.key, fact.direction, fact.number, fact.disposition, fact.hung_up_by, fact.started, fact.ended,
                sum(total((a, b) for a, b in leg.talk if b is not None) for leg in fact.legs) + 0.0,
                sum(visit.wait for visit in self.visits.values() if visit.call == fact.key) + 0.0,
            )
            for fact in self.calls.values()
        )  # fmt: skip

    def leg_rows(self) -> list[tuple[Any, ...]]:
        return sorted(
            (
                fact.key, leg.uniqueid, leg.manager, leg.queue, leg.outcome,
                total((a, b) for a, b in leg.talk if b is not None) + 0.0,
                total((a, b) for a, b in leg.hold if b is not None) + 0.0,
            )
            for fact in self.calls.values()
            for leg in fact.legs
        )  # fmt: skip

    def visit_rows(self) -> list[tuple[Any, ...]]:
        return [
            (v.call, v.uniqueid, v.queue, v.outcome, v.reason, v.manager, v.joined, v.wait)
            for _, v in sorted(self.visits.items())
        ]


def unlike(
    stored: list[tuple[Any, ...]], real: list[tuple[Any, ...]], near: float
) -> tuple[list[Any], float]:
    """Rows that differ, by words or by more seconds than ``near``; and the most seconds among those that do not."""
    wrong: list[Any] = []
    worst = 0.0
    if len(stored) != len(real):
        keys, others = {row[:2] for row in stored}, {row[:2] for row in real}
        wrong.append(f"{len(stored)} rows instead of {len(real)}: {sorted(keys ^ others)}")
    theirs = {row[:3] if len(row) == 8 else row[:2]: [] for row in real}
    for row in real:
        theirs[row[:3] if len(row) == 8 else row[:2]].append(row)
    for row in stored:
        twins = theirs.get(row[:3] if len(row) == 8 else row[:2], [])
        twin = twins.pop(0) if twins else None
        if twin is None or [v for v in row if not isinstance(v, float)] != [
            v for v in twin if not isinstance(v, float)
        ]:
            wrong.append((row, twin))
            continue
        apart = max(abs(a - b) for a, b in zip(row, twin, strict=True) if isinstance(a, float))
        if apart > near:
            wrong.append((row, twin))
        worst = max(worst, apart)
    return wrong, worst


def rows(stack: Stack, query: str, since: float) -> list[tuple[Any, ...]]:
    return sorted(row for company in COMPANIES for row in stack.rows(company, query, since))


@pytest.mark.usefixtures("everybody", "worker")
def test_what_a_killed_collector_missed_is_there_after_reconcile(
    stack: Stack, exchange: Exchange, figure: Figure
) -> None:
    exchange.hang_up()
    played: list[mixed.MixedRun] = []
    began = time.time() - 0.5
    run = threading.Thread(
        target=lambda: played.append(mixed.play(stack.instance, stack.plan, calls=60, every=0.4))
    )
    run.start()
    time.sleep(9.0)
    killed = time.monotonic()
    stack.collector.kill()
    stack.collector.wait(5)
    before = len(rows(stack, CALLS, began))
    time.sleep(AWAY)
    assert len(rows(stack, CALLS, began)) == before, "nobody listens"
    stack.collector = stack.start_collector("revived")
    until(lambda: stack.link()["state"] == "connected", 60, what="the new collector is connected")
    away = time.monotonic() - killed
    run.join(120)
    assert played
    quiet = time.monotonic()
    until(
        lambda: (found := rows(stack, WINDOWS, began - 60)) and {row[0] for row in found} == {"reconciled"},
        60,
        what="every window is filled",
    )
    settled = time.monotonic() - quiet
    # The collector looks for filled windows once a minute.
    recounted = until(lambda: counted_twice(stack) == [], 150, what="the boards count what was filled in")
    windows = rows(stack, WINDOWS, began - 60)
    assert len(windows) == len(COMPANIES), "one row for one window"
    assert {row[1] for row in windows} == {"unwatched"}

    heard = Witness(stack.recorder.bytes(), began)
    # What was missed is told by the log, what the witness heard by AMI: twice the skew, for a span has two ends.
    apart = skew.skew_of(stack.recorder.bytes(), witness.cel(stack.instance.witness), since=began)
    assert apart < skew.MOST, "too busy a machine to compare Asterisk's two stories"
    near = NEAR + 2 * apart
    wrong_calls, _ = unlike(no_matter_who(rows(stack, CALLS, began)), no_matter_who(heard.call_rows()), near)
    wrong_legs, talk = unlike(in_vain(rows(stack, LEGS, began)), in_vain(heard.leg_rows()), near)
    wrong_visits, wait = unlike(by_joining(rows(stack, VISITS, began)), by_joining(heard.visit_rows()), near)
    wrong = [*wrong_calls, *wrong_legs, *wrong_visits]
    assert wrong == [], "\n".join(map(str, wrong))
    missed = sum(row[4] for row in windows)
    corrected = sum(row[5] for row in windows)
    assert missed >= 5
    assert corrected >= 1
    figure("collector killed (-9) in a mixed run and kept away", f"{away:.1f} s deaf", "~10 s and its start")
    figure("calls nobody heard, added from the PBX's log", f"{missed} of {len(heard.calls)}", "all")
    figure("calls half heard, corrected", str(corrected), "all")
    figure(
        "rows after reconcile against an undisturbed witness",
        f"{len(heard.calls)} calls, {len(heard.leg_rows())} legs, {len(heard.visits)} visits equal",
        "equal",
    )
    figure("largest difference of a talk / a wait", f"{talk:.3f} s / {wait:.3f} s", f"≤ {near:.2f} s")
    figure("by which AMI and CEL differ about one moment", f"{apart:.3f} s", "")
    figure("today's counts on the boards follow what was filled in", f"{recounted:.0f} s later", "≤ 150 s")
    figure("window settled after the last call's end", f"{settled:.1f} s", "≤ 60 s")
