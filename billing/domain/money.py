"""Roubles with kopecks. An amount is a Decimal of two places; a share of one is exact until it is rounded, once."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

ZERO = Decimal("0.00")
_KOPECK = Decimal("0.01")


def kopecks(amount: Decimal | Fraction | int) -> Decimal:
    """``amount`` in roubles to the kopeck; a half goes away from zero (ROUND_HALF_UP)."""
    if isinstance(amount, Decimal):
        return amount.quantize(_KOPECK, rounding=ROUND_HALF_UP)
    # Exactly: a quotient such as 1000/31 has no Decimal, and rounding it twice could go wrong at a half.
    exact = Fraction(amount) * 100
    whole = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return (Decimal(whole if exact >= 0 else -whole) / 100).quantize(_KOPECK)


def share(price: Decimal, part: Fraction) -> Fraction:
    """``part`` of ``price``, exact."""
    return Fraction(price) * part
