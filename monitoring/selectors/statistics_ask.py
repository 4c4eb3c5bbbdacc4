"""One look at one kind of counts over one run of slots: kept sums and raw rows are asked with the same words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

import orjson

from monitoring.domain.counts import BARS, CALLS, HISTOGRAMS, LEGS, LOST, PEOPLE, VISITS, Subject, subject_of
from monitoring.domain.metric import Metric
from monitoring.domain.periods import Slot
from monitoring.domain.statistics import Question, ScopeKind
from monitoring.models.rollups import Grain
from monitoring.selectors import statistics_raw, statistics_sums
from monitoring.selectors.statistics_raw import Places

Counts = dict[str, float]
Found = dict[str, dict[int, Counts]]
"""key → place of the bucket → counts."""
Wanted = Mapping[Subject, tuple[str, ...]]
"""Which raw counts are asked of each kind; what is a sum of others is not among them, see ``derive``."""

_DIMENSIONS: dict[ScopeKind, str] = {"queue": "queue_id", "line": "line", "manager": "manager_id"}
_BARS = tuple(f"{name}:{bar}" for name in HISTOGRAMS for bar in BARS)
_BAR_COLUMN = {f"{name}:{bar}": f"{name}_bars[{n + 1}]" for name in HISTOGRAMS for n, bar in enumerate(BARS)}
_SECONDS = frozenset({"wait_answered", "wait_abandoned", "talk_in", "talk_out", "hold", "wrap_up"})
_SUMS_OF_OTHERS = {"handled": ("handled_in", "handled_out"), "logged_in": ("available", "break", "away")}
KEYS: Wanted = {"visits": VISITS, "calls": CALLS, "legs": LEGS, "people": PEOPLE, "lost": LOST}
EVERYTHING: Wanted = {
    **{subject: tuple(key for key in keys if key not in _SUMS_OF_OTHERS) for subject, keys in KEYS.items()},
    "visits": (*VISITS, *_BARS),
    "people": (),
}
"""Of people's time everything is told, each status too: no names are needed."""
EVERYTHING_OF_PEOPLE = tuple(key for key in PEOPLE if key not in _SUMS_OF_OTHERS)


def wanted(metrics: Iterable[Metric]) -> dict[Subject, tuple[str, ...]]:
    """The raw counts these figures need."""
    found: dict[Subject, dict[str, None]] = {}
    for metric in metrics:
        for key in () if metric.live else sorted(metric.counts()):
            for part in _SUMS_OF_OTHERS.get(key, (key,)):
                found.setdefault(subject_of(part), {})[part] = None
    # Bars come last, see ``_read``.
    return {subject: tuple(sorted(keys, key=_BAR_COLUMN.__contains__)) for subject, keys in found.items()}


def derive(counts: Counts) -> None:
    """What is a sum of other counts is not kept apart from them."""
    for name, parts in _SUMS_OF_OTHERS.items():
        if all(part in counts for part in parts):
            counts[name] = sum(counts[part] for part in parts)


def ask(
    cursor: Any,
    question: Question,
    subject: Subject,
    columns: tuple[str, ...],
    grain: Grain | None,
    run: Sequence[Slot],
    labels: Mapping[float | None, int],
    now: float,
    *,
    split: ScopeKind | None,
) -> tuple[Found, Counts]:
    """Counts of ``run`` by key and bucket, and the sum of all; ``grain`` None: from raw rows.

    Each key comes as one row of columns: a report of many cells spends its time in spelling and reading numbers.
    """
    places = Places(run, now)
    if grain is None:
        inner, bounds = statistics_raw.query(subject, places), places.params
    else:
        inner, bounds = statistics_sums.query(subject, grain, places), statistics_sums.params(places)
    where, params = conditions(question, split)
    if split == "group":
        key, more = "g.id", " CROSS JOIN LATERAL unnest(r.groups) AS g (id)"
    else:
        key, more = f"r.{_DIMENSIONS[split]}" if split in _DIMENSIONS else "''", ""
    place = "0"
    if len(labels) > 1:
        place = "(%(labels)s::int[])[r.n]"
        params["labels"] = [labels[slot.at] for slot in run]
        if params["labels"] == list(range(len(run))):
            place = "r.n - 1"
    sums, by = _sums(subject, columns), "1, 2"
    if subject == "people":
        by = "1, 2, 3"
        if columns:
            where += " AND r.what = ANY(%(what)s)"
            params["what"] = list(columns)
    cells = f"""
SELECT {place} AS place, {key} AS key, {", ".join(f"{term} AS c{n}" for n, term in enumerate(sums))}
  FROM ({inner}) r{more} WHERE {where} GROUP BY {by}
"""  # noqa: S608 - constants of this package; what was asked for is in the parameters
    told = ", ".join(f"array_to_json(array_agg({name}))::text" for name in ("place", *_names(sums)))
    cursor.execute(f"SELECT key, {told} FROM ({cells}) c GROUP BY key", {**bounds, **params})  # noqa: S608
    return _read(subject, columns, cursor.fetchall())


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


def _sums(subject: Subject, columns: tuple[str, ...]) -> list[str]:
    if subject == "people":
        return ["r.what", "sum(r.seconds)"]
    # Whole numbers as such: they are spelled and read faster.
    return [
        f"sum(r.{_BAR_COLUMN.get(column, column)})::{'float8' if column in _SECONDS else 'bigint'}"
        for column in columns
    ]


def _names(sums: Sequence[str]) -> list[str]:
    return [f"c{n}" for n in range(len(sums))]


def _read(subject: Subject, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> tuple[Found, Counts]:
    found: Found = {}
    total: Counts = {}
    bars = sum(column in _BAR_COLUMN for column in columns)
    plain, bar_names = columns[: len(columns) - bars], columns[len(columns) - bars :]
    for key, *spelled in rows:
        places, *told = map(orjson.loads, spelled)
        cells = found["" if key is None else str(key)] = {}
        if subject == "people":
            for place, what, seconds in zip(places, *told, strict=True):
                if place not in cells:
                    cells[place] = dict.fromkeys(columns or EVERYTHING_OF_PEOPLE, 0.0)
                cells[place][what] = seconds
                total[what] = total.get(what, 0.0) + seconds
            continue
        for name, column in zip(columns, told, strict=True):
            total[name] = total.get(name, 0.0) + sum(column)
        if plain:
            values = map(zip, repeat(plain), zip(*told[: len(plain)], strict=True))
            cells.update(zip(places, map(dict, values), strict=True))
        else:
            cells.update((place, {}) for place in places)
        for name, bar in zip(bar_names, told[len(plain) :], strict=True):
            for place, value in zip(places, bar, strict=True):
                if value:  # most bars of most cells are empty; they are left out
                    cells[place][name] = value
    return found, total
