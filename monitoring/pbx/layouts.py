"""How a block's headers are found without reading it header by header: patterns learned from blocks met before.

Asterisk writes one kind of event with the same headers in the same order for hours, so one anchored pattern over the
whole sequence of header names reads it in a single pass; a block laid out otherwise does not match and is learned.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from .forgery import authentic

_LINES: Final = 160
"""Lines of a block worth a pattern; an attended transfer has 110."""
_LAYOUTS: Final = 64
_ALIKE: Final = 4
"""Layouts kept for a row, and of one number of lines: a hostile peer cannot make us compile without end."""

_NOTHING: Final = b"<unknown>"
"""Asterisk's way to say nothing."""
# Possessive (``*+``), because a value ends at its CR or nowhere: the engine then keeps no way back for each line.
_VALUE: Final = b"(?:" + _NOTHING + b")?+([^\r]*+)"
_ANY_VALUE: Final = b"[^\r]*+"
_NO_HEADER: Final = b"(?:(?!: )[^\r])*+"


class _Layout(NamedTuple):
    match: Callable[[bytes], re.Match[bytes] | None]
    places: tuple[int, ...]


class Layouts:
    """``usual`` and ``places``: the layout met last, as a match function and the groups of the headers in order.

    Whoever reads blocks tries these two himself and falls back to ``read``: nine times out of ten that saves a call.
    """

    __slots__ = ("_headers", "_known", "_left", "places", "usual")

    def __init__(self, *headers: bytes) -> None:
        assert len(headers) > 1, "re gives one group as bytes, not as a tuple"
        self._headers = headers
        self._known: dict[int, list[_Layout]] = {}
        self._left = _LAYOUTS
        self.usual: Callable[[bytes], re.Match[bytes] | None] = re.compile(b"(?!)").match
        self.places: tuple[int, ...] = ()

    def read(self, block: bytes) -> Sequence[bytes]:
        """The values of a block that is not laid out as the last one was; empty where a header is missing."""
        lines = block.count(b"\r\n")
        for layout in self._known.get(lines, ()):
            match = layout.match(block)
            if match is not None:
                self.usual, self.places = layout
                return match.group(*layout.places)
        return self._learn(block, lines)

    def _learn(self, block: bytes, lines: int) -> Sequence[bytes]:
        split = [line.partition(b": ") for line in block.split(b"\r\n")]
        chosen = authentic([key if colon else b"" for key, colon, _ in split], self._headers)
        found: dict[bytes, bytes] = {}
        pattern: list[bytes] = []
        for index, (key, colon, value) in enumerate(split):
            if colon and chosen.get(key) == index:
                # A lone CR ends a value here as it does in the pattern.
                found[key] = value.removeprefix(_NOTHING).partition(b"\r")[0]
                pattern.append(re.escape(key) + b": " + _VALUE)
            else:
                pattern.append(re.escape(key) + b": " + _ANY_VALUE if colon else _NO_HEADER)
        alike = self._known.setdefault(lines, []) if lines < _LINES and self._left else None
        if alike is not None and len(alike) < _ALIKE:
            self._left -= 1
            # The empty last group stands for every header this layout does not have.
            groups = {key: index for index, key in enumerate(found, 1)}
            places = tuple(groups.get(header, len(found) + 1) for header in self._headers)
            alike.append(_Layout(re.compile(b"\r\n".join(pattern) + b"()").fullmatch, places))
        return [found.get(header, b"") for header in self._headers]
