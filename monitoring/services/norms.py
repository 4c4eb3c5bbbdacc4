"""Norms of a company, a group, a queue or a monitoring profile: when a figure is a warning and when an alarm.

None kept = inherited, in the end from the registry's usual limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from monitoring.domain.limits import HOLD
from monitoring.models.audit import Outcome
from monitoring.models.norms import Norm, NormScope
from monitoring.models.people import Group
from monitoring.models.profiles import Profile
from monitoring.models.queues import Queue
from monitoring.services import audit
from monitoring.services.directory import check
from monitoring.services.errors import NotThere, Refused
from tenants.people.models import User
from tenants.people.roles import Verb, can

Limits = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Kept:
    """In the metric's unit; ``hold`` in seconds. See models.Norm."""

    warning: float | None
    alarm: float | None
    margin: float | None = None
    hold: float = HOLD


def save(
    *,
    actor: User,
    norms: Mapping[str, Kept | Limits | None],
    scope: NormScope = NormScope.COMPANY,
    number: int = 0,
) -> None:
    """Set each named metric's limits for the group, queue or profile of this number; None: inherit them again.

    Raises Refused or NotThere; nothing changed then.
    """
    verb = _demand(actor, scope, number)
    with transaction.atomic():
        for metric, limits in norms.items():
            here: dict[str, Any] = {"metric": metric, "scope": scope, "scope_id": number}
            if limits is None:
                Norm.objects.filter(**here).delete()
                continue
            kept = limits if isinstance(limits, Kept) else Kept(*limits)
            values = {
                "warning": kept.warning, "alarm": kept.alarm, "margin": kept.margin, "hold": int(kept.hold),
            }  # fmt: skip
            Norm.objects.update_or_create(**here, defaults=values)
        audit.record(
            actor=actor,
            verb=verb,
            kind="norm",
            what=", ".join(sorted(norms)),
            details={"scope": scope, "of": number},
        )


def _demand(actor: User, scope: NormScope, number: int) -> Verb:
    """A profile's norms are its maker's, all others an admin's."""
    if scope != NormScope.PROFILE:
        check(actor=actor, verb=Verb.EDIT_NORMS, what="norms")
        kind = {NormScope.GROUP: Group, NormScope.QUEUE: Queue}.get(scope)
        if kind is not None and not kind.objects.live().filter(pk=number).exists():
            raise NotThere(_("There is no such group or queue."))
        return Verb.EDIT_NORMS
    profile = Profile.objects.live().filter(pk=number).first()
    if profile is None:
        raise NotThere(_("This profile is archived."))
    if not can(actor, Verb.EDIT_PROFILE, profile.to_change):
        audit.record(actor=actor, verb=Verb.EDIT_PROFILE, kind="norm", what=profile, outcome=Outcome.REFUSED)
        raise Refused(_("You may not change this."))
    return Verb.EDIT_PROFILE
