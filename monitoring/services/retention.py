"""What is older than the company's rules allow is removed, in short transactions that step aside for live facts.

Calls go with everything that hangs on them, oldest first; the sums of the statistics stay. Each batch is whole, so
that a worker may be killed at any moment and two may work at once: who comes second takes rows the first has not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.db.models import CASCADE, SET_NULL, F, Model, ProtectedError
from django.utils import timezone

from monitoring.models.audit import AuditEntry
from monitoring.models.calls import Call, QueueVisit
from monitoring.models.presence import AutoInterval
from monitoring.models.quality import BlindWindow
from monitoring.models.recordings import Recording
from monitoring.models.retention import Cleaning, Kind, Progress
from monitoring.models.statuses import StatusInterval
from monitoring.selectors.policy import calls_kept_since, policy
from monitoring.services import recordings
from tenants.people.models import Refusal

BATCH = 1000
REST = 0.5  # share of a batch's own time that is then left to others
LONGEST = 240.0  # seconds of one piece of work; what is left is taken up by the next
AGAIN = -1  # nothing to count, and not yet at the end
_WAIT = "SET LOCAL lock_timeout = '200ms'"

# Rows by their own age: model, the moment that counts.
_STATUSES: tuple[tuple[type[Model], str], ...] = ((StatusInterval, "ended"), (AutoInterval, "ended"))
_EVENTS: tuple[tuple[type[Model], str], ...] = (
    (AuditEntry, "at"),
    (Refusal, "at"),
    (AccessAttempt, "attempt_time"),
    (AccessLog, "attempt_time"),
    (AccessFailureLog, "attempt_time"),
    (BlindWindow, "ended"),
)


def limits(now: datetime | None = None) -> dict[Kind, datetime]:
    """Before which moment each kind goes, by the company's rules."""
    rules, now = policy(), now or timezone.now()
    days = {Kind.RECORDINGS: rules.keep_recordings, Kind.EVENTS: rules.keep_events}
    others = {kind: now - timedelta(days=kept) for kind, kept in days.items()}
    return {Kind.CALLS: calls_kept_since(now, rules=rules), **others}


def older(kind: Kind, before: datetime) -> int:
    """How many rows of ``kind`` there are from before ``before``: what a shorter time would remove."""
    counts: Mapping[Kind, Callable[[], int]] = {
        Kind.CALLS: lambda: Call.objects.filter(started__lt=before).count(),
        Kind.RECORDINGS: lambda: Recording.objects.filter(started__lt=before).count(),
        Kind.EVENTS: lambda: sum(_rows(model, moment, before).count() for model, moment in _EVENTS),
    }
    return counts[kind]()


def clean(*, seconds: float = LONGEST, rest: float = REST) -> bool:
    """Remove what is too old, for about ``seconds``. Returns whether something is left to do. In the scope."""
    stop = time.monotonic() + seconds
    for kind, before in limits().items():
        # What the rules no longer keep must go also if another worker began with an older limit.
        run = _run(kind, before)
        if run is not None and not _carry_on(run, stop, rest):
            return True
    return False


