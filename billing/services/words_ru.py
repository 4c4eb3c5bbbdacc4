"""An amount in words, as Russian papers want it: roubles written out, kopecks in figures, a capital at the start."""

from __future__ import annotations

from decimal import Decimal

from num2words import num2words

from billing.domain.money import kopecks


def in_words(amount: Decimal) -> str:
    """``amount`` in roubles, from 0: «Одна тысяча двести пятьдесят рублей 50 копеек»."""
    if amount < 0:
        raise ValueError("A paper says no negative amount in words.")
    text = str(
        num2words(kopecks(amount), lang="ru", to="currency", currency="RUB", separator="", cents=False)
    )
    return text[:1].upper() + text[1:]
