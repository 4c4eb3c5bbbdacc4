"""A JSON file read with distrust: what is wrong in it is told by its place in the file and in plain words.

Nothing is guessed: a key nobody knows, a key said twice and a number with a lost kopeck are mistakes, not noise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
_AMOUNT = re.compile(r"\d{1,10}(?:\.\d{1,2})?", re.ASCII)
_SHOWN = 60  # signs of a key
_YEARS = range(1970, 2200)  # beyond them a zone's midnight may have no UTC moment at all


class Wrong(ValueError):
    """``where``: a path in the file, like ``subscriptions[0].from``; ``why``: what is wrong there. One line each."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where, self.why = where, why


def is_day(text: str) -> bool:
    """Whether it is written like a date, such as 2026-06-01 (which may still be in no calendar)."""
    return _DAY.fullmatch(text) is not None


def parsed(data: bytes, *, name: str) -> Node:
    """The whole file. Raises Wrong, with line and column where it is no JSON. Decimals keep every digit."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Wrong(name, f"is not UTF-8 (byte {error.start + 1})") from error
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_float=_Number, parse_constant=_Number)
    except json.JSONDecodeError as error:
        why = error.msg.removesuffix(" at")
        raise Wrong(name, f"line {error.lineno}, column {error.colno}: {why}") from error
    except RecursionError as error:
        raise Wrong(name, "is nested too deep") from error
    except ValueError as error:  # an integer of thousands of digits
        raise Wrong(name, "has a number that is too long") from error
    return Node(value, "", name)


class _Number(str):
    """A JSON number with a point, as it was written: no kopeck goes lost. Also NaN and Infinity, which nobody takes."""

    __slots__ = ()


class _Twice(dict[str, Any]):
    """An object that said ``key`` more than once."""

    def __init__(self, pairs: list[tuple[str, Any]], key: str) -> None:
        super().__init__(pairs)
        self.key = key


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for key, value in pairs:
        if key in known:
            return _Twice(pairs, key)
        known[key] = value
    return known


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands. ``file`` names the place of the whole. Every reading raises Wrong."""

    value: Any
    path: str
    file: str = ""

    def wrong(self, why: str) -> NoReturn:
        raise Wrong(self.path or self.file, why)

    @property
    def is_null(self) -> bool:
        return self.value is None

    def fields(self, *, required: Iterable[str] = (), optional: Iterable[str] = ()) -> Mapping[str, Node]:
        """An object's values by key; those it leaves out are not there."""
        required = tuple(required)
        known = {*required, *optional}
        found = self.entries()
        for key, node in found.items():
            if key not in known:
                node.wrong("there is no such key; known are " + ", ".join(sorted(known)))
        for key in required:
            if key not in found:
                Node(None, _within(self.path, key), self.file).wrong("is missing")
        return found

    def entries(self) -> Mapping[str, Node]:
        """An object's values by keys of any name."""
        if not isinstance(self.value, dict):
            self.wrong("an object {…} is wanted")
        if isinstance(self.value, _Twice):
            Node(None, _within(self.path, self.value.key), self.file).wrong("is said twice")
        return {key: Node(value, _within(self.path, key), self.file) for key, value in self.value.items()}

    def items(self) -> list[Node]:
        if not isinstance(self.value, list):
            self.wrong("a list […] is wanted")
        return [Node(value, f"{self.path}[{n}]", self.file) for n, value in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str) or isinstance(self.value, _Number) or not self.value:
            self.wrong("a text is wanted")
        return self.value

    def one_of(self, *allowed: str) -> str:
        if self.value not in allowed or not isinstance(self.value, str):
            self.wrong("one of " + ", ".join(allowed) + " is wanted")
        return self.value

    def day(self) -> date:
        if not isinstance(self.value, str) or not is_day(self.value):
            self.wrong("a date like 2026-06-01 is wanted")
        try:
            day = date.fromisoformat(self.value)
        except ValueError:
            self.wrong("is in no calendar")
        self._known_year(day.year)
        return day

    def moment(self, zone: str) -> datetime:
        """UTC. Without an offset it is a time of ``zone``: the first of two, and a skipped one as if clocks went on."""
        if not isinstance(self.value, str) or not _MOMENT.fullmatch(self.value):
            self.wrong("a time like 2026-06-01T09:00:00 or 2026-06-01T09:00:00.000001+03:00 is wanted")
        try:
            moment = datetime.fromisoformat(self.value)
        except ValueError:
            self.wrong("is in no calendar or on no clock")
        self._known_year(moment.year)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)

    def amount(self) -> Decimal:
        """Roubles, from 0, of at most two decimal places; a text or a number."""
        value = self.value
        plain = isinstance(value, str | int) and not isinstance(value, bool)
        if not plain or not _AMOUNT.fullmatch(str(value)):
            self.wrong('an amount from 0, like "1500.00", is wanted')
        return Decimal(str(value)).quantize(Decimal("0.01"))

    def _known_year(self, year: int) -> None:
        if year not in _YEARS:
            self.wrong(f"a year from {_YEARS.start} to {_YEARS.stop - 1} is wanted")


def _within(path: str, key: str) -> str:
    """The place of ``key`` in the object at ``path``; whatever a hostile key holds, it stays one short line."""
    if key.isascii() and key.isidentifier() and len(key) <= _SHOWN:
        return f"{path}.{key}" if path else key
    return f"{path}[{json.dumps(key[:_SHOWN] + ('…' if len(key) > _SHOWN else ''))}]"
