"""Tables as files: asked for by a person, made in the background with bounded memory, fetched within a day.

A page makes its table exportable by ``register``; who may see which rows is the business of the kind's ``rows``,
which is asked again, with the owner's rights of that moment, when the file is made.
"""

from __future__ import annotations

import logging
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage
from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from monitoring.models.audit import Outcome
from monitoring.models.exports import Export, Form, State
from monitoring.models.text import visible
from monitoring.selectors.audience import board_rights
from monitoring.services import audit
from monitoring.services.errors import Busy, NotThere, Refused, ServiceError
from monitoring.services.tables import Cell, Column, writer
from tenants.people.models import User
from tenants.people.roles import Verb, can
from tenants.scope import current_company

logger = logging.getLogger(__name__)

KEPT = timedelta(days=1)
MOST_AT_ONCE = 3  # of one person
MOST_ROWS = 500_000  # Excel ends at a million; a file of this size still opens
TURNS = 3
SILENT = timedelta(minutes=2)  # a maker that has not been heard of for so long is dead
TOLD_EVERY = 1.0  # seconds between two signs of life


class TooMuch(ServiceError):
    """More was asked for than a file may hold; the message says what to do."""


class _Stopped(Exception):
    """Somebody cancelled it, or another maker has taken over."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What ``rows``, ``columns`` and ``count`` are given. ``zone``: the company's, for whatever has a local time."""

    owner: User
    question: Mapping[str, Any]
    zone: str


Text = str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """``count(asked, limit)``: rows there will be, counted no further than ``limit``; None = not known before."""

    name: str
    title: Callable[[Asked], str]
    columns: Callable[[Asked], Sequence[Column]]
    rows: Callable[[Asked], Iterator[Sequence[Cell]]]
    count: Callable[[Asked, int], int] | None
    verb: Verb


KINDS: dict[str, Kind] = {}


def register(
    name: str,
    columns: Sequence[Column] | Callable[[Asked], Sequence[Column]],
    rows: Callable[[Asked], Iterator[Sequence[Cell]]],
    *,
    title: Text | Callable[[Asked], str],
    count: Callable[[Asked, int], int] | None = None,
    verb: Verb = Verb.EXPORT_HISTORY,
) -> None:
    """Make tables of this kind exportable. Call it when a module is imported, by the web's processes and the workers'.

    ``rows`` yields one sequence of cells a row, as many as there are columns, and must not gather them in memory.
    """
    KINDS[name] = Kind(
        name=name,
        title=title if callable(title) else lambda _asked: str(title),
        columns=columns if callable(columns) else lambda _asked: columns,
        rows=rows,
        count=count,
        verb=verb,
    )


def ask(*, owner: User, kind: str, question: Mapping[str, Any], form: str, zone: str) -> Export:
    """Queue a file for ``owner``; its making starts when the transaction is over.

    Raises Refused (written down), NotThere for an unknown kind or form, Busy when this person has enough under way.
    """
    known = KINDS.get(kind)
    if known is None or form not in Form.values:
        raise NotThere(_("There is no such export."))
    if not can(owner, known.verb):
        audit.record(actor=owner, verb=known.verb, kind="export", what=kind, outcome=Outcome.REFUSED)
        raise Refused(_("You may not export this."))
    now = timezone.now()
    asked = Asked(owner, question, zone)
    with transaction.atomic():
        # The person's row is the lock: two tabs may not both be the third.
        User.objects.select_for_update().get(pk=owner.pk)
        if (
            Export.objects.filter(owner=owner, state__in=(State.WAITING, State.RUNNING)).count()
            >= MOST_AT_ONCE
        ):
            raise Busy(_("Your other exports are still being made. Wait for one of them, or cancel it."))
        export = Export.objects.create(
            owner=owner, kind=kind, title=visible(known.title(asked), 120), form=form,
            language=translation.get_language() or settings.LANGUAGE_CODE, question={**question, "zone": zone},
            asked=now, beat=now, expires=now + KEPT,
        )  # fmt: skip
        audit.record(
            actor=owner, verb=known.verb, kind="export", what=export, details={"question": dict(question)}
        )
        company = current_company()
        transaction.on_commit(lambda: _start(company, export.pk))
    return export


def cancel(*, owner: User, export: Export) -> None:
    """Stop the making of the person's own export; a finished one is deleted with its file."""
    _own(owner, export)
    stopped = Export.objects.filter(pk=export.pk, state__in=(State.WAITING, State.RUNNING)).update(
        state=State.CANCELLED, file=""
    )
    if not stopped:
        drop(export)


def fetched(*, owner: User, export: Export) -> tuple[Storage, str]:
    """Where the person's own finished file lies; written down. Raises NotThere."""
    _own(owner, export)
    if (
        export.state != State.READY
        or not export.file
        or export.expires <= timezone.now()
        or not _still_sees(owner, export)
    ):
        raise NotThere(_("This file is no longer kept. Export it again."))
    audit.record(
        actor=owner, verb=Verb.EXPORT_HISTORY, kind="export", what=export, details={"fetched": export.pk}
    )
    return storage(), export.file


