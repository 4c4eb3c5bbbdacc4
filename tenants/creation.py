"""A company is made in the background while somebody watches: the request, its progress and its end are one row.

The making is one transaction, so its progress is told over a connection of its own or nobody would see it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import connections, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from tenants import services
from tenants.models import CompanyCreation
from tenants.people.models import User

log = logging.getLogger(__name__)

# A maker that says nothing for so long is dead: the next step never takes more than a second or two.
SILENT_AFTER = timedelta(seconds=60)


def request_company(
    *, actor: User | None, slug: str, name: str, time_zone: str, language: str, admin_email: str = ""
) -> CompanyCreation:
    """Note the wish and queue the work. Raises ValidationError, keyed by field, for what is wrong already now."""
    services.check_free(slug)
    row = CompanyCreation(
        slug=slug,
        name=name.strip(),
        time_zone=time_zone,
        language=language,
        admin_email=admin_email.strip().lower(),
        asked_by=str(actor or ""),
    )
    row.full_clean()
    row.save()
    _queue(row)
    return row


def retry(*, row: CompanyCreation) -> bool:
    """Queue a failed or silent creation again; False when it is being worked on or done."""
    again = CompanyCreation.objects.filter(_dead(), pk=row.pk).update(
        state=CompanyCreation.State.WAITING, error="", done=0, updated_at=timezone.now()
    )
    if again:
        _queue(row)
    return bool(again)


def carry_out(*, creation_id: int) -> None:
    """Make the company. Only one worker gets past the first line, however often the task is delivered."""
    taken = CompanyCreation.objects.filter(
        Q(state=CompanyCreation.State.WAITING) | _silent(), pk=creation_id
    ).update(state=CompanyCreation.State.WORKING, done=0, total=0, updated_at=timezone.now())
    if not taken:
        return
    row = CompanyCreation.objects.get(pk=creation_id)
    try:
        with _progress_of(row) as tell:
            services.create_company(
                slug=row.slug,
                name=row.name,
                time_zone=row.time_zone,
                language=row.language,
                admin_email=row.admin_email,
                progress=tell,
            )
    except ValidationError as error:
        _end(row, CompanyCreation.State.FAILED, " ".join(error.messages))
    except Exception:
        log.exception("Making company %s failed", row.slug)
        _end(
            row,
            CompanyCreation.State.FAILED,
            _("Something went wrong inside; the log has it. Nothing was left behind."),
        )
    else:
        _end(row, CompanyCreation.State.DONE, "")


def is_silent(row: CompanyCreation) -> bool:
    """Whether the maker has died without saying so."""
    unfinished = row.state in (CompanyCreation.State.WAITING, CompanyCreation.State.WORKING)
    return unfinished and row.updated_at < timezone.now() - SILENT_AFTER


def _silent() -> Q:
    return Q(state=CompanyCreation.State.WORKING, updated_at__lt=timezone.now() - SILENT_AFTER)


def _dead() -> Q:
    waited = Q(state=CompanyCreation.State.WAITING, updated_at__lt=timezone.now() - SILENT_AFTER)
    return Q(state=CompanyCreation.State.FAILED) | waited | _silent()


def _queue(row: CompanyCreation) -> None:
    from tenants.tasks import make_company  # tasks imports this module

    transaction.on_commit(lambda: make_company.delay(row.pk))


def _end(row: CompanyCreation, state: CompanyCreation.State, error: str) -> None:
    CompanyCreation.objects.filter(pk=row.pk).update(
        state=state, error=error[:500], updated_at=timezone.now()
    )


@contextmanager
def _progress_of(row: CompanyCreation) -> Iterator[services.Progress]:
    other = connections.create_connection("default")

    def tell(done: int, total: int) -> None:
        with other.cursor() as cursor:
            cursor.execute(
                "UPDATE tenants_companycreation SET done = %s, total = %s, updated_at = now() WHERE id = %s",
                [done, total, row.pk],
            )

    try:
        yield tell
    finally:
        other.close()
