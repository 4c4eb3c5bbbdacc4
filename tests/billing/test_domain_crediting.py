"""Money given back divides over VAT rates without losing or making a kopeck, in however many steps."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.domain.crediting import RateShare, by_rate, divided, left
from billing.domain.money import ZERO, kopecks

# A busy machine draws slowly, which is no fault of anybody.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

RATES = [None, Decimal(0), Decimal(10), Decimal(20), Decimal(22)]


def share(rate: Decimal | None, amount: Decimal) -> RateShare:
    """With the VAT a price of that size has inside."""
    return RateShare(
        rate,
        amount,
        ZERO if rate is None else kopecks(Fraction(amount) * Fraction(rate) / (100 + Fraction(rate))),
    )


amounts = st.integers(1, 10_000_000).map(lambda kopecks: Decimal(kopecks) / 100)
invoices = st.lists(st.builds(share, st.sampled_from(RATES), amounts), min_size=1, max_size=6).map(by_rate)


@settings(PATIENT, max_examples=600)
@given(invoice=invoices, steps=st.lists(st.integers(1, 1000), min_size=1, max_size=6))
def test_what_is_given_back_in_steps_is_all_there_was(invoice: list[RateShare], steps: list[int]) -> None:
    whole, tax = sum(part.amount for part in invoice), sum(part.vat for part in invoice)
    gone: list[RateShare] = []
    for step in steps:
        standing = left(invoice, gone)
        rest = sum((part.amount for part in standing), ZERO)
        if not rest:
            break
        amount = min(rest, max(kopecks(rest * step / 1000), Decimal("0.01")))
        parts = divided(standing, amount)
        assert sum(part.amount for part in parts) == amount
        assert all(part.amount > 0 and 0 <= part.vat <= part.amount for part in parts)
        gone += parts
        assert all(part.amount >= 0 and part.vat >= 0 for part in left(invoice, gone))
    rest = sum((part.amount for part in left(invoice, gone)), ZERO)
    if rest:
        gone += divided(left(invoice, gone), rest)
    assert sum(part.amount for part in gone) == whole
    assert sum(part.vat for part in gone) == tax


@settings(PATIENT, max_examples=300)
@given(invoice=invoices, part=st.integers(1, 999))
def test_each_rate_gives_its_share_to_the_kopeck(invoice: list[RateShare], part: int) -> None:
    whole = sum((each.amount for each in invoice), ZERO)
    amount = max(kopecks(whole * part / 1000), Decimal("0.01"))
    given_back = {each.rate: each.amount for each in divided(invoice, amount)}
    for each in invoice:
        exact = Fraction(amount) * Fraction(each.amount) / Fraction(whole)
        assert abs(Fraction(given_back.get(each.rate, ZERO)) - exact) < Fraction(1, 100)


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "1500.01"])
def test_nothing_and_more_than_there_is_are_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="cannot be given back"):
        divided([share(Decimal(22), Decimal("1500.00"))], Decimal(amount))


def test_a_share_that_comes_out_even_is_given_no_more() -> None:
    """0.02 of 0.03 and 0.03: each 0.01 exactly; of three such, 0.04, one gets the kopeck left over."""
    even = [RateShare(Decimal(22), Decimal("0.03"), ZERO), RateShare(Decimal(20), Decimal("0.03"), ZERO)]
    assert [part.amount for part in divided(even, Decimal("0.02"))] == [Decimal("0.01"), Decimal("0.01")]
    three = [*even, RateShare(Decimal(10), Decimal("0.03"), ZERO)]
    assert sorted(part.amount for part in divided(three, Decimal("0.04"))) == [
        Decimal("0.01"), Decimal("0.01"), Decimal("0.02"),
    ]  # fmt: skip
