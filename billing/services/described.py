"""The invoice of a described case, as ``manage.py rate`` prints it. Reads no database and writes nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from billing.domain.rating import Line, rate
from billing.domain.vat import NoRate
from billing.selectors.described import Case, read_case
from billing.selectors.json_reading import Wrong
from billing.services import wording

Language = Literal["ru", "en"]


def answer(data: bytes, *, name: str, language: Language = "ru") -> dict[str, Any]:
    """``data``: the file, ``name``: what to call it where the whole of it is wrong. Raises json_reading.Wrong."""
    return rated(read_case(data, name=name), language=language)


def rated(case: Case, *, language: Language = "ru") -> dict[str, Any]:
    """Amounts are texts of roubles, days local and half-open like the case's own. Raises json_reading.Wrong."""
    try:
        bill = rate(case.period, case.phases, case.facts, case.rates)
    except NoRate as error:
        raise Wrong("vat.rates", str(error)) from error
    peak = bill.peak
    at = None if peak is None or peak.at is None else peak.at.astimezone(ZoneInfo(case.period.zone))
    return {
        "lines": [_line(line, language) for line in bill.lines],
        "total": _amount(bill.total),
        "vat": _amount(bill.vat),
        "state": bill.state.value,
        "peak": 0 if peak is None else peak.quantity,
        "peak_at": None if at is None else at.isoformat(),
    }


def _line(line: Line, language: Language) -> dict[str, Any]:
    money = line.money
    return {
        "what": wording.title(line, language),
        "quantity": line.charge.quantity,
        "amount": _amount(money.amount if money else None),
        "vat": _amount(money.vat if money else None),
        "net": _amount(money.net if money else None),
        "from": line.part.start.isoformat(),
        "to": line.part.end.isoformat(),
    }


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
