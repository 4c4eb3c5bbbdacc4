"""What a service may answer instead of doing its work. Messages are gettext text, fit to be shown.

ServiceError
├── Refused       the actor has no right to it; nothing changed, the refusal is in the audit
├── NotThere      the object is archived, unknown or another company's
├── LimitReached  one more call of the portal's is more than the company allows itself at once
└── Busy          others kept changing the same thing; trying again is safe
"""

from __future__ import annotations


class ServiceError(Exception):
    """``message`` is shown to the person as it is."""

    def __init__(self, message: object) -> None:
        super().__init__(message)
        self.message = message


class Refused(ServiceError):
    pass


class NotThere(ServiceError):
    pass


class LimitReached(ServiceError):
    pass


class Busy(ServiceError):
    pass