def drop_calls(before: datetime, *, limit: int = BATCH) -> int:
    """One batch of the oldest calls begun before ``before``, with all that hangs on them; how many there were."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_WAIT)
        old = Call.objects.filter(started__lt=before).order_by("started", "pk")
        chosen = list(old.select_for_update(skip_locked=True).values_list("pk", "key")[:limit])
        if not chosen:
            return 0
        remove_calls([pk for pk, _key in chosen], [key for _pk, key in chosen])
    return len(chosen)


def remove_calls(ids: list[int], keys: list[str]) -> None:
    """The calls, which the caller has locked, and their parts, but no recordings: those must be gone before.

    By statements over all of them: Django would read every row to learn what the models say anyway.
    """
    # Spelled once: a thousand ids in each statement would take longer to write down than to find.
    spelled = f"{{{','.join(map(str, ids))}}}"
    with connection.cursor() as cursor:
        for link in Call._meta.related_objects:
            table, column = link.related_model._meta.db_table, str(link.field.column)
            if link.on_delete is SET_NULL:
                cursor.execute(f'UPDATE {table} SET "{column}" = NULL WHERE "{column}" = ANY(%s)', [spelled])  # noqa: S608 - names of our models
            elif not link.related_model._meta.related_objects:
                cursor.execute(f'DELETE FROM {table} WHERE "{column}" = ANY(%s)', [spelled])  # noqa: S608 - names of our models
            elif _has(cursor, table, column, spelled):
                if link.on_delete is not CASCADE:
                    raise ProtectedError("Calls are still needed.", set())
                link.related_model._base_manager.filter(**{f"{column}__in": ids}).delete()
        cursor.execute("DELETE FROM monitoring_queuevisit WHERE call_key = ANY(%s)", [keys])
        checked = _spare_the_checks(cursor)
        cursor.execute("DELETE FROM monitoring_call WHERE id = ANY(%s)", [spelled])
        if not checked:
            cursor.execute("SET LOCAL session_replication_role = origin")


def _spare_the_checks(cursor: Any) -> bool:
    """Whether PostgreSQL goes on looking for parts of each call, table by table: most of the time a batch takes.

    Not needed: the parts are gone, and nobody can add one while we hold the calls FOR UPDATE. Needs a right that the
    portal's role may lack (GRANT SET ON PARAMETER session_replication_role); then it is only slower.
    """
    try:
        with transaction.atomic():
            cursor.execute("SET LOCAL session_replication_role = replica")
    except ProgrammingError:
        return True
    return False


def _has(cursor: Any, table: str, column: str, spelled: str) -> bool:
    cursor.execute(f'SELECT EXISTS (SELECT FROM {table} WHERE "{column}" = ANY(%s))', [spelled])  # noqa: S608 - names of our models
    return bool(cursor.fetchone()[0])


def _run(kind: Kind, before: datetime) -> Cleaning | None:
    """The removal under way, or a new one; None when there is nothing to remove."""
    running = Cleaning.objects.filter(kind=kind, state=Progress.RUNNING).first()
    if running is not None:
        if running.before < before:
            Cleaning.objects.filter(pk=running.pk).update(before=before)
            running.before = before
        return running
    total = older(kind, before)
    if not total:
        return None
    now = timezone.now()
    made, _new = Cleaning.objects.get_or_create(
        kind=kind, state=Progress.RUNNING,
        defaults={"before": before, "total": total, "started": now, "moved": now},
    )  # fmt: skip
    return made


def _carry_on(run: Cleaning, stop: float, rest: float) -> bool:
    """Batch after batch; False when the time was up first."""
    step = {Kind.CALLS: _calls, Kind.RECORDINGS: _recordings, Kind.EVENTS: _events}[Kind(run.kind)]
    while True:
        began = time.monotonic()
        try:
            gone = step(run.before)
        except OperationalError:
            gone = AGAIN  # the live path holds what we wanted: it goes first
        now = timezone.now()
        if gone == 0:
            Cleaning.objects.filter(pk=run.pk, state=Progress.RUNNING).update(
                state=Progress.DONE, moved=now, ended=now
            )
            return True
        Cleaning.objects.filter(pk=run.pk).update(done=F("done") + max(gone, 0), moved=now)
        if time.monotonic() > stop:
            return False
        time.sleep(max(0.1 if gone == AGAIN else 0.0, (time.monotonic() - began) * rest))


def _calls(before: datetime) -> int:
    """Their recordings first; then calls; then visits whose call was never told, and statuses, also automatic ones."""
    heard = Recording.objects.filter(call__started__lt=before).values_list("pk", flat=True)[:100]
    if recordings.delete(recording_ids=list(heard)):
        return AGAIN
    return drop_calls(before) or _by_age(((QueueVisit, "left"), *_STATUSES), before)


def _recordings(before: datetime) -> int:
    return recordings.delete(recording_ids=recordings.ids_before(before, at_once=100))


def _events(before: datetime) -> int:
    return _by_age(_EVENTS, before)


def _by_age(tables: tuple[tuple[type[Model], str], ...], before: datetime) -> int:
    for model, moment in tables:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_WAIT)
            chosen = _rows(model, moment, before).select_for_update(skip_locked=True)
            gone: int = model._base_manager.filter(
                pk__in=list(chosen.values_list("pk", flat=True)[:BATCH])
            ).delete()[0]
        if gone:
            return gone
    return 0


def _rows(model: type[Model], moment: str, before: datetime) -> Any:
    return model._base_manager.filter(**{f"{moment}__lt": before})
