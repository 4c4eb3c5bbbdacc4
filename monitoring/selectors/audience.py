"""Whose calls and people somebody may see on the board: group ids, or everything."""

from __future__ import annotations

from collections.abc import Iterable

from monitoring.models.people import Group
from tenants.people.models import Role, User


def board_rights(user: User) -> frozenset[int] | None:
    """Ids of the groups ``user`` heads; None = the whole company (its admin); empty = nothing at all."""
    if not user.is_active:
        return frozenset()
    if user.role == Role.ADMIN:
        return None
    if user.role == Role.SUPERVISOR:
        return frozenset(Group.objects.live().filter(supervisors__user=user).values_list("pk", flat=True))
    return frozenset()


def board_rights_of(users: Iterable[User]) -> dict[int, frozenset[int] | None]:
    """``board_rights`` of many people by one query: user id → audience."""
    asked = list(users)
    heads: dict[int, set[int]] = {}
    supervisors = [user.pk for user in asked if user.is_active and user.role == Role.SUPERVISOR]
    if supervisors:
        pairs = Group.objects.live().filter(supervisors__user__in=supervisors)
        for user_id, group_id in pairs.values_list("supervisors__user_id", "pk"):
            heads.setdefault(user_id, set()).add(group_id)
    return {
        user.pk: None if user.is_active and user.role == Role.ADMIN else frozenset(heads.get(user.pk, ()))
        for user in asked
    }
