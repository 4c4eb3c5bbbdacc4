"""Two hundred calls of every shape: our numbers against Asterisk's own books, which neither AMI nor our reducer wrote.

queue_log is right about queue visits (in whole seconds); who talked how long only bridge membership (CEL) knows; who
called whom the scenario itself knows; whose voice is in a recording its pitch tells: each caller speaks in a tone.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ccenter.lab import mixed, speech, witness
from ccenter.lab.customers import Planned
from ccenter.lab.sipp import Stage
from ccenter.lab.witness import Stay
from tests.e2e.seeding import WRAP_UP
from tests.e2e.skew import skew_of
from tests.e2e.stack import COMPANIES, DIRECTED, Stack, until
from tests.figures import Figure
from tests.recordings.sounds import decoded, rms

pytestmark = [pytest.mark.real, pytest.mark.browser]

CALLS = 200
LOWEST, APART, ANSWERS = (
    300.0,
    10.0,
    2600.0,
)  # hertz: the first caller's voice, the next one's, everybody's who is called
INWARD = ("queue", "impatient", "leaver", "menu", "menu_silent", "direct")

VISITS = """
    SELECT uniqueid, queue_name, outcome, manager_name, wait FROM monitoring_queuevisit
    WHERE joined >= to_timestamp(%s) ORDER BY joined
"""
PLACED = """
    SELECT direction, number, line FROM monitoring_call
     WHERE merged_into = '' AND started >= to_timestamp(%s) AND ended IS NOT NULL
"""
TALKS = """
    SELECT l.manager_name, l.talk_seconds + l.hold_seconds FROM monitoring_leg l
      JOIN monitoring_call c ON c.id = l.call_id
     WHERE c.started >= to_timestamp(%s) AND l.talk_seconds + l.hold_seconds > 0 ORDER BY l.answered
"""
LEGS = """
    SELECT l.manager_name, l.queue_name, extract(epoch FROM l.ended)::float8, extract(epoch FROM l.booked)::float8,
           l.wrap_up_seconds, l.talk
      FROM monitoring_leg l JOIN monitoring_call c ON c.id = l.call_id
     WHERE c.started >= to_timestamp(%s) AND l.answered IS NOT NULL ORDER BY l.ended
"""
LOST = """
    SELECT l.number, l.state, l.excuse, l.owner_id IS NOT NULL, l.deadline > l.lost_at
      FROM monitoring_lostcall l JOIN monitoring_call c ON c.id = l.call_id WHERE c.started >= to_timestamp(%s)
"""
RECORDINGS = """
    SELECT c.number, c.direction, r.state, r.file, r.seconds, extract(epoch FROM c.ended - c.started)::float8
      FROM monitoring_recording r LEFT JOIN monitoring_call c ON c.id = r.call_id
     WHERE r.started >= to_timestamp(%s)
"""
RECORDED = """
    SELECT number, recorded FROM monitoring_call
     WHERE started >= to_timestamp(%s) AND talk_seconds > 0 AND merged_into = '' AND direction <> 'internal'
"""
DEAF = (
    "SELECT cause, began, ended FROM monitoring_blindwindow WHERE ended IS NULL OR ended > to_timestamp(%s)"
)
BUILT = "SELECT until >= to_timestamp(%s) FROM monitoring_built"


@dataclass(frozen=True)
class Day:
    """The run, and what was on the boards and in the reports before it. ``skew``: see tests.e2e.skew."""

    run: mixed.MixedRun
    boards: Counter[tuple[str, str]]
    told: dict[str, Any]
    skew: float = 0.0

    @property
    def since(self) -> float:
        return self.run.began - 1

    def planned(self, *shapes: str) -> Iterator[Planned]:
        return (call for _at, call in self.run.placed if call.shape in shapes)


def counts(stack: Stack) -> Counter[tuple[str, str]]:
    """Today's counts of every queue on the boards."""
    found: Counter[tuple[str, str]] = Counter()
    for company in COMPANIES:
        for key, queue in stack.board(company)["queue"].items():
            for name in ("offered", "answered", "abandoned", "flow_out"):
                found[key, name] = queue["today"][name]
    return found


