"""The company's rules; the defaults while nobody has changed them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.module_loading import import_string

from monitoring.models.policy import Policy
from tenants.scope import current_company

# No call lasts so long: one whose end was missed is reconciled within minutes. Bounds what is read before a period.
LONGEST_CALL = timedelta(days=7)


def policy() -> Policy:
    """Inside ``company_scope``. One query; an unsaved row of defaults when none is kept."""
    return Policy.objects.filter(pk=1).first() or Policy()


def calls_kept_since(now: datetime, *, rules: Policy | None = None) -> datetime:
    """Calls from before this moment go. Those of a month that is not invoiced yet stay whatever the rule says."""
    by_rule = now - timedelta(days=(rules or policy()).keep_calls)
    needed: datetime | None = import_string(settings.CALLS_NEEDED)(current_company(), now=now)
    return by_rule if needed is None else min(by_rule, needed - LONGEST_CALL)
