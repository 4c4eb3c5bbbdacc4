"""Streams recorded from a real Asterisk: the board they give, against what the scenario really did."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitoring.pbx.replay import replay

from .expected import path, shown
from .streams import names, raw, truth

STREAMS = names()
WHOLE = [name for name in STREAMS if not name.startswith("late_")]
"""Streams that hold their calls from the beginning; what began before a stream does is not invented from it."""
WITH_TRUTH = [name for name in WHOLE if truth(name).get("calls")]


@pytest.mark.parametrize("name", STREAMS)
def test_a_recorded_stream_shows_what_was_reviewed(name: str) -> None:
    assert shown(name) == json.loads(path(name).read_text())


@pytest.mark.parametrize("name", WITH_TRUTH)
def test_a_recorded_stream_shows_what_really_happened(name: str) -> None:
    told = replay(raw(name))
    for company in {call["company"] for call in truth(name)["calls"]}:
        real = [call for call in truth(name)["calls"] if call["company"] == company]
        calls = told["companies"][company]["calls"]
        assert sorted(map(_seen, calls)) == sorted(map(_real, real))
        assert sorted(_visits(told["companies"][company])) == sorted(
            (visit["queue"], visit["outcome"], visit.get("manager", ""))
            for call in real
            for visit in call["queues"]
        )


@pytest.mark.parametrize("name", names("late_snapshot*.ami"))
def test_calls_that_began_before_the_stream_are_found_by_its_first_lists(name: str) -> None:
    calls = replay(raw(name))["companies"]["romashka"]["calls"]
    assert {(c["from"], c["disposition"]) for c in calls} == {
        (call["caller"], call["outcome"]) for call in truth(name)["calls"]
    }


@pytest.mark.parametrize("name", names("late_start*.ami"))
def test_nothing_is_invented_from_the_ends_of_calls_whose_beginnings_were_not_seen(name: str) -> None:
    told = replay(raw(name))["companies"]["romashka"]
    assert told["queue_visits"] == []
    assert [c for c in told["calls"] if c["answered"]] == []
    assert told["board"]["call"] == {}


def _seen(call: dict[str, Any]) -> tuple[Any, ...]:
    answered_by = tuple(sorted(m["manager"] for m in call["managers"] if m["outcome"] == "answered"))
    if call["direction"] == "internal":
        answered_by = tuple(m for m in answered_by if m != call["from"])
    elif call["direction"] == "out":
        answered_by = ()
    # The scenario's list knows only "nobody ever spoke with the caller"; we tell apart who gave up in a queue.
    outcome = (
        "abandoned"
        if (call["direction"], call["disposition"]) == ("in", "no_answer")
        else call["disposition"]
    )
    return (call["direction"], call["from"], call["to"], outcome, answered_by)


def _real(call: dict[str, Any]) -> tuple[Any, ...]:
    answered_by = tuple(sorted(set(call["answered_by"]))) if call["direction"] != "out" else ()
    return (call["direction"], call["caller"], call["dialled"], call["outcome"], answered_by)


def _visits(part: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(visit["queue"], visit["outcome"], visit["manager"]) for visit in part["queue_visits"]]


@pytest.mark.parametrize("name", WHOLE)
def test_queue_visits_equal_queue_log(name: str) -> None:
    """queue_log is an independent witness of who waited where and how it ended; it counts whole seconds.

    Where the scenario itself knows better (a pickup, a redirect out of the queue), queue_log is the one that errs.
    """
    logged = {(row["call"], row["queue"]): row for row in truth(name).get("queue_log", [])}
    really = {(visit["queue"], visit["outcome"], visit.get("manager", "")) for visit in _listed(name)}
    told = replay(raw(name))
    for part in told["companies"].values():
        for visit in part["queue_visits"]:
            row = logged.get((visit["call"].partition(":")[2], visit["queue"]))
            if row is not None and (row["queue"], row["outcome"], row["manager"]) in really:
                assert (visit["outcome"], visit["manager"]) == (row["outcome"], row["manager"])
                assert abs(visit["wait"] - row["wait"]) <= 1.1


@pytest.mark.parametrize("name", [n for n in WHOLE if truth(n).get("bridged") and "attended" not in n])
def test_talk_and_hold_equal_bridge_membership(name: str) -> None:
    """CEL says how long each phone was in a bridge; an attended transfer holds the consultation too."""
    bridged = truth(name)["bridged"]
    told: dict[str, float] = {}
    for part in replay(raw(name))["companies"].values():
        for call in part["calls"]:
            for manager in call["managers"]:
                told[manager["manager"]] = told.get(manager["manager"], 0) + manager["talk"] + manager["hold"]
    for manager, seconds in bridged.items():
        if manager != "trunk":
            assert told.get(manager, 0) == pytest.approx(seconds, abs=0.1)


def _listed(name: str) -> list[dict[str, Any]]:
    return [visit for call in truth(name).get("calls", []) for visit in call["queues"]]


@pytest.mark.parametrize("name", STREAMS)
def test_counts_add_up(name: str) -> None:
    for part in replay(raw(name))["companies"].values():
        for queue in part["board"]["queue"].values():
            today = queue["today"]
            assert today["offered"] == today["answered"] + today["abandoned"] + today["flow_out"]
        for call in part["calls"]:
            if call["ended"] is not None:
                assert sum(m["talk"] + m["hold"] for m in call["managers"] if m) <= len(call["managers"]) * (
                    call["ended"] - call["started"] + 1e-6
                )
