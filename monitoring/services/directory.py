"""Editing who is who: groups, queues, lines and statuses. Every change is checked, written down and told.

Nothing is deleted: a row is archived, and restored with everything it had unless its name was taken
meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.forms import ModelForm
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.models.archive import Archivable
from monitoring.models.audit import Outcome
from monitoring.models.lines import Line
from monitoring.models.queues import Queue
from monitoring.models.statuses import Status, StatusInterval
from monitoring.services import audit
from monitoring.services.commands import tell_directory_changed
from monitoring.services.errors import NotThere, Refused, ServiceError
from monitoring.services.numbers import why_taken
from tenants.people.models import User
from tenants.people.roles import Verb, can

Row = TypeVar("Row", bound=Model)
Kept = TypeVar("Kept", bound=Archivable)


class StillNeeded(ServiceError):
    """Something in use needs the row; the message says what, so that it can be changed first."""


def check(*, actor: User, verb: Verb, what: object) -> None:
    """Raise Refused, written down, unless ``actor`` may do ``verb``."""
    if not can(actor, verb):
        audit.record(actor=actor, verb=verb, kind=_kind(what), what=what, outcome=Outcome.REFUSED)
        raise Refused(_("You may not change this."))


def save(*, actor: User, verb: Verb, form: ModelForm[Row]) -> Row:
    """Store what a valid ``form`` holds: a new row or a changed one, with its links to others."""
    check(actor=actor, verb=verb, what=form.instance)
    assert form.is_valid(), "a form is asked before its row is saved"
    new = form.instance.pk is None
    with _nobody_was_faster(), transaction.atomic():
        _check_number(form.instance)
        row: Row = form.save()
        details: dict[str, object] = {"new": new, "changed": list(form.changed_data)}
        audit.record(actor=actor, verb=verb, kind=_kind(row), what=row, details=details)
        tell_directory_changed()
    return row


def archive(*, actor: User, verb: Verb, row: Kept) -> Kept:
    """Take ``row`` out of use. Raises Refused, NotThere (archived already) or StillNeeded; nothing changed
    then."""
    check(actor=actor, verb=verb, what=row)
    needed_by = _needed_by(row)
    if needed_by:
        raise StillNeeded(needed_by)
    with transaction.atomic():
        if not _all(row).filter(pk=row.pk, archived_at__isnull=True).update(archived_at=timezone.now()):
            raise NotThere(_("This is archived already."))
        audit.record(actor=actor, verb=verb, kind=_kind(row), what=row, details={"archived": True})
        tell_directory_changed()
    row.refresh_from_db(fields=["archived_at"])
    return row


def restore(*, actor: User, verb: Verb, row: Kept) -> Kept:
    """Bring ``row`` back into use. Raises Refused, or StillNeeded when its name or number was given to another."""
    check(actor=actor, verb=verb, what=row)
    row.archived_at = None
    try:
        row.validate_constraints()
    except ValidationError as error:
        row.refresh_from_db(fields=["archived_at"])
        raise StillNeeded(" ".join(error.messages)) from error
    with transaction.atomic():
        _check_number(row)
        row.save(update_fields=["archived_at"])
        audit.record(actor=actor, verb=verb, kind=_kind(row), what=row, details={"restored": True})
        tell_directory_changed()
    return row


def _check_number(row: object) -> None:
    if isinstance(row, Line | Queue) and (why := why_taken(row)):
        raise StillNeeded(why)


@contextmanager
def _nobody_was_faster() -> Iterator[None]:
    """Two admins may give one name at once: the form saw it free, the database did not."""
    try:
        yield
    except IntegrityError as error:
        raise StillNeeded(_("Somebody has just taken this name or number. Choose another one.")) from error


def _needed_by(row: Archivable) -> str:
    """Why ``row`` cannot go, as a sentence; empty when it can."""
    if isinstance(row, Queue):
        lines = Line.objects.live().filter(queue=row).values_list("number", flat=True)
        if lines:
            return _("Calls to %(numbers)s go to this queue. Send them elsewhere first.") % {
                "numbers": ", ".join(lines)
            }
    if isinstance(row, Status):
        if (
            not Status.objects.live().filter(kind=row.kind).exclude(pk=row.pk).exists()
            and row.kind == "available"
        ):
            return _("This is the only status in which calls are taken.")
        people = StatusInterval.objects.filter(status=row, ended__isnull=True).count()
        if people:
            return _("%(count)d people are in this status now. It can go when they have left it.") % {
                "count": people
            }
    return ""


def _all(row: Archivable) -> Any:
    return type(row)._default_manager


def _kind(what: object) -> str:
    return type(what).__name__.lower()
