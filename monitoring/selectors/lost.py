"""Whom nobody answered, as the page of lost calls asks: within whose reach, in which order, how the day stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from monitoring.models.calls import Call
from monitoring.models.lost import LostCall, LostState
from monitoring.models.people import Group, Manager
from monitoring.selectors.audience import board_rights
from tenants.people.models import Role, User

SHOWS = ("open", "mine", "nobodys", "overdue", "closed", "not_needed")


@dataclass(frozen=True, slots=True)
class Today:
    """Calls lost since the company's midnight, and what became of them."""

    lost: int
    in_time: int
    late: int
    by_hand: int
    open: int


def reach(user: User) -> QuerySet[LostCall]:
    """What this person may see: all, one's groups', or one's own and those of the own groups that nobody has."""
    every = LostCall.objects.all()
    if user.role == Role.MANAGER and user.is_active:
        groups = list(Group.objects.live().filter(managers__user=user).values_list("pk", flat=True))
        return every.filter(Q(owner__user=user) | Q(owner=None, groups__overlap=groups))
    rights = board_rights(user)
    return every if rights is None else every.filter(groups__overlap=sorted(rights))


def listed(user: User, *, show: str, now: datetime) -> QuerySet[LostCall]:
    """Cases (or, where no call is needed, calls) of one of SHOWS: what is due first comes first, what ended last."""
    rows = (
        reach(user).filter(tries__gt=0).select_related("call", "queue", "owner", "closed_by", "closing_call")
    )
    if show == "closed":
        ended = (LostState.CLOSED, LostState.CALLED_BACK, LostState.ANSWERED_LATER)
        return rows.filter(state__in=ended).order_by("-closed_at", "-pk")
    if show == "not_needed":
        return rows.filter(state=LostState.NOT_NEEDED).order_by("-lost_at", "-pk")
    rows = rows.filter(state=LostState.OPEN).order_by("deadline", "pk")
    if show == "mine":
        return rows.filter(owner__user=user)
    if show == "nobodys":
        return rows.filter(owner=None)
    return rows.filter(deadline__lt=now) if show == "overdue" else rows


def how_many(user: User, *, now: datetime) -> dict[str, int]:
    """Open cases behind each tab; one query."""
    found = (
        reach(user)
        .filter(state=LostState.OPEN, tries__gt=0)
        .aggregate(
            open=Count("pk"), mine=Count("pk", filter=Q(owner__user=user)), nobodys=Count("pk", filter=Q(owner=None)),
            overdue=Count("pk", filter=Q(deadline__lt=now)),
        )
    )  # fmt: skip
    return {name: int(count) for name, count in found.items()}


def today(user: User, *, since: datetime) -> Today:
    """``since``: the company's midnight. Those that need no call back are not counted."""
    called = Q(state__in=(LostState.CALLED_BACK, LostState.ANSWERED_LATER))
    found = (
        reach(user)
        .filter(lost_at__gte=since)
        .exclude(state=LostState.NOT_NEEDED)
        .aggregate(
            lost_=Count("pk"), in_time_=Count("pk", filter=called & Q(in_time=True)),
            late_=Count("pk", filter=called & Q(in_time=False)), by_hand_=Count("pk", filter=Q(state=LostState.CLOSED)),
            open_=Count("pk", filter=Q(state=LostState.OPEN)),
        )
    )  # fmt: skip
    return Today(**{name.rstrip("_"): int(count) for name, count in found.items()})


def attempts(rows: Sequence[LostCall]) -> dict[int, int]:
    """How often each open case was called back in vain: its row's id → calls that nobody answered."""
    wanted = {row.customer: row for row in rows if row.customer and row.state == LostState.OPEN}
    if not wanted:
        return {}
    since = min(row.lost_at for row in wanted.values())
    found: dict[int, int] = {}
    tried = Call.objects.filter(
        direction="out", customer__in=list(wanted), started__gte=since, answered=None, ended__isnull=False
    )
    for customer, started in tried.values_list("customer", "started"):
        if started >= wanted[customer].lost_at:
            found[wanted[customer].pk] = found.get(wanted[customer].pk, 0) + 1
    return found


def candidates(lost: LostCall) -> QuerySet[Manager]:
    """Who may be given the case: people of the groups it belongs to."""
    return Manager.objects.live().filter(groups__in=lost.groups, groups__archived_at=None).distinct()


def tries_of(lost: LostCall) -> QuerySet[Any]:
    """Every call of the case, the first one first."""
    return LostCall.objects.filter(case_key=lost.case_key).select_related("call").order_by("lost_at", "pk")


def first_of(lost: LostCall) -> LostCall:
    """The row that speaks for the case."""
    return LostCall.objects.filter(case_key=lost.case_key).order_by(F("tries").desc(), "pk").first() or lost
