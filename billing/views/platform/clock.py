"""Whose day it is on the staff's pages: the platform's, wherever the server stands."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone


def today() -> date:
    return timezone.localdate(timezone=ZoneInfo(settings.PLATFORM_TIME_ZONE))


def month_before(day: date) -> date:
    """The first day of the month before that of ``day``."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def months_back(day: date, count: int) -> list[date]:
    """The first days of the last ``count`` months, that of ``day`` included, oldest first."""
    found = [day.replace(day=1)]
    while len(found) < count:
        found.append(month_before(found[-1]))
    return found[::-1]
