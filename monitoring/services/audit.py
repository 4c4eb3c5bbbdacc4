"""The audit's only door: every command leaves a row, done or refused."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from monitoring.models.audit import AuditEntry, Outcome
from monitoring.models.text import visible
from tenants.people.models import User
from tenants.scope import current_company_or_none


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
    # A stranger's number would be one of our own people's: only the name is kept.
    ours = actor.pk is not None and actor.company == current_company_or_none()
    return AuditEntry.objects.create(
        at=timezone.now(),
        actor=actor if ours else None,
        who=visible(str(actor), 120),
        verb=verb,
        kind=kind,
        what=visible(str(what), 160),
        outcome=outcome,
        details=dict(details or {}),
    )
