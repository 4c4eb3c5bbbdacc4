"""Real calls, recorded from a real Asterisk, reduced and stored: the rows tell the day as the board does."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitoring.domain.directory import Directory
from monitoring.domain.facts import CallFact, Fact, VisitFact
from monitoring.domain.switchboard import Switchboard
from monitoring.domain.wire import BoardWire
from monitoring.models import Call, Leg, QueueVisit
from monitoring.pbx.frames import Framer
from monitoring.pbx.normalise import normalise
from monitoring.selectors.standing import manager_counts, queue_counts
from monitoring.services import ingest
from tenants.models import Company
from tenants.scope import company_scope

STREAMS = sorted(path for path in Path(__file__).parents[1].joinpath("ami").glob("*.ami"))
# The recorded companies' rows go to the two the tests have.
HOMES = {"romashka": "alpha", "vektor": "beta"}
EVER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def reduce(stream: Path) -> tuple[dict[str, list[list[Fact]]], dict[str, BoardWire]]:
    """Facts of each company in the batches they were told in, and its board at the end."""
    board = Switchboard("1", {name: Directory(company=name) for name in HOMES})
    framer = Framer()
    told: dict[str, list[list[Fact]]] = {name: [] for name in HOMES}
    data = stream.read_bytes()
    for start in range(0, len(data), 4096):
        for block in framer.feed(data[start : start + 4096]):
            event = normalise(block)
            if event is not None:
                board.feed(event)
        for changes in board.drain():
            told[changes.company].append(list(changes.facts))
    board.finish()
    for changes in board.drain():
        told[changes.company].append(list(changes.facts))
    return told, {name: board.board(name) for name in HOMES}


def rows() -> list[Any]:
    return [
        list(
            Call.objects.order_by("key").values_list(
                "key", "disposition", "started", "ended", "merged_into", "wait_seconds", "talk_seconds"
            )
        ),
        list(
            Leg.objects.order_by("call__key", "uniqueid", "rang").values_list(
                "call__key", "uniqueid", "manager_name", "outcome", "talk_seconds", "hold_seconds"
            )
        ),
        list(
            QueueVisit.objects.order_by("uniqueid", "joined").values_list(
                "uniqueid", "call_key", "queue_name", "joined", "left", "outcome", "wait", "line"
            )
        ),
    ]


def nonzero(counts: dict[str, Any]) -> dict[str, Any]:
    return {
        key: {name: pytest.approx(value, abs=1e-3) for name, value in count.items()}
        for key, count in counts.items()
        if any(count.values())
    }


@pytest.mark.parametrize("stream", STREAMS, ids=lambda path: path.name.removesuffix(".ami"))
def test_rows_tell_the_day_as_the_board_does(alpha: Company, stream: Path) -> None:
    told, boards = reduce(stream)
    for name, home in HOMES.items():
        board = boards[name]
        with company_scope(home):
            for batch in told[name]:
                ingest.store("1", batch)
            assert queue_counts(*EVER) == nonzero(
                {key: queue["today"] for key, queue in board["queue"].items()}
            )
            busy = {
                manager
                for key in board["call"].values()
                for manager in (p["manager"] for p in key["managers"])
            }
            shown = {key: row["today"] for key, row in board["manager"].items() if key not in busy}
            stored = {key: row for key, row in manager_counts(*EVER).items() if key not in busy}
            assert {key: row for key, row in stored.items() if any(row.values())} == nonzero(shown)
            check_invariants()


def check_invariants() -> None:
    """Offered = answered + abandoned + flow-out; talk ≤ call; nobody's company but the call's own."""
    for count in queue_counts(*EVER).values():
        assert count["offered"] == count["answered"] + count["abandoned"] + count["flow_out"]
    for leg in Leg.objects.filter(call__ended__isnull=False).select_related("call"):
        assert leg.call.ended is not None
        assert (
            leg.talk_seconds + leg.hold_seconds <= (leg.call.ended - leg.call.started).total_seconds() + 1e-3
        )


@pytest.mark.parametrize("stream", STREAMS[::7], ids=lambda path: path.name.removesuffix(".ami"))
def test_the_same_facts_twice_and_shuffled_are_the_same_rows(alpha: Company, stream: Path) -> None:
    told, _boards = reduce(stream)
    with company_scope("alpha"):
        for batch in told["romashka"]:
            ingest.store("1", batch)
        expected = rows()
        facts = [
            fact for batch in told["romashka"] for fact in batch if isinstance(fact, CallFact | VisitFact)
        ]
        random.Random(stream.name).shuffle(facts)
        for fact in facts:
            ingest.store("1", [fact])
        assert rows() == expected
        Call.objects.all().delete()
        QueueVisit.objects.all().delete()
        for start in range(0, len(facts), 5):
            ingest.store("1", facts[start : start + 5])
        assert rows() == expected