def asked(stack: Stack) -> dict[str, Any]:
    return {company: json.loads(stack.tell("tests.e2e.asked", company)) for company in COMPANIES}


def stored(stack: Stack, query: str, *values: object) -> list[tuple[Any, ...]]:
    return [row for company in COMPANIES for row in stack.rows(company, query, *values)]


@pytest.fixture(scope="module")
def day(stack: Stack, worker: None, tmp_path_factory: pytest.TempPathFactory) -> Day:
    tones = tmp_path_factory.mktemp("tones")
    voices = [speech.tone(tones / f"{n}.al", LOWEST + APART * n) for n in range(CALLS)]
    answers = speech.tone(tones / "answers.al", ANSWERS)
    told, boards = asked(stack), counts(stack)
    with Stage(stack.instance.ports.sip, logs=False) as stage:
        # The phones with addresses of their own behave like all the others of the run.
        for host in DIRECTED.values():
            stage.phones(replace(mixed.MANAGERS, speech=answers), stack.instance.ports.phones, host)
        run = mixed.play(stack.instance, stack.plan, calls=CALLS, every=0.3, voices=voices, answers=answers)
    # How soon is told by tests of their own; a busy machine may take its time here.
    until(
        lambda: len(stored(stack, PLACED, run.began - 1)) >= CALLS, 60, what="every call is stored as ended"
    )
    deaf = stored(stack, DEAF, run.began)
    assert deaf == [], "a collector that is cut off tells the test of another one (tests/faults)"
    cel = witness.cel(stack.instance.witness)
    return Day(run, boards, told, skew_of(stack.recorder.bytes(), cel, since=run.began))


def test_every_call_of_the_scenario_is_stored_once(stack: Stack, day: Day, figure: Figure) -> None:
    stack.check_history()
    planned = Counter(
        ("in", call.caller.number, call.caller.dials)
        if call.shape in INWARD
        else ("out" if call.shape == "outgoing" else "internal", call.caller.dials, None)
        for _at, call in day.run.placed
    )
    real = Counter(
        (direction, number, line if direction == "in" else None)
        for direction, number, line in stored(stack, PLACED, day.since)
    )
    assert real == planned
    kinds = Counter(call.shape for _at, call in day.run.placed)
    figure("calls of the mixed run, each stored once as it was placed", f"{sum(real.values())}", str(CALLS))
    figure("of which", ", ".join(f"{kind} {n}" for kind, n in kinds.most_common()), "")


def test_every_queue_visit_is_as_asterisk_logged_it(stack: Stack, day: Day, figure: Figure) -> None:
    run = day.run
    assert len(run.visits) >= CALLS // 2
    assert not [v for v in run.visits if v.outcome == "open"]
    compared = compare_visits(stored(stack, VISITS, run.began), day)
    now = counts(stack)
    now.subtract(day.boards)
    assert {key: n for key, n in now.items() if n} == dict(logged(run))
    outcomes = Counter(visit.outcome for visit in run.visits)
    assert min(outcomes[outcome] for outcome in ("answered", "abandoned", "flow-out")) > 0
    shared = [m for m, queues in in_queues(stack).items() if len(queues) > 1]
    assert {visit.manager for visit in run.visits} & set(shared), "somebody of two queues took calls"
    figure("queue visits equal to queue_log", f"{compared}: {dict(outcomes)}", "all equal")


def test_every_second_of_talk_is_as_the_bridges_tell_it(stack: Stack, day: Day, figure: Figure) -> None:
    seconds, worst = compare_talks(stack, day)
    figure("seconds in bridges, talk by talk", f"{seconds:.0f} s, worst {worst:.2f} s apart", "≤ 0.3 s")
    figure("by which AMI and CEL differ about one moment", f"{day.skew:.2f} s", "")


