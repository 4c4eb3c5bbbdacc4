"""Which reviews somebody sees, and what they come to: averages for the page and for the statistics beside them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Avg, Count, Q, QuerySet

from monitoring.domain.scoring import Section, card
from monitoring.models.calls import Call
from monitoring.models.people import Manager
from monitoring.models.reviews import Review, ReviewState, Scorecard, ScorecardVersion
from monitoring.selectors.audience import board_rights
from tenants.people.models import Role, User
from tenants.people.roles import Verb, can

Average = tuple[float, int]


def seen_by(user: User) -> QuerySet[Review]:
    """An admin sees all, a supervisor those of the groups headed, a manager the own ones. A draft is its author's."""
    rows = Review.objects.select_related("manager", "call", "version__scorecard")
    finished = ~Q(state=ReviewState.DRAFT) | Q(author=user)
    if user.role == Role.MANAGER:
        return rows.filter(manager__user=user).exclude(state=ReviewState.DRAFT)
    rights = board_rights(user)
    if rights is None:
        return rows.filter(finished)
    return rows.filter(finished, groups__overlap=sorted(rights)) if rights else rows.none()


def averages(first: date, last: date, zone: str, groups: Collection[int] | None = None) -> dict[int, Average]:
    """Manager id → (mean percent, how many), of the reviews given on these days of ``zone``, both included.

    By the day it was given, so that a closed report stays as it was. ``groups``: None = of everybody; otherwise only
    of calls that happened in one of these groups.
    """
    rows = _given(first, last, zone, groups).values("manager").order_by("manager")
    return {
        r["manager"]: (float(r["mean"]), r["n"]) for r in rows.annotate(mean=Avg("percent"), n=Count("pk"))
    }


def averages_of_groups(
    first: date, last: date, zone: str, groups: Collection[int] | None = None
) -> dict[int, Average]:
    """The same by group id; a manager of two groups counts in both."""
    sums: dict[int, list[float]] = {}
    for percent, own in _given(first, last, zone, groups).values_list("percent", "groups"):
        for group in own:
            if groups is None or group in groups:
                sums.setdefault(group, []).append(percent or 0.0)
    return {group: (sum(values) / len(values), len(values)) for group, values in sums.items()}


def usable_cards() -> list[ScorecardVersion]:
    """The newest version of each scorecard in use, by title."""
    live = Scorecard.objects.live().order_by("title", "pk")
    return [version for row in live if (version := newest(row)) is not None]


def newest(scorecard: Scorecard) -> ScorecardVersion | None:
    return scorecard.versions.select_related("scorecard").order_by("-number").first()


def sections_of(version: ScorecardVersion) -> tuple[Section, ...]:
    return card(version.content)


def talkers(call: Call) -> list[Manager]:
    """Who of ours talked in the call, in the order they did: whose part can be reviewed."""
    legs = (
        call.legs.filter(talk_seconds__gt=0, manager__isnull=False).select_related("manager").order_by("rang")
    )
    return list({leg.manager.pk: leg.manager for leg in legs if leg.manager is not None}.values())


def offers(user: User, call: Call) -> list[tuple[Manager, int | None]]:
    """For a page about a call: each manager whose part ``user`` may review, with the review that is there already."""
    if not can(user, Verb.REVIEW, call):
        return []
    there = dict(seen_by(user).filter(call=call).values_list("manager", "pk"))
    return [(manager, there.get(manager.pk)) for manager in talkers(call) if not manager.is_own_of(user)]


def midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))


def _given(first: date, last: date, zone: str, groups: Collection[int] | None) -> QuerySet[Review]:
    rows = Review.objects.exclude(state=ReviewState.DRAFT).filter(
        given_at__gte=midnight(first, zone),
        given_at__lt=midnight(last + timedelta(days=1), zone),
        percent__isnull=False,
    )
    return rows if groups is None else rows.filter(groups__overlap=sorted(groups))
