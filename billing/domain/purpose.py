"""Which invoice a payment's purpose names, as people write it: «оплата по сч. № СЧ 2026 / 15 от 01.07.26».

Spaces, №, dashes, case, leading zeros and letters that look alike in both alphabets make no difference; days do not
count as numbers.
"""

from __future__ import annotations

import re

# Seen alike, typed from either keyboard.
_ALIKE = str.maketrans("ABCEHKMOPTXYУЁ", "АВСЕНКМОРТХУУЕ")
_DAYS = re.compile(r"\b(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2})\b(?!\s*[-/]?\s*\d)")
_PIECE = re.compile(r"[^\W\d_]+|[0-9]+")
_MARKS = {
    word.upper().translate(_ALIKE)
    for word in (
        "n", "no", "nr", "номер", "сч", "счет", "счета", "счету", "счетом", "инвойс", "inv", "invoice", "bill",
    )
}  # fmt: skip
_MOST = 9  # digits of a number anybody would look for


def numbers_in(purpose: str) -> set[int]:
    """Every whole number that could be an invoice's: to ask the database by."""
    digits = (piece.lstrip("0") for piece in _PIECE.findall(_without_days(purpose)) if piece.isdecimal())
    return {int(piece) for piece in digits if 0 < len(piece) <= _MOST}


def names(purpose: str, full_number: str) -> bool:
    """Whether ``purpose`` names the invoice: by its whole number, or by the end of it where it says "№" or "счёт"."""
    text = _without_days(purpose)
    said = _pieces(text)
    wanted = [piece for piece, _at in _pieces(full_number)]
    return any(
        [piece for piece, _at in said[start : start + len(tail)]] == tail
        # A bare number is an invoice's only where the text says so: 22 may be a per cent, 1500 the amount.
        and ((len(tail) > 1 and tail == wanted) or _is_marked(text, said, start))
        for tail in (wanted[skipped:] for skipped in range(len(wanted)))
        for start in range(len(said) - len(tail) + 1)
    )


def _is_marked(text: str, said: list[tuple[str, int]], at: int) -> bool:
    before = text[: said[at][1]].rstrip(" .:-\u00a0")
    return before.endswith(("№", "#")) or (at > 0 and said[at - 1][0] in _MARKS)


def _pieces(text: str) -> list[tuple[str, int]]:
    """Runs of letters and of digits, told apart even where nothing stands between them, and where they begin."""
    return [(_same(found[0]), found.start()) for found in _PIECE.finditer(text)]


def _same(piece: str) -> str:
    return (piece.lstrip("0") or "0") if piece.isdecimal() else piece.upper().translate(_ALIKE)


def _without_days(text: str) -> str:
    return _DAYS.sub(lambda day: " " * len(day[0]), text)
