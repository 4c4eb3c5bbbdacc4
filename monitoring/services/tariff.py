"""The gate before a call that the portal itself places: whoever bills the company may say that it is one too many.

Monitoring knows no tariffs; it asks by a name in the settings. Calls that live are never asked about.
"""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from monitoring.services.errors import LimitReached
from tenants.scope import current_company


def check_may_place() -> None:
    """Ask before placing a call, inside the company's scope. Raises LimitReached with the reason, fit to be shown."""
    why = import_string(settings.PORTAL_CALL_CHECK)(current_company())
    if why:
        raise LimitReached(why)
