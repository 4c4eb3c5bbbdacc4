"""Who works when on one day of the past: statuses of a manager from midnight to midnight, without a gap."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

Stretch = tuple[float, float, int]
"""[begin, end) in epoch seconds, and the id of the status."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Ids of a company's statuses by what they do."""

    available: int
    breaks: tuple[int, ...]
    away: int


def day_of(
    labels: Labels, *, start: float, end: float, weekday: int, place: int, luck: random.Random
) -> list[Stretch]:
    """``start``, ``end``: the day's midnights; ``weekday``: Monday = 0; ``place``: the manager's among the others."""
    if (weekday > 4 and luck.random() > 0.3) or luck.random() < 0.04:
        return [(start, end, labels.away)]
    begin = start + 3600 * (9 if place % 3 else 11) + luck.uniform(-600, 420)
    leave = begin + 9 * 3600 + luck.uniform(-900, 1500)
    pauses = [(begin + 3600 * luck.uniform(3.4, 4.8), 60 * luck.uniform(35, 60))]
    pauses += [
        (begin + 3600 * at, 60 * luck.uniform(6, 16)) for at in (luck.uniform(1.2, 2.6), luck.uniform(6, 7.8))
    ]
    stretches = [(start, begin, labels.away)]
    now = begin
    for at, lasts in sorted(pauses):
        stretches.append((now, at, labels.available))
        stretches.append((at, at + lasts, luck.choice(labels.breaks)))
        now = at + lasts
    return [*stretches, (now, leave, labels.available), (leave, end, labels.away)]


def joined(days: Sequence[Sequence[Stretch]]) -> list[Stretch]:
    """One chain over all days: what stands over midnight is one declaration."""
    chain: list[Stretch] = []
    for begin, end, status in (stretch for day in days for stretch in day):
        if chain and chain[-1][2] == status and chain[-1][1] == begin:
            chain[-1] = (chain[-1][0], end, status)
        else:
            chain.append((begin, end, status))
    return chain


def available_at(stretches: Sequence[Stretch], at: float, available: int) -> bool:
    return any(begin <= at < end and status == available for begin, end, status in stretches)


def next_available(stretches: Sequence[Stretch], at: float, available: int) -> float | None:
    """The first moment from ``at`` on in which calls are taken; None when there is none that day."""
    return min(
        (max(begin, at) for begin, end, status in stretches if status == available and end > at), default=None
    )
