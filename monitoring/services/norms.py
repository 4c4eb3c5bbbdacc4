"""A company's own norms: when a figure is a warning and when an alarm. None kept = the registry's default."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from monitoring.models.norms import Norm
from monitoring.services import audit
from monitoring.services.directory import check
from tenants.people.models import User
from tenants.people.roles import Verb

Limits = tuple[float | None, float | None]


def save(*, actor: User, norms: Mapping[str, Limits]) -> None:
    """Set (warning, alarm) of each named metric, in the metric's unit. Raises Refused; nothing changed
    then."""
    check(actor=actor, verb=Verb.EDIT_NORMS, what="norms")
    with transaction.atomic():
        for metric, (warning, alarm) in norms.items():
            Norm.objects.update_or_create(
                metric=metric,
                scope="company",
                scope_id=0,
                defaults={"warning": warning, "alarm": alarm},
            )
        audit.record(actor=actor, verb=Verb.EDIT_NORMS, kind="norm", what=", ".join(sorted(norms)))
