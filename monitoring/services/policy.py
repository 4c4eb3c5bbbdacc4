"""A company changes its rules about the past: checked, written down field by field, and acted upon at once.

Nothing is removed here; ``monitoring.clean`` does that, hour by hour and right after a shorter time was chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from celery import current_app
from django.db import transaction
from django.forms import ModelForm
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.models.audit import Outcome
from monitoring.models.policy import Policy
from monitoring.models.retention import Kind
from monitoring.selectors.policy import policy
from monitoring.services import audit, retention
from monitoring.services.commands import tell_directory_changed
from monitoring.services.errors import Refused
from tenants.people.models import User
from tenants.people.roles import Verb, can
from tenants.scope import current_company

KEPT: Mapping[str, Kind] = {
    "keep_calls": Kind.CALLS, "keep_recordings": Kind.RECORDINGS, "keep_events": Kind.EVENTS,
}  # fmt: skip


def consequences(wanted: Mapping[str, int]) -> dict[str, int]:
    """How many rows the days in ``wanted`` would remove now, of each field that is shorter than it was."""
    rules, now = policy(), timezone.now()
    shorter = {name: days for name, days in wanted.items() if name in KEPT and days < getattr(rules, name)}
    counts = {name: retention.older(KEPT[name], now - timedelta(days=days)) for name, days in shorter.items()}
    return {name: count for name, count in counts.items() if count}


def save(*, actor: User, form: ModelForm[Policy]) -> Policy:
    """Store what a valid ``form`` holds. Raises Refused; nothing changed then."""
    if not can(actor, Verb.EDIT_POLICY):
        audit.record(
            actor=actor, verb=Verb.EDIT_POLICY, kind="policy", what="policy", outcome=Outcome.REFUSED
        )
        raise Refused(_("You may not change this."))
    assert form.is_valid(), "a form is asked before its row is saved"
    before = policy()
    changed = {
        name: [_plain(getattr(before, name)), _plain(form.cleaned_data[name])] for name in form.changed_data
    }
    with transaction.atomic():
        rules: Policy = form.save()
        audit.record(actor=actor, verb=Verb.EDIT_POLICY, kind="policy", what="policy", details=changed)
        if "record_calls" in changed:
            tell_directory_changed()
    if set(changed) & KEPT.keys():
        start("monitoring.clean")
    return rules


def start(task: str, *args: object) -> None:
    """Give the company's ``task`` to a worker as soon as what was written can be read."""
    company = current_company()

    def send() -> None:
        current_app.loader.import_default_modules()  # a web process has not read the tasks yet
        current_app.tasks[task].delay(company, *args)

    transaction.on_commit(send)


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | list) else str(value)