class WrapUps(NamedTuple):
    """``wrong``: (who, ended, wrap-up, seconds until the next talk) that do not fit; ``seen``: how many there were."""

    wrong: list[tuple[Any, ...]]
    seen: int


def wrap_ups(stack: Stack, day: Day) -> WrapUps:
    by_person: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for leg in stack.rows("romashka", LEGS, day.since):
        by_person[leg[0]].append(leg)
    wrong, seen = list[tuple[Any, ...]](), 0
    for legs in by_person.values():
        for (name, queue, ended, booked, wrap_up, _talk), after in pairwise([*legs, None]):
            begins = [begin for begin, _end in after[5]] if after else []
            soon = min(begins, default=ended + WRAP_UP) - ended
            due = min(WRAP_UP, soon) if queue == "romashka_support" else 0
            # Somebody rung within the wrap-up may pick up at any moment of it.
            fits = wrap_up == pytest.approx(due, abs=0.3) or (
                due and soon < WRAP_UP and wrap_up <= WRAP_UP + 0.01
            )
            if not fits or booked != pytest.approx(ended + wrap_up, abs=0.01):
                wrong.append((name, ended, wrap_up, soon))
            seen += wrap_up > 0
    return WrapUps(wrong, seen)


def test_wrap_up_follows_a_talk_until_its_time_is_over_or_the_next_talk(
    stack: Stack, day: Day, figure: Figure
) -> None:
    # On a PBX that fell silent the last ones end when its lists are looked at again, every 20 s.
    until(lambda: not wrap_ups(stack, day).wrong, 45, what="every wrap-up has its time")
    seen = wrap_ups(stack, day).seen
    assert seen >= 10
    figure("wrap-ups of the run", f"{seen} of {WRAP_UP} s", "after each queue talk")


def test_reports_say_what_queue_log_and_bridges_say_from_rows_and_from_sums(
    stack: Stack, day: Day, figure: Figure
) -> None:
    half_hour = time.time() // 1800 * 1800
    waited = until(lambda: stored(stack, BUILT, half_hour) == [(True,)] * 2, 60, what="the sums are built")
    until(
        lambda: (
            not stored(
                stack, "SELECT 1 FROM monitoring_autointerval WHERE kind = 'wrap_up' AND ended IS NULL"
            )
        ),
        40,  # of a quiet PBX the next look at its lists tells the time
        what="wrap-ups have ended",
    )
    told = asked(stack)
    compared = 0
    for answers in (split for company in told.values() for split in company.values()):
        assert (answers["rows"]["source"], answers["sums"]["source"]) == ("raw", "rollup")
        for key in answers["rows"]["total"]:
            # Who is available or away grows while we ask; all else of the past stands still.
            if not key.startswith("status:") and key in STANDING:
                compared += same(answers, "total", key)
                for row in answers["rows"]["rows"]:
                    compared += same(answers, "rows", row, key)
    visits: Counter[tuple[str, str]] = Counter()
    talks = 0.0
    for company in COMPANIES:
        titles = dict(stack.rows(company, "SELECT id::text, pbx_name FROM monitoring_queue"))
        for which, sign in ((told, 1), (day.told, -1)):
            for queue, row in which[company]["queue"]["sums"]["rows"].items():
                for name in ("offered", "answered", "abandoned", "flow_out"):
                    visits[titles[queue], name] += sign * round(row.get(name, 0))
            total = which[company]["manager"]["sums"]["total"]
            talks += sign * (total["talk_in"] + total["talk_out"] + total["hold"])
    assert {key: n for key, n in visits.items() if n} == dict(logged(day.run))
    real = sum(bridged(day.run).values())
    assert (
        0 < talks <= real + 0.5
    )  # the company's own talks among themselves are in bridges, but nobody's customers
    figure("raw counts of reports: from rows = asked now = from sums", f"{compared} counts", "equal")
    figure("sums built by the stack's own worker", f"{waited:.0f} s after the run", "≤ 60 s")


