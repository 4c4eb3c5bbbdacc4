"""One way to write a customer's number, so that the same person is found however a trunk spelled them."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers


@lru_cache(maxsize=20_000)
def customer_of(number: str, region: str = "RU") -> str:
    """Digits of E.164 without the plus ("74951234567"); what is no public number keeps its digits; "" for none.

    ``region``: ISO country whose way of dialling is meant when there is no country code. Never raises.
    """
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return _digits(number)
    if not phonenumbers.is_possible_number(parsed):
        return _digits(number)
    return f"{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"[:32]


def shown(customer: str, region: str = "RU") -> str:
    """``customer_of``'s answer as people write it: "+7 495 123-45-67", an extension as it is, "" for none."""
    try:
        parsed = phonenumbers.parse(f"+{customer}", region)
    except phonenumbers.NumberParseException:
        return customer
    if not phonenumbers.is_possible_number(parsed):
        return customer
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _digits(number: str) -> str:
    # ASCII only: a caller may write any digit Unicode knows, and none of those can be dialled.
    return "".join(c for c in number if "0" <= c <= "9")[:32]
