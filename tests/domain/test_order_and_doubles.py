"""Events that come twice and neighbours that swap places change nothing: same boards, same facts."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from monitoring.domain.events import Event

from .streams import Told, companies, events, furnished, names

STREAMS = [
    n for n in names("*.filtered.ami") if not n.startswith("late_") and Told(events(n), companies(n)).calls
]
SEEDS = 10_000


def disturbed(stream: Sequence[Event], seed: int) -> list[Event]:
    """Disjoint neighbours swapped with probability 0.4; then doubles, next to the event or up to 30 events later."""
    chance = random.Random(seed)
    swapped = list(stream)
    index = 0
    while index < len(swapped) - 1:
        if chance.random() < 0.4:
            swapped[index], swapped[index + 1] = swapped[index + 1], swapped[index]
            index += 1
        index += 1
    out: list[Event] = []
    late: list[tuple[int, Event]] = []
    for place, event in enumerate(swapped):
        out.append(event)
        if chance.random() < 0.5:
            out.append(event)
        if chance.random() < 0.2:
            late.append((place + chance.randrange(1, 30), event))
        out += [e for due, e in late if due <= place]
        late = [(due, e) for due, e in late if due > place]
    return out + [e for _, e in late]


@pytest.mark.parametrize("name", STREAMS)
def test_doubled_events_and_swapped_neighbours_change_nothing(name: str) -> None:
    stream, whose = events(name), companies(name)
    want = Told(stream, whose)
    share = max(1, SEEDS // len(STREAMS))
    different = [seed for seed in range(share) if Told(disturbed(stream, seed), whose) != want]
    assert different == []


@pytest.mark.parametrize("name", STREAMS)
def test_automatic_statuses_and_wrap_ups_are_the_same_in_any_order(name: str) -> None:
    stream, known = events(name), furnished(name, wrap_up=2.5)
    want = Told(stream, companies(name), known)
    share = max(1, SEEDS // 4 // len(STREAMS))
    different = [
        seed for seed in range(share) if Told(disturbed(stream, seed), companies(name), known) != want
    ]
    assert different == []


@pytest.mark.parametrize("name", STREAMS)
def test_the_whole_stream_twice_changes_nothing(name: str) -> None:
    stream, whose = events(name), companies(name)
    assert Told([*stream, *stream], whose) == Told(stream, whose)


@pytest.mark.parametrize("name", STREAMS)
def test_full_and_filtered_streams_of_one_run_tell_the_same_calls(name: str) -> None:
    full = name.replace(".filtered", "")
    told, filtered = Told(events(full), companies(full)), Told(events(name), companies(name))
    assert [(c.key, c.disposition, c.direction, c.number) for c in told.calls.values()] == [
        (c.key, c.disposition, c.direction, c.number) for c in filtered.calls.values()
    ]
    assert {k: (v.outcome, v.manager) for k, v in told.visits.items()} == {
        k: (v.outcome, v.manager) for k, v in filtered.visits.items()
    }
