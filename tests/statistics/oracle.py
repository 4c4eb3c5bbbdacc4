"""A slow reading of a random past by plain arithmetic: row after row, quarter-hour after quarter-hour, in Python.

It shares nothing with the engine but the words: no SQL, no slots, no sums.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitoring.domain.intervals import day_bounds, total, union
from monitoring.domain.statistics import Question
from tests.statistics.world import Past

QUARTER = 900
QUEUES: dict[str, str] = {}
"""A queue's name on the PBX → its id; a leg knows only the name."""
Counts = dict[tuple[float | None, str], dict[str, float]]


def count(past: Past, question: Question, now: float) -> tuple[Counts, dict[str, float]]:
    """Counts by (bucket, key), and the total in which nobody counts twice."""
    found: Counts = defaultdict(lambda: defaultdict(float))
    whole: dict[str, float] = defaultdict(float)

    def tell(at: float, row: Any, subject: str, **counts: float) -> None:
        if not _asked(question, at) or not _seen(question, row, subject):
            return
        for key in _keys(question, row):
            for name, value in counts.items():
                found[_label(question, at), key][name] += value
        for name, value in counts.items():
            whole[name] += value

    QUEUES.clear()
    QUEUES.update({queue.pbx_name: str(queue.pk) for queue in past.queues})
    needed = {question.scope.kind, question.split or "company"}
    for _subject, kinds, tellers in (
        ("visits", {"queue", "line"}, _visits),
        ("calls", {"line"}, _calls),
        ("legs", {"queue", "manager"}, _legs),
        ("people", {"manager"}, _people),
        ("lost", {"queue", "line"}, _lost),
    ):
        if needed <= kinds | {"company", "group"}:
            tellers(past, now, tell)
    kept = {
        place: {name: value for name, value in counts.items() if value} for place, counts in found.items()
    }
    return (
        {place: counts for place, counts in kept.items() if counts},
        {name: value for name, value in whole.items() if value},
    )


Tell = Callable[..., None]


def _visits(past: Past, now: float, tell: Tell) -> None:
    for row in past.visits:
        if row.outcome not in ("answered", "abandoned", "flow-out") or row.left is None:
            continue
        counts: dict[str, float] = {"offered": 1}
        counts[row.outcome.replace("-", "_")] = 1
        if row.outcome != "flow-out":
            counts[f"wait_{row.outcome}"] = row.wait
            upper = next(
                (str(u) for u in (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600) if row.wait <= u), "inf"
            )
            counts[f"wait_{row.outcome}:{upper}"] = 1
        counts["answered_within"] = row.outcome == "answered" and row.wait <= row.answer_within
        counts["short_abandoned"] = row.outcome == "abandoned" and row.wait < row.short_abandon
        tell(row.left.timestamp(), row, "visits", **counts)


def _calls(past: Past, now: float, tell: Tell) -> None:
    for row in past.calls:
        if row.ended is None or row.disposition == "merged":
            continue
        talked = row.disposition == "answered" or (
            row.disposition == "interrupted" and row.answered is not None
        )
        counts = {f"calls_{row.direction}": 1}
        if row.direction != "internal" and talked:
            counts[f"calls_{row.direction}_answered"] = 1
        elif row.direction == "in" and row.disposition != "interrupted":
            counts["calls_in_lost"] = 1
        tell(row.ended.timestamp(), row, "calls", **counts)


def _legs(past: Past, now: float, tell: Tell) -> None:
    for row in past.legs:
        if row.booked is None or row.call.disposition == "merged":
            continue
        way, counts = row.call.direction, defaultdict[str, float](float)
        handled = row.talk_seconds > 0 or (way == "in" and row.answered is not None and not row.origin)
        if way != "internal":
            counts |= {
                "hold": row.hold_seconds,
                "wrap_up": row.wrap_up_seconds,
                f"talk_{way}": row.talk_seconds,
            }
            counts |= {"handled": handled, f"handled_{way}": handled}
        if way == "in":
            counts |= {"rung": not row.origin, "missed": row.outcome == "missed" and row.available}
        if way == "out":
            counts["outgoing"] = row.origin
        tell(row.booked.timestamp(), row, "legs", **counts)


def _lost(past: Past, now: float, tell: Tell) -> None:
    for row in past.lost:
        talked = row.state in ("called_back", "answered_later")
        tell(
            row.lost_at.timestamp(), row, "lost", lost_calls=1, called_back=talked,
            called_back_in_time=talked and bool(row.in_time), lost_closed_by_person=row.state == "closed",
            lost_open=row.state == "open",
        )  # fmt: skip


