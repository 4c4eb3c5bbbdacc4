"""What a batch of facts left in the rows, for those who act on it in the same transaction: ``after.AFTER``.

A hook is cheap, set-based and idempotent: a batch may be told again, by two collectors, in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from monitoring.domain.facts import AutoFact, CallFact, VisitFact


@dataclass(frozen=True, slots=True)
class Stored:
    """``call_ids``: the calls whose rows are new or were changed, in no order. ``calls``, ``visits``, ``autos``:
    what the batch told, one fact a row, also those that changed nothing because a later one was there already.

    ``moments``: epoch seconds at which rows that this batch replaced or closed had been or are now booked, where
    the facts themselves do not say so: a statistic of that time is to be counted anew.
    """

    pbx: str
    call_ids: Sequence[int]
    calls: Sequence[CallFact] = ()
    visits: Sequence[VisitFact] = ()
    autos: Sequence[AutoFact] = ()
    moments: Sequence[float] = ()


Hook = Callable[[Stored], None]
