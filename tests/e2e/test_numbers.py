"""Sixty calls of every shape: our numbers against Asterisk's own books, which neither AMI nor our reducer wrote.

queue_log is right about queue visits (in whole seconds); who talked how long only bridge membership (CEL) knows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from ccenter.lab import mixed, witness
from ccenter.lab.sipp import Stage
from tests.e2e.fixtures import Exchange
from tests.e2e.stack import COMPANIES, DIRECTED, Stack, until
from tests.figures import Figure

pytestmark = [pytest.mark.real, pytest.mark.browser]

VISITS = """
    SELECT uniqueid, queue_name, outcome, manager_name, wait FROM monitoring_queuevisit
    WHERE joined >= to_timestamp(%s) ORDER BY joined
"""
TALKS = """
    SELECT manager_name, sum(talk_seconds + hold_seconds) FROM monitoring_leg
    JOIN monitoring_call c ON c.id = call_id WHERE c.started >= to_timestamp(%s) GROUP BY 1
"""


def counts(stack: Stack) -> Counter[tuple[str, str]]:
    """Today's counts of every queue on the boards."""
    found: Counter[tuple[str, str]] = Counter()
    for company in COMPANIES:
        for key, queue in stack.board(company)["queue"].items():
            for name in ("offered", "answered", "abandoned", "flow_out"):
                found[key, name] = queue["today"][name]
    return found


@pytest.fixture
def everybody(stack: Stack) -> Iterator[None]:
    """The phones with addresses of their own behave like all the others of the run."""
    with Stage(stack.instance.ports.sip, logs=False) as stage:
        for host in DIRECTED.values():
            stage.phones(mixed.MANAGERS, stack.instance.ports.phones, host)
        yield


@pytest.mark.usefixtures("everybody")
def test_sixty_mixed_calls_count_as_asterisk_itself_counted_them(
    stack: Stack, exchange: Exchange, figure: Figure
) -> None:
    before = counts(stack)
    run = mixed.play(stack.instance, stack.plan, calls=60, every=0.3)
    logged = {(v.call, v.queue, v.joined): v for v in run.visits}
    assert len(run.visits) >= 30
    assert not [v for v in run.visits if v.outcome == "open"]

    until(
        lambda: sum(len(stack.rows(c, VISITS, run.began)) for c in COMPANIES) >= len(logged),
        8,
        what="visits stored",
    )
    stack.check_history()
    visits = [row for company in COMPANIES for row in stack.rows(company, VISITS, run.began)]
    compared = compare_visits(visits, run)

    now = counts(stack)
    now.subtract(before)
    real: Counter[tuple[str, str]] = Counter()
    words = {"answered": "answered", "abandoned": "abandoned", "flow-out": "flow_out"}
    for visit in run.visits:
        real[visit.queue, "offered"] += 1
        real[visit.queue, words[visit.outcome]] += 1
    assert {key: n for key, n in now.items() if n} == dict(real)

    worst = compare_talks(stack, run)
    stored = sum(
        stack.rows(
            c, "SELECT count(*) FROM monitoring_call WHERE started >= to_timestamp(%s)", run.began - 1
        )[0][0]
        for c in COMPANIES
    )
    assert stored == len(run.placed)
    figure(
        "60 mixed calls against queue_log and bridge membership",
        f"{stored} calls, {compared} visits equal, talk within {worst:.2f} s",
        "equal",
    )


def compare_visits(rows: list[tuple[Any, ...]], run: mixed.MixedRun) -> int:
    """Each visit's outcome, manager and wait; a caller may come to the same queue twice, hence in order."""
    ours: dict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
    theirs: dict[tuple[str, str], list[witness.Visit]] = defaultdict(list)
    for uniqueid, queue, *rest in rows:
        ours[uniqueid, queue].append(tuple(rest))
    for visit in run.visits:
        theirs[visit.call, visit.queue].append(visit)
    assert {key: len(some) for key, some in ours.items()} == {key: len(some) for key, some in theirs.items()}
    for key, visits in theirs.items():
        for (outcome, manager, wait), visit in zip(ours[key], visits, strict=True):
            assert (outcome, manager) == (visit.outcome, visit.manager), key
            assert abs(wait - visit.wait) <= 1.1, key  # queue_log counts whole seconds
    return len(run.visits)


def compare_talks(stack: Stack, run: mixed.MixedRun) -> float:
    """Everybody's seconds in bridges; returns the worst difference."""
    real = {
        name: seconds
        for name, seconds in witness.talk_by_endpoint(run.stays).items()
        if name.partition("_")[2]
    }
    ours: dict[str, float] = {
        name: total for c in COMPANIES for name, total in stack.rows(c, TALKS, run.began - 1) if total
    }
    apart = {name: abs(ours.get(name, 0.0) - real.get(name, 0.0)) for name in real.keys() | ours.keys()}
    assert {name: (ours.get(name), real.get(name)) for name, by in apart.items() if by > 0.3} == {}
    assert real
    return max(apart.values())
