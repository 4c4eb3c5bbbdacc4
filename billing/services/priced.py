"""A line of an invoice as papers want it: a quantity and a price with VAT whose product is the sum, to the kopeck."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from billing.models import InvoiceLine


@dataclass(frozen=True, slots=True)
class Unit:
    """``name`` as printed; ``code``, ``full``, ``international``: of the classifier of units (ОКЕИ)."""

    name: str
    code: str
    full: str
    international: str


PIECE = Unit("шт.", "796", "Штука", "PCE")
SERVICE = Unit("усл.", "796", "Штука", "PCE")


@dataclass(frozen=True, slots=True)
class Priced:
    """``price`` × ``quantity`` = ``amount``, all with VAT."""

    quantity: int
    unit: Unit
    price: Decimal
    amount: Decimal


def priced(line: InvoiceLine) -> Priced | None:
    """None while a price is to be agreed.

    Profiles are counted; where the sum does not divide by their number, and for all else, it is one service.
    """
    if line.amount is None:
        return None
    if line.kind == "further_profiles" and line.quantity:
        price = line.amount / line.quantity
        if price == round(price, 2):
            return Priced(line.quantity, PIECE, round(price, 2), line.amount)
    return Priced(1, SERVICE, line.amount, line.amount)
