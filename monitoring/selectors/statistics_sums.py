"""The kept sums in the same shape as ``statistics_raw`` gives: whoever adds up does not see where counts come from."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from monitoring.domain import periods
from monitoring.domain.counts import CALLS, LEGS, LOST, VISITS, Subject
from monitoring.domain.intervals import Span, day_bounds
from monitoring.domain.periods import HALF_HOUR, Slot
from monitoring.domain.statistics import Hours, Question
from monitoring.models.rollups import Grain
from monitoring.selectors.statistics_raw import Places

TABLES: dict[Subject, str] = {
    "visits": "monitoring_visitsums",
    "calls": "monitoring_callsums",
    "legs": "monitoring_legsums",
    "people": "monitoring_peoplesums",
    "lost": "monitoring_lostsums",
}
DIMENSIONS: dict[Subject, tuple[str, ...]] = {
    "visits": ("queue_id", "line", "groups"),
    "calls": ("line", "groups"),
    "legs": ("manager_id", "queue_id", "groups"),
    "people": ("manager_id", "groups", "what"),
    "lost": ("queue_id", "line", "groups"),
}
COUNTS: dict[Subject, tuple[str, ...]] = {
    "visits": VISITS,
    "calls": CALLS,
    "legs": tuple(name for name in LEGS if name != "handled"),
    "people": ("seconds",),
    "lost": LOST,
}
BAR_COLUMNS = ("wait_answered_bars", "wait_abandoned_bars")
_WHOLE_DAYS = frozenset({"total", "day", "week", "month"})


def query(subject: Subject, grain: Grain, places: Places) -> str:
    """The SELECT that reads ``subject``'s sums of one grain; its parameters are ``params(places)``."""
    columns = [*DIMENSIONS[subject], *COUNTS[subject], *(BAR_COLUMNS if subject == "visits" else ())]
    named = ", ".join(f's."{column}"' for column in columns)
    step = _step(places)
    number = "(date_part('epoch', s.at - %(low)s) / %(step)s)::int + 1" if step else places.number("s.at")
    return f"""
SELECT * FROM (SELECT {number} AS n, s.at, {named} FROM {TABLES[subject]} s
                WHERE s.grain = '{grain.value}' AND s.at >= %(low)s AND s.at < %(high)s) s
 WHERE {places.inside("at", "n")}
"""  # noqa: S608 - constants of this module


def params(places: Places) -> dict[str, Any]:
    step = _step(places)
    if not step:
        return places.params
    return {
        "low": datetime.fromtimestamp(places.slots[0].begin, UTC),
        "high": datetime.fromtimestamp(places.slots[-1].end, UTC),
        "step": step,
    }


def _step(places: Places) -> int:
    """Seconds of each slot when each is one half-hour: a sum's place is reckoned then, not looked up; else 0."""
    slots = places.slots
    even = all(slot.end - slot.begin == HALF_HOUR for slot in slots) and (
        slots[-1].end - slots[0].begin == HALF_HOUR * len(slots)
    )
    return HALF_HOUR if even and len(slots) > 1 else 0


class Reach(NamedTuple):
    """What the sums know of a period. ``until``: everything before is built, but for the ``stale`` half-hours."""

    until: float
    days_until: float
    zone: str
    stale: frozenset[float]
    stale_days: frozenset[float]


def reach(begin: float, end: float, cursor: Any) -> Reach | None:
    """None: nothing has been built yet."""
    cursor.execute(
        """
SELECT date_part('epoch', until), date_part('epoch', days_until), zone,
       array(SELECT DISTINCT date_part('epoch', at) FROM monitoring_stale
              WHERE grain = 'h' AND at >= %(begin)s AND at < %(end)s),
       array(SELECT DISTINCT date_part('epoch', at) FROM monitoring_stale
              WHERE grain = 'd' AND at >= %(begin)s AND at < %(end)s)
  FROM monitoring_built WHERE until IS NOT NULL
""",
        {"begin": datetime.fromtimestamp(begin, UTC), "end": datetime.fromtimestamp(end, UTC)},
    )
    row = cursor.fetchone()
    if row is None:
        return None
    return Reach(row[0], row[1] or 0.0, row[2], frozenset(row[3]), frozenset(row[4]))


class Layers(NamedTuple):
    """Which stretches of a question are read where; together they are all of it."""

    days: list[Slot]
    half_hours: list[Slot]
    raw: list[Slot]


def layers(question: Question, pieces: list[Slot], known: Reach) -> Layers:
    """The coarsest sums that are exact for each stretch; raw rows for what is stale or not built."""
    days: list[Slot] = []
    rest = pieces
    if question.bucket in _WHOLE_DAYS and question.zone == known.zone and question.hours == Hours():
        clean = _clean_days(question.first, question.last, known)
        days, rest = periods.within(pieces, clean), periods.without(pieces, clean)
    if not rest:
        return Layers(days, [], [])
    if not periods.on_half_hours(rest):
        return Layers(days, [], rest)
    built = [(pieces[0].begin, known.until)] if known.until > pieces[0].begin else []
    holes = [(at, at + HALF_HOUR) for at in sorted(known.stale)]
    ours = periods.without(periods.within(rest, built), holes)
    return Layers(days, ours, periods.without(rest, _spans(ours)))


def _spans(pieces: list[Slot]) -> list[Span]:
    return [(piece.begin, piece.end) for piece in pieces]


def _clean_days(first: date, last: date, known: Reach) -> list[Span]:
    """Stretches of whole days whose sums are exact, neighbours joined."""
    stale = sorted(known.stale)
    spans: list[Span] = []
    place = 0
    for day in periods.days_between(first, last):
        begin, end = day_bounds(day, known.zone)
        if end > known.days_until:
            break
        while place < len(stale) and stale[place] + HALF_HOUR <= begin:
            place += 1
        if (place < len(stale) and stale[place] < end) or begin in known.stale_days:
            continue
        if spans and spans[-1][1] == begin:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
    return spans
