"""Rows into CSV or XLSX, one at a time, so that what a stranger wrote stays text in every spreadsheet program."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import xlsxwriter
from django.utils.functional import Promise

from monitoring.models.exports import Form
from monitoring.models.text import visible

Cell = str | int | float | datetime | date | bool | None
Write = Callable[[Sequence[Cell]], None]

LONGEST_CELL = 2_000
# What a spreadsheet may take for the beginning of a formula, the wide forms of East Asian keyboards too.
_FORMULA = re.compile("^[\\s'\"]*[=+\\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20]")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]*\Z")


@dataclass(frozen=True, slots=True)
class Column:
    """``kind``: phone = a number as people write it; seconds and number stay numbers; moment is local time;
    share is 0…1. ``width`` in characters, for XLSX."""

    title: str | Promise
    kind: Literal["text", "phone", "number", "seconds", "share", "moment", "date"] = "text"
    width: int = 16


@contextmanager
def writer(form: Form, path: Path, columns: Sequence[Column], *, zone: str, language: str) -> Iterator[Write]:
    """A function that writes one row into ``path``; the file is complete when the block ends without an error.

    ``zone``: IANA name, the clock of the moments written. Memory does not grow with the rows.
    """
    make = _csv if form == Form.CSV else _xlsx
    with make(path, columns, ZoneInfo(zone), language) as write:
        yield write


def harmless(text: str) -> str:
    """``text`` so that no spreadsheet takes it for a formula: with an apostrophe before what looks like one."""
    return f"'{text}" if _FORMULA.match(text) else text


@contextmanager
def _csv(path: Path, columns: Sequence[Column], zone: ZoneInfo, language: str) -> Iterator[Write]:
    # With the mark of UTF-8, and with the separator the language's Excel expects: it asks nobody.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file, delimiter=";" if language == "ru" else ",")
        rows.writerow([harmless(str(column.title)) for column in columns])
        kinds = [column.kind for column in columns]

        def write(row: Sequence[Cell]) -> None:
            rows.writerow([_csv_cell(cell, kind, zone) for cell, kind in zip(row, kinds, strict=True)])

        yield write


def _csv_cell(cell: Cell, kind: str, zone: ZoneInfo) -> object:
    match cell:
        case None:
            return ""
        case bool():
            return int(cell)
        case datetime():
            return cell.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
        case date():
            return cell.isoformat()
        case float():
            return round(cell, 4)
        case int():
            return cell
    text = visible(cell, LONGEST_CELL)
    if kind == "phone" and _PHONE.match(text):
        return text.removeprefix("+")  # a leading plus would need an apostrophe; the digits say the same
    return harmless(text)


@contextmanager
def _xlsx(path: Path, columns: Sequence[Column], zone: ZoneInfo, language: str) -> Iterator[Write]:
    book = xlsxwriter.Workbook(
        path,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "dd.mm.yyyy hh:mm:ss" if language == "ru" else "yyyy-mm-dd hh:mm:ss",
            "tmpdir": str(path.parent),
        },
    )
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True, "bottom": 1})
    formats = {
        "share": book.add_format({"num_format": "0.0%"}),
        "seconds": book.add_format({"num_format": "0"}),
    }
    formats["date"] = book.add_format({"num_format": "dd.mm.yyyy" if language == "ru" else "yyyy-mm-dd"})
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width, formats.get(column.kind))
        sheet.write_string(0, place, str(column.title), bold)
    line = 0

    def write(row: Sequence[Cell]) -> None:
        nonlocal line
        line += 1
        for place, (cell, _column) in enumerate(zip(row, columns, strict=True)):
            _xlsx_cell(sheet, line, place, cell, zone)

    try:
        yield write
    finally:
        book.close()


def _xlsx_cell(sheet: Any, line: int, place: int, cell: Cell, zone: ZoneInfo) -> None:
    match cell:
        case None:
            return
        case bool() | int() | float():
            sheet.write_number(line, place, cell)
        case datetime():
            sheet.write_datetime(line, place, cell.astimezone(zone).replace(tzinfo=None))
        case date():
            sheet.write_datetime(line, place, cell)
        case str():
            # As a string whatever it looks like: no formula, no link, no number.
            sheet.write_string(line, place, visible(cell, LONGEST_CELL))