def test_whoever_nobody_answered_is_to_be_called_back(stack: Stack, day: Day, figure: Figure) -> None:
    rows = witness.cel(stack.instance.witness)
    numbers = {
        row["uniqueid"]: row["number"]
        for row in rows
        if row["channel"].startswith("PJSIP/trunk-") and row["event"] == "line"
    }
    spoken = {numbers[stay.uniqueid] for stay in day.run.stays if stay.uniqueid in numbers}
    unanswered = {call.caller.number for call in day.planned(*INWARD)} - spoken
    lost = {number: rest for number, *rest in stored(stack, LOST, day.since)}
    assert set(lost) == unanswered
    assert len(lost) >= 5
    for number, (state, excuse, owned, later) in lost.items():
        assert later, number
        assert (state, owned) == ("open", True) if not excuse else (state == "not_needed"), number
    open_ones = sum(state == "open" for state, *_rest in lost.values())
    figure(
        "callers nobody answered: the scenario's and the portal's", f"{len(lost)}, {open_ones} to call back", "equal"
    )  # fmt: skip


def test_each_recording_is_audible_and_of_its_own_call(stack: Stack, day: Day, figure: Figure) -> None:
    def waiting() -> list[Any]:
        return [number for number, recorded in stored(stack, RECORDED, day.since) if not recorded]

    waited = until(lambda: not waiting(), 60, what="the recordings are stored")
    pitch = {
        call.caller.number: LOWEST + APART * n
        for n, (_at, call) in enumerate(day.run.placed)
        if call.shape in INWARD
    }
    quietest, worst, heard = 32768.0, 0.0, 0
    found = stored(stack, RECORDINGS, day.since)
    assert {state for _n, _d, state, *_rest in found} == {"stored"}
    for number, direction, _state, file, seconds, length in found:
        customer, company = decoded(stack.folder / "recordings" / "kept" / Path(file))
        quietest = min(quietest, rms(customer), rms(company))
        assert seconds <= length + 1.5, number
        if direction != "in" or seconds < 2:
            continue
        apart = abs(pitch_of(customer) - pitch[number])
        assert apart < APART / 2, f"{number} speaks at {pitch[number]} Hz, heard {pitch_of(customer)}"
        worst, heard = max(worst, apart), heard + 1
    assert quietest > 500
    assert heard > CALLS // 3
    figure("recordings stored after the run's end", f"{waited:.0f} s", "≤ 60 s")
    figure(
        "recordings: quietest channel; callers known by their voice",
        f"{len(found)} with RMS ≥ {quietest:.0f}; {heard} within {worst:.1f} Hz", f"RMS > 500; < {APART / 2:.0f} Hz",
    )  # fmt: skip


