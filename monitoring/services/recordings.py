"""What people do with recordings: hear them, take them along, attach a stray one, delete them. All is written down.

One entry of the audit a listening, made when its first byte is asked for and updated while it goes on: who opens
a page and hears nothing has not listened.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.core import signing
from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.models.audit import AuditEntry, Outcome
from monitoring.models.calls import Call
from monitoring.models.phones import shown
from monitoring.models.recordings import Recording, State
from monitoring.models.text import visible
from monitoring.services import audit
from monitoring.services.errors import NotThere, Refused
from monitoring.services.recording_inbox import attach_to
from tenants.people.models import User
from tenants.people.roles import Verb, can
from tenants.scope import current_company

LINK_LIVES = timedelta(minutes=10)
MOST_SPANS = 200
DOWNLOAD = "recording.download"
REASONS = {
    "no_call": gettext_lazy("No call of this company had this channel at that time."),
    "name": gettext_lazy("The file's name does not say which call it is of."),
    "unknown": gettext_lazy("This is no kind of sound we know."),
    "empty": gettext_lazy("There is no sound in it."),
    "too_long": gettext_lazy("It is longer than twelve hours."),
    "unreadable": gettext_lazy("The sound in it is damaged."),
}
_SALT = "monitoring.recordings.link"
Span = tuple[float, float]


class BadLink(ValueError):
    """The link is old, somebody else's, or nobody's."""


def link(*, user: User, recording: Recording, session: str) -> str:
    """A word that opens this recording for this session of this person for LINK_LIVES, one listening each."""
    fields = [current_company(), user.pk, recording.pk, _seal(session), get_random_string(16)]
    return signing.dumps(fields, salt=_SALT, compress=False)


def opened(*, word: str, user: User, session: str) -> tuple[int, str]:
    """The recording's id and the listening's name of a link. Raises BadLink; rights are asked afterwards, again."""
    try:
        company, person, recording, seal, listening = signing.loads(word, salt=_SALT, max_age=LINK_LIVES)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise BadLink("not a living link") from error
    if company != current_company() or person != user.pk or not constant_time_compare(seal, _seal(session)):
        raise BadLink("another's link")
    return int(recording), str(listening)


def listening_began(*, user: User, recording: Recording, listening: str) -> None:
    """The first byte was asked for. Told again by every further request, written once."""
    now = timezone.now()
    AuditEntry.objects.get_or_create(
        key=_key(user, listening),
        defaults={
            "at": now,
            "until": now,
            "actor": user,
            "who": visible(str(user), 120),
            "verb": Verb.HEAR,
            "kind": "recording",
            "what": _what(recording),
            "outcome": Outcome.DONE,
            "details": {"recording": recording.pk, "call": recording.call_id, "spans": []},
        },
    )


def heard(*, user: User, recording: Recording, listening: str, spans: Iterable[Sequence[float]]) -> bool:
    """From where to where it was played, in seconds of the recording; False when there was no such listening."""
    clean = joined(spans, longest=recording.seconds)
    with transaction.atomic():
        entry = AuditEntry.objects.select_for_update().filter(key=_key(user, listening), actor=user).first()
        if entry is None or entry.details.get("recording") != recording.pk:
            return False
        before = entry.details.get("spans", [])
        entry.details = {
            **entry.details,
            "spans": [list(s) for s in joined([*before, *clean], longest=recording.seconds)],
        }
        entry.until = timezone.now()
        entry.save(update_fields=["details", "until"])
    return True


def joined(spans: Iterable[Sequence[float]], *, longest: float) -> list[Span]:
    """In order, within the recording, touching ones as one; what is no span is left out."""
    good = sorted(
        (max(0.0, float(s[0])), min(longest, float(s[1])))
        for s in list(spans)[: 2 * MOST_SPANS]
        if len(s) == 2 and all(isinstance(v, int | float) and math.isfinite(v) for v in s)
    )
    made: list[Span] = []
    for begin, end in good:
        if end <= begin:
            continue
        if made and begin <= made[-1][1] + 1.0:
            made[-1] = (made[-1][0], max(made[-1][1], end))
        else:
            made.append((begin, end))
    return [(round(begin, 1), round(end, 1)) for begin, end in made[:MOST_SPANS]]


def downloaded(*, user: User, recording: Recording) -> None:
    audit.record(
        actor=user, verb=DOWNLOAD, kind="recording", what=_what(recording),
        details={"recording": recording.pk, "call": recording.call_id},
    )  # fmt: skip


def attach(*, actor: User, recording: Recording, call_id: int) -> Call:
    """Give an orphan to a call of its PBX. Raises Refused, written down, or NotThere; nothing changed then."""
    _check(actor, recording)
    call = Call.objects.filter(pk=call_id, pbx=recording.pbx, merged_into="").first()
    if call is None:
        raise NotThere(_("There is no such call on this PBX."))
    if not attach_to(recording, call):
        raise NotThere(_("This recording belongs to a call already."))
    audit.record(
        actor=actor, verb=Verb.EDIT_POLICY, kind="recording", what=_what(recording),
        details={"recording": recording.pk, "call": call.pk, "attached": True},
    )  # fmt: skip
    return call


def delete_unsettled(*, actor: User, recording: Recording) -> None:
    """An admin throws away what is of no call, broken or gone. Raises Refused or NotThere."""
    _check(actor, recording)
    if recording.state == State.STORED:
        raise NotThere(_("This recording belongs to a call; retention decides when it goes."))
    what = _what(recording)
    delete(recording_ids=[recording.pk])
    audit.record(
        actor=actor, verb=Verb.EDIT_POLICY, kind="recording", what=what, details={"deleted": recording.source}
    )


def delete(*, recording_ids: Collection[int]) -> int:
    """File first, then the row: whoever is interrupted in between finds a row without a file, never the reverse.

    For retention and for a customer's wish. In the scope of the company; ids that are not its own are nothing.
    Returns how many are gone. Raises what the storage raises; what was deleted until then stays deleted.
    """
    storage, count = storages["recordings"], 0
    for row in Recording.objects.filter(pk__in=list(recording_ids)).only("pk", "file", "call"):
        storage.delete(row.file)
        with transaction.atomic():
            Recording.objects.filter(pk=row.pk).delete()
            if row.call_id and not Recording.objects.filter(call=row.call_id).exists():
                Call.objects.filter(pk=row.call_id).update(recorded=False)
        count += 1
    return count


def ids_before(moment: datetime, *, at_once: int = 1000) -> list[int]:
    """Recordings that began before ``moment``, oldest first: what retention deletes next."""
    old = Recording.objects.filter(started__lt=moment).order_by("started")
    return list(old.values_list("pk", flat=True)[:at_once])


def _check(actor: User, recording: Recording) -> None:
    if not can(actor, Verb.EDIT_POLICY):
        audit.record(
            actor=actor,
            verb=Verb.EDIT_POLICY,
            kind="recording",
            what=_what(recording),
            outcome=Outcome.REFUSED,
        )
        raise Refused(_("You may not change this."))


def _what(recording: Recording) -> str:
    if recording.call is None:
        return visible(recording.source, 160)
    number = shown(recording.call.customer) or recording.call.number
    return visible(f"{number} {timezone.localtime(recording.started):%d.%m.%Y %H:%M}", 160)


def _seal(session: str) -> str:
    """The session as a link may carry it: links get into logs, sessions must not."""
    return salted_hmac(_SALT, session).hexdigest()[:24]


def _key(user: User, listening: str) -> str:
    return f"hear:{user.pk}:{listening}"[:240]
