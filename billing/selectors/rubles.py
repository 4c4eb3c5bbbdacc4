"""Money as people read it, in one place: ``1 500,00 ₽`` in Russian, ``₽1,500.00`` in English, ``—`` for none.

Spaces within an amount do not break, so that it never stands on two lines.
"""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import get_language

from billing.domain.money import kopecks

NO_BREAK = "\u00a0"
MINUS = "\u2212"
NONE = "—"


def rubles(amount: Decimal | int | None) -> str:
    """``amount`` with kopecks, in the language of the page."""
    return _shown(amount, whole_short=False)


def rubles_short(amount: Decimal | int | None) -> str:
    """As ``rubles``, whole roubles without their ``,00``: for tables of prices."""
    return _shown(amount, whole_short=True)


def _shown(amount: Decimal | int | None, *, whole_short: bool) -> str:
    # A template's missing variable is an empty text; money that is not there is a dash either way.
    if amount is None or not isinstance(amount, Decimal | int):
        return NONE
    exact = kopecks(Decimal(amount))
    short = whole_short and exact == exact.to_integral_value()
    digits = f"{abs(exact):,.0f}" if short else f"{abs(exact):,.2f}"
    sign = MINUS if exact < 0 else ""
    if (get_language() or "ru").startswith("en"):
        return f"{sign}₽{digits}"
    return f"{sign}{digits.replace(',', NO_BREAK).replace('.', ',')}{NO_BREAK}₽"
