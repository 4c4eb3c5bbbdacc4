"""Notes and marks on calls. A note is its author's: only they change it or take it back, and that can be undone."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.models.audit import Outcome
from monitoring.models.calls import Call
from monitoring.models.notes import LONGEST_NOTE, CallMark, Mark, Note
from monitoring.services import audit
from monitoring.services.errors import NotThere, Refused, ServiceError
from tenants.people.models import User
from tenants.people.roles import Verb, can


class BadNote(ServiceError):
    """There is nothing in it, or too much."""


def write(*, author: User, call: Call, text: str) -> Note:
    """Add a note to ``call``. Raises Refused (written down) or BadNote."""
    _demand(author, call)
    with transaction.atomic():
        note = Note.objects.create(
            call=call, author=author, who=str(author.name or author)[:120], text=_checked(text),
            written=timezone.now(),
        )  # fmt: skip
        audit.record(
            actor=author, verb=Verb.WRITE_NOTE, kind="call", what=call.key, details={"note": note.pk}
        )
    return note


def edit(*, author: User, note: Note, text: str) -> Note:
    """Change the author's own note. Raises Refused (written down) or BadNote."""
    _demand(author, note.call, note)
    note.text, note.edited = _checked(text), timezone.now()
    with transaction.atomic():
        note.save(update_fields=["text", "edited"])
        audit.record(
            actor=author, verb=Verb.WRITE_NOTE, kind="call", what=note.call.key,
            details={"note": note.pk, "edited": True},
        )  # fmt: skip
    return note


def take_back(*, author: User, note: Note) -> None:
    """Hide the author's own note; ``put_back`` undoes it. Raises Refused (written down)."""
    _demand(author, note.call, note)
    _set_removed(author, note, removed=True)


def put_back(*, author: User, note: Note) -> None:
    """Undo ``take_back``. Raises Refused (written down)."""
    _demand(author, note.call, note)
    _set_removed(author, note, removed=False)


def set_mark(*, actor: User, call: Call, mark: Mark, on: bool) -> None:
    """Give ``call`` the mark, or take it off; twice is once. Raises Refused (written down) or NotThere."""
    _demand(actor, call)
    if on and mark.archived_at is not None:
        raise NotThere(_("This mark is no longer in use."))
    with transaction.atomic():
        if on:
            _row, changed = CallMark.objects.get_or_create(
                call=call, mark=mark, defaults={"actor": actor, "at": timezone.now()}
            )
        else:
            changed = bool(CallMark.objects.filter(call=call, mark=mark).delete()[0])
        if changed:
            audit.record(
                actor=actor, verb=Verb.WRITE_NOTE, kind="call", what=call.key,
                details={"mark": mark.label, "on": on},
            )  # fmt: skip


def _set_removed(author: User, note: Note, *, removed: bool) -> None:
    with transaction.atomic():
        changed = Note.objects.filter(pk=note.pk, removed__isnull=removed).update(
            removed=timezone.now() if removed else None
        )
        if changed:
            audit.record(
                actor=author, verb=Verb.WRITE_NOTE, kind="call", what=note.call.key,
                details={"note": note.pk, "removed": removed},
            )  # fmt: skip


def _demand(actor: User, call: Call, note: Note | None = None) -> None:
    if can(actor, Verb.WRITE_NOTE, call) and (note is None or note.author_id == actor.pk):
        return
    audit.record(actor=actor, verb=Verb.WRITE_NOTE, kind="call", what=call.key, outcome=Outcome.REFUSED)
    raise Refused(_("Only its author may change a note.") if note else _("You may not write on this call."))


def _checked(text: str) -> str:
    kept = text.replace("\r\n", "\n").replace("\0", "").strip()
    if not kept:
        raise BadNote(_("Write something first."))
    if len(kept) > LONGEST_NOTE:
        raise BadNote(_("A note has at most %(most)d characters.") % {"most": LONGEST_NOTE})
    return kept
