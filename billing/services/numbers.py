"""Numbers as they are printed: «СЧ-2026/000123» of an invoice and its act, «КС-2026/000004» of a credit note.

Series of several sellers stay apart by the seller's prefix; an invoice's number is never within a credit note's.
"""

from __future__ import annotations

_INVOICE, _CREDIT = "СЧ", "КС"


def invoice_number(prefix: str, year: int, number: int) -> str:
    return f"{_bare(prefix) or _INVOICE}-{year}/{number:06d}"


def credit_number(prefix: str, year: int, number: int) -> str:
    own = _bare(prefix)
    series = f"{_CREDIT}-{own}" if own and own != _INVOICE else _CREDIT
    return f"{series}-{year}/{number:06d}"


def _bare(prefix: str) -> str:
    return prefix.strip().strip("-/")
