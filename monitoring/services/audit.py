"""The audit's only door: every command leaves a row, done or refused."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from monitoring.models.audit import AuditEntry, Outcome
from monitoring.models.text import visible
from tenants.people.models import User


def record(
    *,
    actor: User,
    verb: str,
    kind: str,
    what: object,
    outcome: Outcome = Outcome.DONE,
    details: Mapping[str, object] | None = None,
) -> AuditEntry:
    """Write who did ``verb`` to ``what``, now. A refusal must be recorded outside what is rolled back with
    it."""
    return AuditEntry.objects.create(
        at=timezone.now(),
        actor=actor if actor.pk else None,
        who=visible(str(actor), 120),
        verb=verb,
        kind=kind,
        what=visible(str(what), 160),
        outcome=outcome,
        details=dict(details or {}),
    )
