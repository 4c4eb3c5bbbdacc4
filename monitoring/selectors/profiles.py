"""Which profiles somebody may open, what they may be made of, and what of one its opener really sees.

A profile only narrows: an opener who heads none of its groups sees nothing, and learns no name from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from monitoring.domain.watching import Sight
from monitoring.models.lines import Line
from monitoring.models.people import Group, Manager
from monitoring.models.profiles import Profile, ProfileActivity
from monitoring.models.queues import Queue
from monitoring.selectors.audience import board_rights
from tenants.people.models import Role, User


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person may narrow a profile to: rows in use that this person sees on the board."""

    groups: QuerySet[Any]
    queues: QuerySet[Any]
    lines: QuerySet[Any]
    managers: QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A profile as one person sees it. ``missing``: it is narrowed to something this person does not see."""

    profile: Profile
    sight: Sight
    missing: bool


def openable(user: User) -> QuerySet[Any]:
    """Profiles in use that ``user`` may open, each with ``is_on``."""
    found = with_switch(Profile.objects.live().select_related("maker"))
    if not user.is_active or user.role not in (Role.ADMIN, Role.SUPERVISOR):
        return found.none()
    if user.role == Role.ADMIN:
        return found
    shared = Exists(Profile.people.through.objects.filter(profile_id=OuterRef("pk"), user_id=user.pk))
    return found.filter(Q(maker=user) | Q(for_supervisors=True) | shared)


def archived_of(user: User) -> QuerySet[Any]:
    """Archived profiles that ``user`` may bring back."""
    found = with_switch(Profile.objects.archived().select_related("maker"))
    if user.role == Role.ADMIN:
        return found
    return found.filter(maker=user) if user.role == Role.SUPERVISOR else found.none()


def with_switch(profiles: QuerySet[Any]) -> QuerySet[Any]:
    on = ProfileActivity.objects.filter(profile=OuterRef("pk"), ended__isnull=True)
    found: QuerySet[Any] = profiles.annotate(is_on=Exists(on))
    return found


def choices_for(user: User) -> Choices:
    rights = board_rights(user)
    kinds: list[QuerySet[Any]] = [
        Group.objects.live(), Queue.objects.live(), Line.objects.live(), Manager.objects.live(),
    ]  # fmt: skip
    if rights is None:
        return Choices(*kinds)
    groups, *others = kinds
    seen = [kind.filter(pk__in=kind.filter(groups__in=rights).values("pk")) for kind in others]
    return Choices(groups.filter(pk__in=rights), *seen)


def may_share_with(user: User) -> QuerySet[User]:
    """Others who could open a profile at all."""
    heads = User.objects.filter(is_active=True, role__in=(Role.SUPERVISOR, Role.ADMIN))
    return heads.exclude(pk=user.pk).order_by("name", "email")


def seen_by(profile: Profile, user: User) -> Seen:
    """What of ``profile`` its opener sees: chosen rows in reach, none of the others and not even their names."""
    return _seen(profile, choices_for(user))


def _seen(profile: Profile, reach: Choices) -> Seen:
    missing = False

    def part(links: Any, allowed: QuerySet[Any], field: str) -> frozenset[Any] | None:
        nonlocal missing
        chosen = dict(links.values_list("pk", field))
        if not chosen:
            return None
        kept = set(allowed.filter(pk__in=chosen).values_list("pk", flat=True))
        missing = missing or len(kept) < len(chosen)
        return frozenset(chosen[pk] for pk in kept)

    sight = Sight(
        groups=part(profile.groups, reach.groups, "pk"),
        queues=part(profile.queues, reach.queues, "pbx_name"),
        lines=part(profile.lines, reach.lines, "number"),
        managers=part(profile.managers, reach.managers, "pbx_name"),
    )
    return Seen(profile, sight, missing)


def counted_groups(profile: Profile) -> frozenset[int] | None:
    """Whose figures the profile shows to its maker: an alert about it is for those who head all of these.

    None = the company's.
    """
    rights = board_rights(profile.maker)
    chosen = frozenset(profile.groups.filter(archived_at__isnull=True).values_list("pk", flat=True))
    if not chosen:
        return rights
    return chosen if rights is None else chosen & rights
