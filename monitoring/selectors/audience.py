"""Whose calls and people somebody may see on the board: group ids, or everything."""

from __future__ import annotations

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
