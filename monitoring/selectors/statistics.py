"""The one place that answers "how many, how long" about the past: reports, API, alerts and deviations all ask here.

Call it inside ``company_scope``. An answer is exact at any moment: what the kept sums do not know yet is read from
raw rows.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from itertools import compress, repeat
from typing import Any

from django.db import connection
from django.utils import timezone

from monitoring.domain import periods
from monitoring.domain.counts import SCOPES, Subject
from monitoring.domain.metric import Metric
from monitoring.domain.periods import Slot
from monitoring.domain.statistics import LONGEST_FINE_DAYS, Answer, BadQuestion, Question, Row
from monitoring.models.rollups import Grain
from monitoring.selectors import quality, statistics_sums
from monitoring.selectors.statistics_ask import (
    EVERYTHING,
    KEYS,
    Counts,
    Found,
    Wanted,
    ask,
    conditions,
    derive,
    wanted,
)

__all__ = ["answer", "answer_from_rows", "check_keys", "conditions", "subjects_of"]

_FAR = 86_400.0  # raw rows of stretches further apart than this are looked up apart
_MOST_ID = 2_147_483_647


def answer(
    question: Question, *, metrics: Collection[Metric] | None = None, now: float | None = None
) -> Answer:
    """Raw counts of what was asked. ``now``: up to when standing statuses count (epoch seconds).

    ``metrics``: count only what these need; None counts all there is. Raises BadQuestion.
    Whose id is asked is the asker's business: an unknown one has no counts.
    """
    pieces = periods.slots(question)
    moment = timezone.now().timestamp() if now is None else now
    columns = _wanted(question, metrics)
    # One cursor for all: each new one costs setting the company's search path.
    with connection.cursor() as cursor:
        known = statistics_sums.reach(*periods.bounds(question), cursor)
        if known is None:
            return _assemble(cursor, question, pieces, [(None, pieces)], columns, moment)
        days, half_hours, raw = statistics_sums.layers(question, pieces, known)
        if (
            raw
            and (question.last - question.first).days >= LONGEST_FINE_DAYS
            and not periods.on_half_hours(raw)
        ):
            raise BadQuestion("In this time zone or with such buckets a report covers 31 days at most.")
        layers = [(Grain.DAY, days), (Grain.HALF_HOUR, half_hours), (None, raw)]
        return _assemble(cursor, question, pieces, layers, columns, moment)


def answer_from_rows(question: Question, *, now: float) -> Answer:
    """The same, without the kept sums: what proves them."""
    pieces = periods.slots(question)
    with connection.cursor() as cursor:
        return _assemble(cursor, question, pieces, [(None, pieces)], _wanted(question, None), now)


def _assemble(
    cursor: Any,
    question: Question,
    pieces: Sequence[Slot],
    layers: Sequence[tuple[Grain | None, Sequence[Slot]]],
    wanted: Wanted,
    now: float,
) -> Answer:
    """Add up what each layer tells of its own stretches; None: raw rows."""
    check_keys(question)
    labels = {
        at: place for place, at in enumerate(sorted({piece.at for piece in pieces}, key=lambda at: at or 0.0))
    }
    ats = list(labels)
    found: Found = {}
    total: Counts = {key: 0.0 for subject, columns in wanted.items() for key in columns or KEYS[subject]}
    total = {key: 0.0 for key in total if ":" not in key or key.startswith("status:")}
    for grain, stretches in layers:
        for run in periods.runs(list(stretches), _FAR if grain is None else math.inf):
            for subject, columns in wanted.items():
                more, sums = ask(
                    cursor, question, subject, columns, grain, run, labels, now, split=question.split
                )
                _add(found, more)
                if question.split == "group":
                    # Somebody in two groups counts in each row, once in the total.
                    sums = ask(cursor, question, subject, columns, grain, run, labels, now, split=None)[1]
                for name, value in sums.items():
                    if value or name in total:
                        total[name] = total.get(name, 0.0) + value
    derive(total)
    if "legs" in wanted or "people" in wanted:
        for cells in found.values():
            for counts in cells.values():
                derive(counts)
    one = question.split in (None, "company")
    rows: list[Row] = []
    for key, cells in sorted(found.items()):
        if one or key:
            order = sorted(cells)
            each = list(map(cells.__getitem__, order))
            made = map(Row, map(ats.__getitem__, order), repeat(key), each)
            rows += compress(made, map(any, map(dict.values, each)))
    begin, end = periods.bounds(question)
    from_rows = all(grain is None for grain, stretches in layers if stretches)
    return Answer(
        question, tuple(rows), total, quality.gaps(begin, end, cursor), "raw" if from_rows else "rollup"
    )


def subjects_of(question: Question) -> list[Subject]:
    """What is known for this scope and split: time of people is not known by queue, visits not by manager."""
    needed = {question.scope.kind, question.split or "company"}
    return [subject for subject, kinds in SCOPES.items() if needed <= kinds]


def _wanted(question: Question, metrics: Collection[Metric] | None) -> Wanted:
    asked = EVERYTHING if metrics is None else wanted(metrics)
    return {subject: asked[subject] for subject in subjects_of(question) if subject in asked}


def _add(found: Found, more: Found) -> None:
    for key, cells in more.items():
        known = found.setdefault(key, cells)
        if known is cells:
            continue
        for place, counts in cells.items():
            mine = known.setdefault(place, counts)
            if mine is not counts:
                for name, value in counts.items():
                    mine[name] = mine.get(name, 0.0) + value


def check_keys(question: Question) -> None:
    """Raises BadQuestion when the scope's key is none."""
    kind, key = question.scope.kind, question.scope.key
    if kind not in ("company", "group", "queue", "line", "manager"):
        raise BadQuestion("There is no such scope.")
    if question.split not in (None, "company", "group", "queue", "line", "manager"):
        raise BadQuestion("There is no such split.")
    if kind in ("group", "queue", "manager"):
        number = int(key) if key.isascii() and key.isdigit() and len(key) < 11 else 0
        if not 0 < number <= _MOST_ID:
            raise BadQuestion("Say which group, queue or manager is meant.")
    if kind == "line" and not (0 < len(key) <= 80 and "\0" not in key):
        raise BadQuestion("Say which line is meant.")
