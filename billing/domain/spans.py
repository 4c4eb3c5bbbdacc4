"""Half-open spans of time [from, until), UTC to the microsecond: what lies in a window, what covers the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

Span = tuple[datetime, datetime]
Open = tuple[datetime, datetime | None]  # None: it goes on


def within(spans: Iterable[Open], begin: datetime, until: datetime) -> Iterator[Span]:
    """What of them lies in [``begin``, ``until``); what has no length is nothing."""
    for start, end in spans:
        low, high = max(start, begin), until if end is None else min(end, until)
        if low < high:
            yield low, high


def united(spans: Iterable[Span]) -> list[Span]:
    """Disjoint, ordered spans over the same moments; spans that touch become one."""
    merged: list[Span] = []
    for begin, until in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        else:
            merged.append((begin, until))
    return merged
