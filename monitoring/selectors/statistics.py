"""The one place that answers "how many, how long" about the past: reports, API, alerts and deviations all ask here.

Call it inside ``company_scope``. An answer is exact at any moment: what the kept sums do not know yet is read from
raw rows.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from monitoring.domain import periods
from monitoring.domain.counts import (
    BARS,
    CALLS,
    HISTOGRAMS,
    LEGS,
    LOST,
    PEOPLE,
    SCOPES,
    VISITS,
    Subject,
    subject_of,
)
from monitoring.domain.metric import Metric
from monitoring.domain.periods import Slot
from monitoring.domain.statistics import LONGEST_FINE_DAYS, Answer, BadQuestion, Question, Row, ScopeKind
from monitoring.models.rollups import Grain
from monitoring.selectors import quality, statistics_raw, statistics_sums
from monitoring.selectors.statistics_raw import Places

_COLUMNS = {**statistics_sums.COUNTS, "people": ()}
_KEYS: dict[Subject, tuple[str, ...]] = {
    "visits": VISITS, "calls": CALLS, "legs": LEGS, "people": PEOPLE, "lost": LOST,
}  # fmt: skip
_DIMENSIONS: dict[ScopeKind, str] = {"queue": "queue_id", "line": "line", "manager": "manager_id"}
_FAR = 86_400.0  # raw rows of stretches further apart than this are looked up apart
_MOST_ID = 2_147_483_647

Counts = dict[str, float]
Found = dict[tuple[int, str], Counts]
"""(place of the bucket, key) → counts."""


def answer(
    question: Question, *, metrics: Collection[Metric] | None = None, now: float | None = None
) -> Answer:
    """Raw counts of what was asked. ``now``: up to when standing statuses count (epoch seconds).

    ``metrics``: count only what these need; None counts all there is. Raises BadQuestion.
    Whose id is asked is the asker's business: an unknown one has no counts.
    """
    pieces = periods.slots(question)
    moment = timezone.now().timestamp() if now is None else now
    wanted = subjects_of(question)
    if metrics is not None:
        needed = {subject_of(key) for metric in metrics if not metric.live for key in metric.counts()}
        wanted = [subject for subject in wanted if subject in needed]
    known = statistics_sums.reach(*periods.bounds(question))
    if known is None:
        return _assemble(question, pieces, [(None, pieces)], wanted, moment)
    days, half_hours, raw = statistics_sums.layers(question, pieces, known)
    if raw and (question.last - question.first).days >= LONGEST_FINE_DAYS and not periods.on_half_hours(raw):
        raise BadQuestion("In this time zone or with such buckets a report covers 31 days at most.")
    layers = [(Grain.DAY, days), (Grain.HALF_HOUR, half_hours), (None, raw)]
    return _assemble(question, pieces, layers, wanted, moment)


def answer_from_rows(question: Question, *, now: float) -> Answer:
    """The same, without the kept sums: what proves them."""
    pieces = periods.slots(question)
    return _assemble(question, pieces, [(None, pieces)], subjects_of(question), now)


def _assemble(
    question: Question,
    pieces: Sequence[Slot],
    layers: Sequence[tuple[Grain | None, Sequence[Slot]]],
    subjects: Sequence[Subject],
    now: float,
) -> Answer:
    """Add up what each layer tells of its own stretches; None: raw rows."""
    check_keys(question)
    labels: dict[float | None, int] = {}
    for piece in pieces:
        labels.setdefault(piece.at, len(labels))
    found: Found = {}
    whole: Found = {}
    for grain, stretches in layers:
        for run in periods.runs(list(stretches), _FAR if grain is None else math.inf):
            for subject in subjects:
                _add(found, _ask(question, subject, grain, run, labels, now, split=question.split))
                if question.split == "group":
                    # Somebody in two groups counts in each row, once in the total.
                    _add(whole, _ask(question, subject, grain, run, labels, now, split=None))
    for counts in (*found.values(), *whole.values()):
        _derive(counts)
    ats = list(labels)
    rows = tuple(
        Row(ats[place], key, counts)
        for (place, key), counts in sorted(
            found.items(), key=lambda item: (item[0][1], ats[item[0][0]] or 0.0)
        )
        if question.split in (None, "company") or key
        if any(counts.values())
    )
    total: Counts = {key: 0.0 for subject in subjects for key in _KEYS[subject]}
    for counts in (whole if question.split == "group" else found).values():
        for name, value in counts.items():
            total[name] = total.get(name, 0.0) + value
    begin, end = periods.bounds(question)
    from_rows = all(grain is None for grain, stretches in layers if stretches)
    return Answer(question, rows, total, quality.gaps(begin, end), "raw" if from_rows else "rollup")


def subjects_of(question: Question) -> list[Subject]:
    """What is known for this scope and split: time of people is not known by queue, visits not by manager."""
    needed = {question.scope.kind, question.split or "company"}
    return [subject for subject, kinds in SCOPES.items() if needed <= kinds]


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


def _ask(
    question: Question,
    subject: Subject,
    grain: Grain | None,
    run: Sequence[Slot],
    labels: dict[float | None, int],
    now: float,
    *,
    split: ScopeKind | None,
) -> Found:
    places = Places(run, now)
    inner = (
        statistics_raw.query(subject, places)
        if grain is None
        else statistics_sums.query(subject, grain, places)
    )
    where, params = conditions(question, split)
    if split == "group":
        key, more = "g.id::text", " CROSS JOIN LATERAL unnest(r.groups) AS g (id)"
    elif split in _DIMENSIONS:
        key, more = f"coalesce(r.{_DIMENSIONS[split]}::text, '')", ""
    else:
        key, more = "''", ""
    if len(labels) == 1:
        place = "0"
    else:
        place = "(%(labels)s::int[])[r.n]"
        params["labels"] = [labels[slot.at] for slot in run]
    grouped = "1, 2, 3" if subject == "people" else "1, 2"
    said = f"""
