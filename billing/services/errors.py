"""What a billing service may answer instead of doing its work. Messages are gettext text, fit to be shown.

BillingError
├── NotThere   the object is not there, or is another company's
├── NotNow     its state does not allow that (an issued invoice, a plan that is invoiced already)
├── BadTerms   prices or dates that make no tariff
└── NotPriced  above the last tier and nothing agreed: a person must say the price first
"""

from __future__ import annotations


class BillingError(Exception):
    """``message`` is shown to the person as it is."""

    def __init__(self, message: object) -> None:
        super().__init__(message)
        self.message = message


class NotThere(BillingError):
    pass


class NotNow(BillingError):
    pass


class BadTerms(BillingError):
    pass


class NotPriced(BillingError):
    pass