def make(export_id: int) -> None:
    """Write the file. Given twice, or to two workers, it is made once; a dead maker's turn goes to another."""
    taken = Export.objects.filter(pk=export_id, state=State.WAITING).update(
        state=State.RUNNING, turn=F("turn") + 1, beat=timezone.now(), done=0
    )
    if not taken:
        return
    export = Export.objects.select_related("owner").get(pk=export_id)
    with translation.override(export.language):
        try:
            _make(export)
        except _Stopped:
            return
        except TooMuch as error:
            _end(export, State.REFUSED, reason=visible(str(error.message), 200))
        except Exception:
            logger.exception("Export %s of kind %s failed", export.pk, export.kind)
            _end(export, State.FAILED, reason=_("Something broke while the file was being made. Try again."))


def sweep() -> None:
    """Delete what has expired; give what a dead worker left to another one, three times at most."""
    now = timezone.now()
    for export in Export.objects.filter(expires__lte=now).iterator():
        drop(export)
    silent = Export.objects.filter(beat__lt=now - SILENT, state__in=(State.WAITING, State.RUNNING))
    silent.filter(turn__gte=TURNS).update(
        state=State.FAILED, reason=_("Something broke while the file was being made. Try again.")
    )
    for pk in silent.filter(turn__lt=TURNS).values_list("pk", flat=True):
        if Export.objects.filter(pk=pk, beat__lt=now - SILENT).update(state=State.WAITING, beat=now):
            _start(current_company(), pk)


def drop(export: Export) -> None:
    """Delete the file and its row."""
    if export.file:
        storage().delete(export.file)
    Export.objects.filter(pk=export.pk).delete()


def drop_all() -> int:
    """Delete every export of the company, those under way too: what they hold may not be kept. Returns how many."""
    exports = list(Export.objects.all())
    for export in exports:
        drop(export)
    return len(exports)


def storage() -> Storage:
    """The exports' own storage when the installation names one, else a folder of the portal's state."""
    if "exports" in settings.STORAGES:
        from django.core.files.storage import storages

        return storages["exports"]
    return FileSystemStorage(
        location=_folder(), file_permissions_mode=0o600, directory_permissions_mode=0o700
    )


def _folder() -> Path:
    return Path(settings.STATE_DIR) / "exports"


def _make(export: Export) -> None:
    kind = KINDS[export.kind]
    if not can(export.owner, kind.verb):
        raise TooMuch(_("You may not export this."))
    asked = Asked(export.owner, export.question, str(export.question.get("zone", settings.TIME_ZONE)))
    groups = board_rights(export.owner)
    seen = {**export.question, "seen": None if groups is None else sorted(groups)}
    total = kind.count(asked, MOST_ROWS + 1) if kind.count else None
    if total is not None and total > MOST_ROWS:
        raise _too_much()
    Export.objects.filter(pk=export.pk, turn=export.turn).update(total=total)
    with tempfile.TemporaryDirectory(prefix="ccenter-export-") as folder:
        path = Path(folder) / f"table.{export.form}"
        _write(export, kind, asked, path)
        name = f"{current_company()}/{secrets.token_urlsafe(24)}.{export.form}"
        with path.open("rb") as made:
            kept = storage().save(name, File(made))
        if not _end(export, State.READY, file=kept, size=path.stat().st_size, question=seen):
            storage().delete(kept)


def _write(export: Export, kind: Kind, asked: Asked, path: Path) -> None:
    told, done = time.monotonic(), 0
    columns = list(kind.columns(asked))
    with writer(Form(export.form), path, columns, zone=asked.zone, language=export.language) as write:
        for row in kind.rows(asked):
            write(row)
            done += 1
            if done > MOST_ROWS:
                raise _too_much()
            if done % 500 == 0 and time.monotonic() - told > TOLD_EVERY:
                told = time.monotonic()
                _still_ours(export, done)
    _still_ours(export, done)


def _still_ours(export: Export, done: int) -> None:
    ours = Export.objects.filter(pk=export.pk, turn=export.turn, state=State.RUNNING)
    if not ours.update(done=done, beat=timezone.now()):
        raise _Stopped


def _end(export: Export, state: State, **fields: object) -> bool:
    ours = Export.objects.filter(pk=export.pk, turn=export.turn, state=State.RUNNING)
    return bool(ours.update(state=state, expires=timezone.now() + KEPT, **fields))


def _too_much() -> TooMuch:
    return TooMuch(
        ngettext(
            "That is more than %(limit)d row, too much for one file. Choose a shorter period or narrower filters.",
            "That is more than %(limit)d rows, too much for one file. Choose a shorter period or narrower filters.",
            MOST_ROWS,
        )
        % {"limit": MOST_ROWS}
    )


def _still_sees(owner: User, export: Export) -> bool:
    """Whether whoever was given the rows may still see them: a group may have been taken away since."""
    rights = board_rights(owner)
    seen = export.question.get("seen")
    return rights is None or (isinstance(seen, list) and rights.issuperset(seen))


def _own(owner: User, export: Export) -> None:
    if not export.is_own_of(owner):
        raise NotThere(_("There is no such export."))


def _start(company: str, export_id: int) -> None:
    current_app.loader.import_default_modules()  # a web process has not read the tasks yet
    current_app.tasks["monitoring.make_export"].delay(company, export_id)