SELECT {place} AS place, {key} AS key, {_sums(subject)}
  FROM ({inner}) r{more} WHERE {where} GROUP BY {grouped}
"""  # noqa: S608 - constants of this package; what was asked for is in the parameters
    with connection.cursor() as cursor:
        cursor.execute(said, {**places.params, **params})
        return _read(subject, cursor.fetchall())


def conditions(question: Question, split: ScopeKind | None, row: str = "r") -> tuple[str, dict[str, Any]]:
    """SQL and parameters: which rows are the scope's, and the asker's to see."""
    scope = question.scope
    where, params = ["true"], dict[str, Any]()
    if scope.kind == "group":
        where.append(f"{row}.groups @> ARRAY[%(scope)s::int]")
        params["scope"] = int(scope.key)
        if split == "group":
            where.append("g.id = %(scope)s")
    elif scope.kind in _DIMENSIONS:
        where.append(f"{row}.{_DIMENSIONS[scope.kind]} = %(scope)s")
        params["scope"] = scope.key if scope.kind == "line" else int(scope.key)
    if question.groups is not None:
        where.append(f"{row}.groups && %(audience)s::int[]")
        params["audience"] = sorted(question.groups)
        if split == "group":
            where.append("g.id = ANY(%(audience)s)")
    return " AND ".join(where), params


def _sums(subject: Subject) -> str:
    if subject == "people":
        return "r.what, sum(r.seconds)"
    sums = [f"sum(r.{column})::float8" for column in _COLUMNS[subject]]
    if subject == "visits":
        sums += [f"sum(r.{name}_bars[{n + 1}])::float8" for name in HISTOGRAMS for n in range(len(BARS))]
    return ", ".join(sums)


_NAMES: dict[Subject, tuple[str, ...]] = {
    **_COLUMNS,
    "visits": (*VISITS, *(f"{name}:{bar}" for name in HISTOGRAMS for bar in BARS)),
}


def _read(subject: Subject, rows: Iterable[Sequence[Any]]) -> Found:
    found: Found = {}
    if subject == "people":
        for place, key, what, seconds in rows:
            found.setdefault((place, key), dict.fromkeys(PEOPLE, 0.0))[what] = seconds
        return found
    kept, names = len(_COLUMNS[subject]), _NAMES[subject]
    for place, key, *sums in rows:
        counts = dict(zip(names[:kept], sums, strict=False))
        # Most bars of most rows are empty; they are left out.
        counts.update({name: value for name, value in zip(names[kept:], sums[kept:], strict=True) if value})
        found[place, key] = counts
    return found


def _add(found: Found, more: Found) -> None:
    for place, counts in more.items():
        known = found.setdefault(place, {})
        for name, value in counts.items():
            known[name] = known.get(name, 0.0) + value


def _derive(counts: Counts) -> None:
    """What is a sum of other counts is not kept apart from them."""
    if "handled_in" in counts:
        counts["handled"] = counts["handled_in"] + counts["handled_out"]
    if "available" in counts:
        counts["logged_in"] = counts["available"] + counts["break"] + counts["away"]
