"""Lists of the staff's pages as XLSX: amounts stay numbers, and what a stranger wrote stays text in every program."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Literal
from zoneinfo import ZoneInfo

import xlsxwriter
from django.utils.functional import Promise
from django.utils.translation import get_language

Cell = str | int | Decimal | float | datetime | date | None
LONGEST_CELL = 2_000
# What is not to be seen, or turns the text around it: control, format, surrogate, private and unassigned signs.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}


@dataclass(frozen=True, slots=True)
class Column:
    """``width`` in characters."""

    title: str | Promise
    kind: Literal["text", "money", "number", "share", "moment", "date", "month"] = "text"
    width: int = 16


def workbook(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, zone: str = "UTC") -> bytes:
    """One sheet with ``columns`` and ``rows``. ``zone``: the clock its moments are written by."""
    out = BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(out, options)
    sheet = book.add_worksheet()
    day = "dd.mm.yyyy" if (get_language() or "ru").startswith("ru") else "yyyy-mm-dd"
    shapes = {
        "money": "# ##0.00" if day == "dd.mm.yyyy" else "#,##0.00",
        "number": "0",
        "share": "0%",
        "moment": f"{day} hh:mm:ss",
        "date": day,
        "month": "mm.yyyy" if day == "dd.mm.yyyy" else "yyyy-mm",
    }
    formats = {kind: book.add_format({"num_format": shape}) for kind, shape in shapes.items()}
    bold = book.add_format({"bold": True, "bottom": 1})
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, str(column.title), bold)
    clock = ZoneInfo(zone)
    for line, row in enumerate(rows, start=1):
        for place, (cell, column) in enumerate(zip(row, columns, strict=True)):
            _write(sheet, line, place, cell, formats.get(column.kind), clock)
    book.close()
    return out.getvalue()


def seen(text: str) -> str:
    """``text`` without signs nobody sees, not longer than a cell takes."""
    shown = "".join(
        " " if unicodedata.category(sign) in _UNSEEN else sign for sign in text[: 2 * LONGEST_CELL]
    )
    return shown[:LONGEST_CELL]


def _write(sheet: Any, line: int, place: int, cell: Cell, shape: Any, clock: ZoneInfo) -> None:
    match cell:
        case None:
            return
        case datetime():
            sheet.write_datetime(line, place, cell.astimezone(clock).replace(tzinfo=None), shape)
        case date():
            sheet.write_datetime(line, place, cell, shape)
        case Decimal() | int() | float():
            sheet.write_number(line, place, cell, shape)
        case str():
            # As a string whatever it looks like: no formula, no link, no number.
            sheet.write_string(line, place, seen(cell))
