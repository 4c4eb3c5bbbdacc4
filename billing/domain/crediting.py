"""How money given back divides over the VAT rates of an invoice, to the kopeck, so that all of it is all of its VAT.

A rate takes its share by what is left of it. A share's VAT is computed at its rate; whoever takes the last rouble of
a rate takes what VAT is left of it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.domain.money import ZERO, kopecks


@dataclass(frozen=True, slots=True)
class RateShare:
    """Roubles with VAT, and the VAT in them. ``rate``: percent, None without the tax."""

    rate: Decimal | None
    amount: Decimal
    vat: Decimal

    @property
    def net(self) -> Decimal:
        return self.amount - self.vat


def by_rate(parts: Iterable[RateShare]) -> list[RateShare]:
    """One share for each rate, the highest rate first, what is without the tax last."""
    sums: dict[Decimal | None, tuple[Decimal, Decimal]] = {}
    for part in parts:
        amount, vat = sums.get(part.rate, (ZERO, ZERO))
        sums[part.rate] = (amount + part.amount, vat + part.vat)
    shares = [RateShare(rate, amount, vat) for rate, (amount, vat) in sums.items()]
    return sorted(shares, key=lambda share: (share.rate is None, -(share.rate or 0)))


def left(whole: Iterable[RateShare], gone: Iterable[RateShare]) -> list[RateShare]:
    """What stays of each rate."""
    return by_rate([*whole, *(RateShare(part.rate, -part.amount, -part.vat) for part in gone)])


def divided(standing: Sequence[RateShare], amount: Decimal) -> list[RateShare]:
    """``amount`` over what stands, in proportion; shares of nothing are left out.

    Raises ValueError for more than there is. Left-over kopecks go to those whom rounding down took the most from,
    so no share is a whole kopeck off.
    """
    bases = [max(share.amount, ZERO) for share in standing]
    whole = sum(bases, ZERO)
    if not 0 < amount <= whole:
        raise ValueError(f"{amount} of {whole} cannot be given back.")
    exact = [Fraction(amount) * Fraction(base) / Fraction(whole) for base in bases]
    parts = [Decimal(int(part * 100)) / 100 for part in exact]
    missing = int((amount - sum(parts, ZERO)) * 100)
    order = sorted(range(len(parts)), key=lambda n: (Fraction(parts[n]) - exact[n], n))
    for n in order[:missing]:
        parts[n] += Decimal("0.01")
    return [_share(share, kopecks(part)) for share, part in zip(standing, parts, strict=True) if part]


def _share(share: RateShare, amount: Decimal) -> RateShare:
    if share.rate is None:
        return RateShare(None, amount, ZERO)
    if amount >= share.amount:
        return RateShare(share.rate, amount, min(max(share.vat, ZERO), amount))
    tax = kopecks(Fraction(amount) * Fraction(share.rate) / (100 + Fraction(share.rate)))
    return RateShare(share.rate, amount, min(tax, max(share.vat, ZERO)))
