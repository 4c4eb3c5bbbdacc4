"""Price models: one class each. A third is a class here, its name among the plans' models and its reading in terms.

A model says what it counts and what that costs for a whole month; the share of the month is rating's affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import ClassVar, Protocol

from billing.domain.metering import Measure, Measured


class Fee(StrEnum):
    """Whether the fee of the per-profile tariff is paid every month or once, on connection."""

    MONTHLY = "monthly"
    ONCE = "once"


class ChargeKind(StrEnum):
    BASE = "base"
    FURTHER = "further_profiles"
    TIER = "tier"
    AGREED = "agreed"
    UNAGREED = "unagreed"  # above the last tier and nothing agreed: there is no price to put here


@dataclass(frozen=True, slots=True)
class Charge:
    """``price``: for the whole month and the whole quantity, exact; None when a person must say it first.

    ``unit``: the price of one. ``prorated``: whether a part of a month pays a part.
    ``bounds``: the tier's calls, from and to inclusive.
    """

    kind: ChargeKind
    quantity: int
    unit: Decimal | None
    price: Fraction | None
    prorated: bool = True
    bounds: tuple[int, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What of a subscription a model may need. ``connected``: this segment is its first.

    ``paid_further``: further profiles whose connection was charged before (Fee.ONCE). ``days_in_month``: of the
    segment's month.
    """

    connected: bool = False
    paid_further: int = 0
    agreed: Decimal | None = None
    days_in_month: int = 30


class PriceModel(Protocol):
    """``name``: as in a plan's row and in ``manage.py rate``."""

    name: ClassVar[str]

    @property
    def measure(self) -> Measure: ...

    @property
    def internal(self) -> bool: ...

    def charges(self, measured: Measured, terms: Terms) -> list[Charge]: ...


@dataclass(frozen=True, slots=True)
class PerProfile:
    """``base`` a month with ``included`` monitoring profiles, ``further`` for each more."""

    name: ClassVar[str] = "per_profile"

    base: Decimal
    included: int
    further: Decimal
    fee: Fee = Fee.MONTHLY
    measure: Measure = Measure.PROFILES
    internal: ClassVar[bool] = False

    def charges(self, measured: Measured, terms: Terms) -> list[Charge]:
        if self.fee is Fee.ONCE:
            return self._once(measured, terms)
        charges = [Charge(ChargeKind.BASE, 1, self.base, Fraction(self.base))]
        if self.measure is Measure.PROFILE_DAYS:
            return charges + self._by_days(measured, terms)
        more = max(0, measured.quantity - self.included)
        if more:
            charges.append(Charge(ChargeKind.FURTHER, more, self.further, Fraction(self.further * more)))
        return charges

    def _by_days(self, measured: Measured, terms: Terms) -> list[Charge]:
        """Each day pays for what was on beyond the included ones; a day is one over the days of its month."""
        profile_days = sum(max(0, count - self.included) for count in measured.by_day)
        if not profile_days:
            return []
        price = Fraction(self.further) * Fraction(profile_days, terms.days_in_month)
        return [Charge(ChargeKind.FURTHER, profile_days, self.further, price, prorated=False)]

    def _once(self, measured: Measured, terms: Terms) -> list[Charge]:
        """Connection is paid in the month it happens, whole; a profile beyond the most ever paid for as well."""
        charges = []
        if terms.connected:
            charges.append(Charge(ChargeKind.BASE, 1, self.base, Fraction(self.base), prorated=False))
        more = max(0, measured.quantity - self.included - terms.paid_further)
        if more:
            price = Fraction(self.further * more)
            charges.append(Charge(ChargeKind.FURTHER, more, self.further, price, prorated=False))
        return charges


@dataclass(frozen=True, slots=True)
class Tier:
    """``up_to`` inclusive."""

    up_to: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class PerConcurrency:
    """The tier that holds the most calls handled at once; the lowest is paid for none too."""

    name: ClassVar[str] = "per_concurrency"

    tiers: Sequence[Tier]
    measure: Measure = Measure.CALLS
    internal: bool = False

    def __post_init__(self) -> None:
        bounds = [tier.up_to for tier in self.tiers]
        if not bounds or bounds != sorted(set(bounds)) or bounds[0] < 0:
            raise ValueError("Tiers go up, each with a bound of its own.")

    def tier_of(self, quantity: int) -> tuple[int, Tier] | None:
        """The tier ``quantity`` falls into and the first quantity of it; None above the last."""
        first = 0
        for tier in self.tiers:
            if quantity <= tier.up_to:
                return first, tier
            first = tier.up_to + 1
        return None

    def charges(self, measured: Measured, terms: Terms) -> list[Charge]:
        found = self.tier_of(measured.quantity)
        if found is not None:
            first, tier = found
            return [
                Charge(
                    ChargeKind.TIER, measured.quantity, tier.price, Fraction(tier.price),
                    bounds=(first, tier.up_to),
                )
            ]  # fmt: skip
        above = (self.tiers[-1].up_to + 1, None)
        if terms.agreed is None:
            return [Charge(ChargeKind.UNAGREED, measured.quantity, None, None, bounds=above)]
        return [
            Charge(ChargeKind.AGREED, measured.quantity, terms.agreed, Fraction(terms.agreed), bounds=above)
        ]
