"""Alerts as somebody may see them: an admin all, a supervisor those of the groups headed, a manager none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from monitoring.models.alerts import Alert, AlertRule, AlertWatch
from monitoring.models.norms import NormScope
from monitoring.selectors.audience import board_rights
from monitoring.selectors.profiles import openable
from tenants.people.models import Role, User

# Norms are looked at every quarter of a minute; after so long nobody looks.
SILENT_AFTER = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Watching:
    """Whether norms are being looked at. ``since``: from when not; ``cause``: a key of the page's words."""

    blind: bool
    since: datetime | None = None
    cause: str = ""


def seen_by(user: User) -> QuerySet[Any]:
    """Alerts within ``user``'s reach, newest first: the same rule as ``Alert.is_headed_by``, for all at once."""
    found = Alert.objects.select_related("owner", "seen_by")
    if not user.is_active or user.role not in (Role.ADMIN, Role.SUPERVISOR):
        return found.none()
    rights = board_rights(user)
    if rights is None:
        return found
    if not rights:
        return found.none()
    heads = sorted(rights)
    profiles = list(openable(user).values_list("pk", flat=True))
    of_profiles = Q(scope=NormScope.PROFILE, scope_id__in=profiles, groups__contained_by=heads)
    return found.filter(
        (~Q(scope=NormScope.PROFILE) & Q(groups__overlap=heads)) | (of_profiles & ~Q(groups=[]))
    )


def unseen(user: User) -> tuple[int, bool]:
    """How many open alerts nobody has seen yet, and whether one of them is an alarm."""
    levels = list(
        seen_by(user).filter(ended__isnull=True, seen_at__isnull=True).values_list("level", flat=True)
    )
    return len(levels), "alarm" in levels


def rule_of(user: User) -> AlertRule:
    """What this person wants letters about; an unsaved row of defaults when none is kept."""
    return AlertRule.objects.filter(user=user).first() or AlertRule(user=user)


def watching(now: datetime | None = None) -> Watching:
    moment = now or timezone.now()
    row = AlertWatch.objects.filter(pk=1).first()
    if row is None:
        return Watching(True, None, "never")
    if row.blind_since is not None:
        return Watching(True, row.blind_since, row.cause)
    if row.looked_at is None or moment - row.looked_at > SILENT_AFTER:
        return Watching(True, row.looked_at, "silent")
    return Watching(False)


def figure(unit: str, value: float | None) -> str:
    """A figure as the pages write it: minutes and seconds, per cent, a whole number, a dash for none."""
    if value is None:
        return "—"
    if unit == "seconds":
        whole = round(value)
        hours, rest = divmod(whole, 3600)
        minutes, seconds = divmod(rest, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{value * 100:.0f} %" if unit == "share" else f"{value:g}"