def _people(past: Past, now: float, tell: Tell) -> None:
    for manager in past.managers:
        statuses = [row for row in past.statuses if row.manager == manager]
        for row in statuses:
            for begin, end in _quarters(*_span(row, now)):
                counts = {row.status.kind: end - begin, "logged_in": end - begin}
                tell(begin, row, "people", **counts, **{f"status:{row.status_id}": end - begin})
        for row in (row for row in past.automatic if row.manager == manager):
            name = "wrap_up_time" if row.kind == "wrap_up" else row.kind
            for begin, end in _quarters(*_span(row, now)):
                tell(begin, row, "people", **{name: end - begin})
        busy: dict[float, dict[tuple[int, ...], list[tuple[float, float]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        owner = {}
        for row in past.legs:
            if row.manager != manager or row.booked is None or row.call.disposition == "merged":
                continue
            spans = [*map(tuple, row.talk), *map(tuple, row.hold)]
            spans.append((row.booked.timestamp() - row.wrap_up_seconds, row.booked.timestamp()))
            owner[tuple(row.groups)] = row
            for span in spans:
                for begin, end in _quarters(*span):
                    busy[begin // QUARTER][tuple(row.groups)].append((begin, end))
        for quarter, by_groups in busy.items():
            taken: list[tuple[float, float]] = []
            for groups, spans in sorted(by_groups.items()):
                before = total(taken)
                taken = union([*taken, *spans])
                tell(quarter * QUARTER, owner[groups], "people", busy=total(taken) - before)
        for row in statuses:
            if row.status.kind == "available":
                for begin, end in _quarters(*_span(row, now)):
                    talks = [
                        (max(low, begin), min(high, end))
                        for spans in busy[begin // QUARTER].values() for low, high in spans
                    ]  # fmt: skip
                    tell(begin, row, "people", idle=end - begin - total(talks))


def _span(row: Any, now: float) -> tuple[float, float]:
    return row.started.timestamp(), min(now, row.ended.timestamp() if row.ended else now)


def _quarters(begin: float, end: float) -> Iterator[tuple[float, float]]:
    while begin < end:
        stop = min(end, (begin // QUARTER + 1) * QUARTER)
        yield begin, stop
        begin = stop


def _asked(question: Question, at: float) -> bool:
    local = datetime.fromtimestamp(at, ZoneInfo(question.zone))
    if not question.first <= local.date() <= question.last:
        return False
    hours, minute, day = question.hours, local.hour * 60 + local.minute, local.isoweekday()
    if hours.begin < hours.end:
        return day in hours.weekdays and hours.begin <= minute < hours.end
    yesterday = (local.date() - timedelta(days=1)).isoweekday()
    return (day in hours.weekdays and minute >= hours.begin) or (
        yesterday in hours.weekdays and minute < hours.end
    )


def _seen(question: Question, row: Any, subject: str) -> bool:
    scope = question.scope
    if question.groups is not None and not question.groups & set(row.groups):
        return False
    if scope.kind == "group":
        return int(scope.key) in row.groups
    return scope.kind == "company" or _value(row, scope.kind) == scope.key


def _value(row: Any, kind: str) -> str:
    if kind == "queue" and hasattr(row, "rang"):
        return QUEUES.get(row.queue_name, "")
    known = row.line if kind == "line" else getattr(row, f"{kind}_id")
    return "" if known is None else str(known)


def _keys(question: Question, row: Any) -> list[str]:
    if question.split in (None, "company"):
        return [""]
    if question.split == "group":
        mine = set(row.groups) if question.groups is None else question.groups & set(row.groups)
        if question.scope.kind == "group":
            mine &= {int(question.scope.key)}
        return [str(group) for group in mine]
    return [_value(row, question.split)]


def _label(question: Question, at: float) -> float | None:
    zone, tz = question.zone, ZoneInfo(question.zone)
    local = datetime.fromtimestamp(at, tz)
    match question.bucket:
        case "total":
            return None
        case "weekday_hour":
            return float((local.isoweekday() - 1) * 24 + local.hour)
        case "day":
            return day_bounds(local.date(), zone)[0]
        case "week":
            return day_bounds(local.date() - timedelta(days=local.weekday()), zone)[0]
        case "month":
            return day_bounds(local.date().replace(day=1), zone)[0]
        case fine:
            minutes = {"quarter": 15, "half_hour": 30, "hour": 60}[fine]
            start = at - ((local.minute % minutes) * 60 + local.second + local.microsecond / 1e6)
            start = float(round(start))
            # A bucket begins again where the clock jumps, or where the filter lets it begin.
            while datetime.fromtimestamp(start, tz).utcoffset() != local.utcoffset() or not _asked(
                question, start
            ):
                start += 60
            return start
