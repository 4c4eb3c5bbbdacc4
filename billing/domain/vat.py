"""Value added tax: computed and rounded per line, by the rate of the date of supply.

Source of the rule: BILLING decisions in docs/billing.md; the rates themselves are data (billing/data/tariffs.json,
then the table of rates), never code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from billing.domain.money import ZERO, kopecks


class VatMode(StrEnum):
    """Whether prices have the tax in them, get it on top, or there is none."""

    INCLUDED = "included"
    ON_TOP = "on_top"
    NONE = "none"


class NoRate(ValueError):
    """No rate is known for that date of supply."""


@dataclass(frozen=True, slots=True)
class Taxed:
    """One line's money: ``net`` + ``vat`` = ``amount``, what the company pays. ``rate``: percent, None without tax."""

    net: Decimal
    vat: Decimal
    amount: Decimal
    rate: Decimal | None


class VatRates:
    """Percents by the first day they hold."""

    def __init__(self, rates: Iterable[tuple[date, Decimal]]) -> None:
        self._rates = sorted(rates)

    def on(self, day: date) -> Decimal:
        """The rate for a supply on ``day``. Raises NoRate before the first known one."""
        held = [rate for since, rate in self._rates if since <= day]
        if not held:
            raise NoRate(f"No VAT rate is known for {day.isoformat()}.")
        return held[-1]


def taxed(price: Fraction | Decimal, *, mode: VatMode, rates: VatRates, supplied: date) -> Taxed:
    """``price`` as the tariff has it, rounded once, with its tax. Raises NoRate."""
    rounded = kopecks(price)
    if mode is VatMode.NONE:
        return Taxed(rounded, ZERO, rounded, None)
    rate = rates.on(supplied)
    if mode is VatMode.ON_TOP:
        tax = kopecks(Fraction(rounded) * Fraction(rate) / 100)
        return Taxed(rounded, tax, rounded + tax, rate)
    tax = kopecks(Fraction(rounded) * Fraction(rate) / (100 + Fraction(rate)))
    return Taxed(rounded - tax, tax, rounded, rate)
