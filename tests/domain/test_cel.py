"""Calls rebuilt from Asterisk's call event log are those the collector heard: same legs, talk, visits, outcomes.

Each recording holds both accounts of the same calls, made on a real Asterisk.
"""

from __future__ import annotations

import random

import pytest

from monitoring.domain import cel
from tests.domain.recorded_cel import Pair, differences, names, pair, rows

# The phone behind a Local pair that sent its call on is told by AMI as who hung up; the log names who really did.
KNOWN = {"local_refer_queue": ["hung_up_by 'romashka_101' / 'romashka_104'"]}


@pytest.mark.parametrize("name", names())
def test_the_log_tells_the_same_calls_as_the_collector_heard(name: str) -> None:
    both = pair(name)
    assert both.heard.calls
    told = [text.partition(": ")[2] for text in differences(both.heard, both.read)]
    assert told == KNOWN.get(name, [])


def test_every_shape_the_log_must_tell_is_recorded() -> None:
    assert {
        "queue_answered", "queue_abandoned", "queue_timeout", "ringall_many_legs", "blind_refer_queue",
        "attended_keys", "attended_replaces", "pickup", "pickup_queue", "outgoing_answered", "internal_answered",
        "hold", "local_member", "listen", "two_companies",
    } <= set(names())  # fmt: skip


@pytest.mark.parametrize("name", names())
def test_rows_that_come_in_another_order_tell_the_same(name: str) -> None:
    # Rows of one moment keep their order: it is all that says which of them came first.
    as_written = rows(name)
    shuffled = sorted(as_written, key=lambda row: random.Random(row.at).random())
    assert list(cel.events(shuffled)) == list(cel.events(as_written))


def test_two_companies_stay_apart() -> None:
    both: Pair = pair("two_companies")
    assert len(both.read.boards) == 2
    keys = {company: set(board["call"]) for company, board in both.read.boards.items()}
    assert keys == {company: set(board["call"]) for company, board in both.heard.boards.items()}


def test_channels_of_one_journey_are_one_family_though_their_linkedid_changed() -> None:
    told = rows("attended_replaces")
    families = cel.families(told)
    assert len({row.linkedid for row in told}) > 1
    assert len(set(families.values())) == 1
    assert len(set(cel.families(rows("two_companies")).values())) > 1


def test_what_began_and_of_which_no_end_is_written_is_known() -> None:
    told = rows("queue_answered")
    assert cel.unended(told) == frozenset()
    first_half = told[: len(told) // 2]
    assert cel.unended(first_half) == {row.uniqueid for row in first_half}


@pytest.mark.parametrize(
    "extra", ["", "{", "[]", '"x"', '{"hangupcause":"x","hangupsource":7}', "\x00", "9" * 10_000]
)
def test_a_row_with_a_strange_extra_breaks_nothing(extra: str) -> None:
    told = [row._replace(extra=extra) for row in rows("blind_refer_queue")]
    assert list(cel.events(told))


def test_any_rows_missing_break_nothing() -> None:
    told = rows("ringall_many_legs") + rows("attended_keys") + rows("park_and_retrieve")
    dice = random.Random(5)
    for _ in range(200):
        kept = [row for row in told if dice.random() < 0.7]
        assert sum(1 for _ in cel.events(kept)) >= len(
            {row.uniqueid for row in kept if row.kind == "CHAN_START"}
        )
