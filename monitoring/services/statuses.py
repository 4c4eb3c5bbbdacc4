"""A manager's declared status: set in the portal or by a pause on the phone, the one closing what the other
opened.

Nobody is logged off at midnight: an interval stands until the next one begins. ``declare`` tells the PBX;
``from_phone`` comes from it and so never does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.domain.commands import SetStatus
from monitoring.domain.events import StatusDeclared
from monitoring.models.audit import Outcome
from monitoring.models.people import Manager
from monitoring.models.presence import AutoInterval
from monitoring.models.statuses import Source, Status, StatusInterval, StatusKind
from monitoring.services import audit, webhooks
from monitoring.services.commands import Receipt, tell
from monitoring.services.errors import Busy, NotThere, Refused
from tenants.people.models import User
from tenants.people.roles import Verb, can
from tenants.scope import current_company

_TRIES = 20
MOST_A_MINUTE = 60  # each change is rows, an audit entry and a command to a PBX that others share
FAR_AHEAD = timedelta(days=1)  # a PBX may take its local time for UTC; more than that is no clock


class Declared(NamedTuple):
    """The interval that stands now, and the receipt of the command that tells the PBX: None when it stood already."""

    interval: StatusInterval
    receipt: Receipt | None


def declare(*, actor: User, manager: Manager, status_id: int) -> Declared:
    """``actor`` sets ``manager``'s status from now on; the PBX is told once this is committed.

    Own status is everybody's own; a supervisor sets those of own groups, an admin all. Declaring the standing
    status again changes nothing. Raises Refused (audited, nothing changed), NotThere or Busy.
    """
    if not can(actor, Verb.SET_STATUS, manager):
        audit.record(actor=actor, verb=Verb.SET_STATUS, kind="manager", what=manager, outcome=Outcome.REFUSED)
        raise Refused(_("You may not set this person's status."))
    status = Status.objects.live().filter(pk=status_id).first()
    if status is None or manager.archived_at is not None:
        raise NotThere(_("There is no such status any more. Reload the page."))
    now = timezone.now()
    lately = StatusInterval.objects.filter(manager=manager, started__gt=now - timedelta(minutes=1))
    if lately.count() >= MOST_A_MINUTE:
        raise Busy(_("The status has just been changed too often. Wait a minute."))
    with transaction.atomic():
        interval, changed = _switch(manager, status, now, Source.PORTAL, actor)
        if not changed:
            # A PBX that missed it is mended by its collector, which compares; a command a press would let one
            # person fill the list that all companies of the PBX share.
            return Declared(interval, None)
        audit.record(
            actor=actor,
            verb=Verb.SET_STATUS,
            kind="manager",
            what=manager,
            details={"status": status.label},
        )
        command = SetStatus(
            company=current_company(),
            manager=manager.pbx_name,
            status=status.pk,
            status_kind=_kind(status),
            reason=status.label,
            at=interval.started.timestamp(),
        )
        receipt = tell(str(manager.pbx_id), command)
    return Declared(interval, receipt)


def from_phone(*, manager: str, paused: bool, reason: str, at: float) -> StatusDeclared | None:
    """A pause made (or ended) on the phone at ``at`` (epoch seconds) becomes a status; None = nothing
    changed.

    The status is the one whose label is ``reason``, else the company's default for phones. A pause older
    than the standing status is a late or repeated message and changes nothing. Unknown people are nobody's
    fault: None.
    """
    person = Manager.objects.live().filter(pbx_name=manager).first()
    if person is None:
        return None
    standing = _standing(person)
    status = _meant(paused, reason, standing.status if standing else None)
    if status is None:
        return None
    now = timezone.now()
    if at > (now + FAR_AHEAD).timestamp():
        # An interval that begins years from now could never be ended: no later pause would be later.
        at = now.timestamp()
    moment = datetime.fromtimestamp(at, UTC)
    if standing is not None and moment <= standing.started:
        return None
    _interval, changed = _switch(person, status, moment, Source.PHONE, None)
    return StatusDeclared(at, person.pbx_name, status.pk) if changed else None


def _meant(paused: bool, reason: str, standing: Status | None) -> Status | None:
    """Which status a phone's pause means; None when the standing one says it already."""
    working = standing is not None and standing.kind == StatusKind.AVAILABLE
    kinds = [StatusKind.BREAK, StatusKind.AWAY] if paused else [StatusKind.AVAILABLE]
    choices = list(Status.objects.live().filter(kind__in=kinds))
    named = next((status for status in choices if status.label.casefold() == reason.strip().casefold()), None)
    if named is None and standing is not None and working is not paused:
        return None  # paused while away already, or back while available already: the portal's word is finer
    meant = (
        named or next((status for status in choices if status.on_phone), None) or next(iter(choices), None)
    )
    return None if meant is None or (standing is not None and meant.pk == standing.pk) else meant


def _standing(manager: Manager) -> StatusInterval | None:
    return StatusInterval.objects.filter(manager=manager, ended__isnull=True).select_related("status").first()


def _switch(
    manager: Manager, status: Status, at: datetime, source: Source, actor: User | None
) -> tuple[StatusInterval, bool]:
    """Close the open interval and open the next at one moment. Two at once: one waits, sees the other's,
    goes on."""
    for _attempt in range(_TRIES):
        standing = _standing(manager)
        if standing is not None and standing.status_id == status.pk:
            return standing, False
        # The PBX's clock may be ahead of ours; an interval never ends before it began.
        moment = max(at, standing.started) if standing is not None else at
        try:
            with transaction.atomic():
                if standing is not None and not _close(standing, moment):
                    continue  # somebody else closed it between our look and our write
                opened = StatusInterval.objects.create(
                    manager=manager,
                    status=status,
                    started=moment,
                    source=source,
                    actor=actor,
                    groups=groups_of(manager),
                )
                webhooks.note_status(opened)
        except IntegrityError:
            continue  # somebody else opened one first: the partial unique index says so
        return opened, True
    raise Busy(_("The status is being changed by somebody else. Try again."))


def end_all(manager: Manager) -> None:
    """``manager`` leaves: time under a status ends now, not never."""
    now = timezone.now()
    for standing in (StatusInterval, AutoInterval):
        rows = standing.objects.filter(manager=manager, ended__isnull=True)
        rows.update(ended=Greatest(F("started"), now))


def groups_of(manager: Manager) -> list[int]:
    """Ids of the groups ``manager`` is in now, in order: what a row of the past keeps."""
    return sorted(manager.groups.filter(archived_at__isnull=True).values_list("pk", flat=True))


def _kind(status: Status) -> Literal["available", "break", "away"]:
    return (
        "available"
        if status.kind == StatusKind.AVAILABLE
        else "break"
        if status.kind == StatusKind.BREAK
        else "away"
    )


def _close(standing: StatusInterval, at: datetime) -> bool:
    return StatusInterval.objects.filter(pk=standing.pk, ended__isnull=True).update(ended=at) == 1