def pitch_of(samples: Any, rate: int = 8000) -> float:
    """Hertz of a steady tone, by the middle one of its half seconds (packets are late now and then)."""
    found = []
    for start in range(0, len(samples) - rate // 2, rate // 2):
        part = samples[start : start + rate // 2]
        if rms(part) < 3000:
            continue
        ups = [n - a / (a - b) for n, (a, b) in enumerate(pairwise(part)) if b <= 0 < a or a <= 0 < b]
        found.append((len(ups) - 1) / 2 / (ups[-1] - ups[0]) * rate)
    return sorted(found)[len(found) // 2] if found else 0.0


STANDING = {
    "offered", "answered", "answered_within", "abandoned", "short_abandoned", "flow_out", "wait_answered",
    "wait_abandoned", "calls_in", "calls_in_answered", "calls_in_lost", "calls_out", "calls_out_answered",
    "calls_internal", "rung", "handled", "handled_in", "handled_out", "missed", "outgoing", "talk_in", "talk_out",
    "hold", "wrap_up", "lost_calls", "called_back", "called_back_in_time", "lost_closed_by_person", "lost_open",
}  # fmt: skip


def same(answers: dict[str, Any], *path: str) -> int:
    """Asked now, from rows, from sums; how many counts were compared (one)."""
    found = []
    for way in ("rows", "now", "sums"):
        value = answers[way]
        for name in path:
            value = value.get(name, {} if name != path[-1] else 0.0)
        found.append(value)
    assert found == pytest.approx([found[0]] * 3, abs=0.01), path
    return 1


def logged(run: mixed.MixedRun) -> Counter[tuple[str, str]]:
    """(queue, what) → how often, by queue_log."""
    words = {"answered": "answered", "abandoned": "abandoned", "flow-out": "flow_out"}
    real: Counter[tuple[str, str]] = Counter()
    for visit in run.visits:
        real[visit.queue, "offered"] += 1
        real[visit.queue, words[visit.outcome]] += 1
    return real


def in_queues(stack: Stack) -> dict[str, set[str]]:
    """Manager → the queues that ring them."""
    found: dict[str, set[str]] = defaultdict(set)
    for company in stack.plan.companies:
        for queue in company.queues:
            for member in queue.members:
                found[company.endpoint(member)].add(queue.name)
    return found


def compare_visits(rows: list[tuple[Any, ...]], day: Day) -> int:
    """Each visit's outcome, manager and wait; a caller may come to the same queue twice, hence in order."""
    ours: dict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
    theirs: dict[tuple[str, str], list[witness.Visit]] = defaultdict(list)
    for uniqueid, queue, *rest in rows:
        ours[uniqueid, queue].append(tuple(rest))
    for visit in day.run.visits:
        theirs[visit.call, visit.queue].append(visit)
    assert {key: len(some) for key, some in ours.items()} == {key: len(some) for key, some in theirs.items()}
    for key, visits in theirs.items():
        for (outcome, manager, wait), visit in zip(ours[key], visits, strict=True):
            assert (outcome, manager) == (visit.outcome, visit.manager), key
            assert abs(wait - visit.wait) <= 1.1 + 2 * day.skew, key  # queue_log counts whole seconds
    return len(day.run.visits)


def bridged(run: mixed.MixedRun) -> dict[str, float]:
    """Endpoint of a person → seconds in bridges."""
    return {
        name: seconds
        for name, seconds in witness.talk_by_endpoint(run.stays).items()
        if name.partition("_")[2]
    }


def talks(run: mixed.MixedRun) -> dict[str, list[float]]:
    """Endpoint of a person → seconds in bridges of each channel they had, in order."""
    channels: dict[tuple[str, str], list[Stay]] = defaultdict(list)
    for stay in run.stays:
        name = stay.channel.removeprefix("PJSIP/").rpartition("-")[0]
        if stay.channel.startswith("PJSIP/") and name.partition("_")[2] and stay.left > stay.entered:
            channels[name, stay.uniqueid].append(stay)
    found: dict[str, list[float]] = defaultdict(list)
    for (name, _channel), stays in sorted(channels.items(), key=lambda item: min(s.entered for s in item[1])):
        found[name].append(sum(stay.left - stay.entered for stay in stays))
    return found


def compare_talks(stack: Stack, day: Day) -> tuple[float, float]:
    """Everybody's talks one by one; returns their seconds and the worst difference.

    Not everybody's sum: AMI stamps an event when it tells it, and what it is late by adds up with every talk.
    """
    real = talks(day.run)
    ours: dict[str, list[float]] = defaultdict(list)
    for name, seconds in stored(stack, TALKS, day.since):
        ours[name].append(seconds)
    assert {name: len(each) for name, each in ours.items()} == {
        name: len(each) for name, each in real.items()
    }
    pairs = [(name, *pair) for name in real for pair in zip(ours[name], real[name], strict=True)]
    assert [pair for pair in pairs if abs(pair[1] - pair[2]) > 0.3 + 2 * day.skew] == []
    assert len(pairs) > CALLS // 3
    return sum(pair[2] for pair in pairs), max(abs(pair[1] - pair[2]) for pair in pairs)
