"""Who may watch the board, asked of the database: once at the door, then every two seconds for all sockets together.

A person who was disabled, demoted or signed out loses the socket within seconds; one who heads other groups now
sees those from the next moment on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from channels.db import database_sync_to_async

from monitoring.domain.audience import Audience
from monitoring.selectors.audience import board_rights_of
from tenants.models import Pbx
from tenants.people.models import User
from tenants.people.roles import Verb, can
from tenants.scope import company_scope


class Admission(NamedTuple):
    """What a visitor may watch. ``pbxs``: keys of the company's PBXs, so that a missing collector is seen."""

    audience: Audience
    pbxs: frozenset[str]


@database_sync_to_async
def admissions(company: str, user_ids: Iterable[int]) -> dict[int, Admission]:
    """For those of a company's people who may see the board, what of it. Three queries for any number of people."""
    with company_scope(company):
        users = [user for user in User.objects.filter(pk__in=set(user_ids)) if can(user, Verb.SEE_BOARD)]
        pbxs = _pbxs(company)
        return {user_id: Admission(audience, pbxs) for user_id, audience in board_rights_of(users).items()}


def _pbxs(company: str) -> frozenset[str]:
    keys = Pbx.objects.filter(enabled=True, companies__schema_name=company).values_list("pk", flat=True)
    return frozenset(str(key) for key in keys)
