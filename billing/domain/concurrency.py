"""How many were there at once: a sweep over half-open intervals in which ends come before starts.

So five that end and five that start at one instant are five, not ten. The same sweep counts calls and profiles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from billing.domain.spans import Open, Span, united, within


@dataclass(frozen=True, slots=True)
class Peak:
    """The most there were at once: ``at`` the first moment of it (UTC; None for zero), ``keys`` who they were."""

    count: int
    at: datetime | None
    keys: tuple[str, ...]


def peak(things: Iterable[tuple[str, Iterable[Open]]], begin: datetime, until: datetime) -> Peak:
    """``things``: (key, intervals); what is told twice under one key counts once. Clipped to [begin, until)."""
    spans = by_key(things, begin, until)
    changes: dict[datetime, int] = defaultdict(int)
    for intervals in spans.values():
        for start, end in intervals:
            changes[start] += 1
            changes[end] -= 1
    # Sums per moment make ends come before starts: only what holds after a moment counts, and it holds for a while.
    running, most, at = 0, 0, None
    for moment in sorted(changes):
        running += changes[moment]
        if running > most:
            most, at = running, moment
    return Peak(most, at, () if at is None else there_at(spans, at))


def by_key(
    things: Iterable[tuple[str, Iterable[Open]]], begin: datetime, until: datetime
) -> dict[str, list[Span]]:
    """Each key's disjoint spans inside [begin, until); keys that have none are left out."""
    found: dict[str, list[Span]] = defaultdict(list)
    for key, intervals in things:
        found[key].extend(within(intervals, begin, until))
    return {key: united(spans) for key, spans in found.items() if spans}


def there_at(spans: dict[str, list[Span]], moment: datetime) -> tuple[str, ...]:
    """Keys in order of whose spans hold ``moment``."""
    return tuple(
        sorted(key for key, own in spans.items() if any(start <= moment < end for start, end in own))
    )
