"""One customer's data is removed because the customer asked: everywhere the number or the name stands, for good.

The calls stay as figures without a person: number, name, notes, recordings and whatever was said about them go. Work is
cut into short steps that may be repeated; only while it lasts does the request know the number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Func, Max, Model, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from monitoring.models.audit import AuditEntry, Outcome
from monitoring.models.calls import Call, Step
from monitoring.models.filters import SavedFilter
from monitoring.models.lost import LostCall, LostState, Reason
from monitoring.models.notes import Note
from monitoring.models.quality import Correction
from monitoring.models.recordings import Recording
from monitoring.models.retention import Erasure, Progress
from monitoring.models.webhooks import Delivery
from monitoring.services import audit, exports, policy, recordings
from monitoring.services.errors import Refused, ServiceError
from monitoring.services.lost_sql import ERASED
from tenants.people.models import Refusal, User
from tenants.people.roles import Verb, can
from tenants.scope import current_company

BATCH = 200  # calls at once
STEPS = 20_000  # ids of steps looked through at once
SHORTEST = 7  # digits: what is shorter is an extension, and no customer's
HIDDEN = "•••"


class NoNumber(ServiceError):
    """What was typed is no customer's number."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be removed."""

    calls: int
    recordings: int
    notes: int
    lost: int
    audit: int


def preview(*, actor: User, customer: str) -> Preview:
    """``customer``: as ``models.phones.customer_of`` writes it. Raises Refused, NoNumber."""
    _check(actor)
    _check_number(customer)
    calls = Call.objects.filter(customer=customer)
    return Preview(
        calls=calls.count(),
        recordings=Recording.objects.filter(call__customer=customer).count(),
        notes=Note.objects.filter(call__customer=customer).count(),
        lost=LostCall.objects.filter(customer=customer).count(),
        audit=_mentioning(AuditEntry, "what", customer).count(),
    )


def ask(*, actor: User, customer: str) -> Erasure:
    """Begin the removal; a worker carries it out. Asked again meanwhile: the same one. Raises Refused, NoNumber."""
    _check(actor)
    _check_number(customer)
    now = timezone.now()
    with transaction.atomic():
        running = Erasure.objects.filter(customer=customer).first()
        if running is not None:
            return running
        made = Erasure.objects.create(
            digest=digest(customer), customer=customer, asked=now, asked_by=actor, who=str(actor)[:120], until=now,
            total=Call.objects.filter(customer=customer, started__lt=now).count(),
        )  # fmt: skip
        audit.record(actor=actor, verb=Verb.DELETE_CUSTOMER, kind="customer", what=made.digest[:12])
        policy.start("monitoring.erase", made.pk)
    return made


def digest(customer: str) -> str:
    """By which the same number is recognised, and from which nobody reads it."""
    return salted_hmac(f"monitoring.erasure:{current_company()}", customer, algorithm="sha256").hexdigest()


def unfinished() -> list[int]:
    """Requests whose worker may have died."""
    return list(
        Erasure.objects.filter(state__in=(Progress.WAITING, Progress.RUNNING)).values_list("pk", flat=True)
    )


def carry_out(erasure_id: int) -> None:
    """Do what was asked; done twice or by two it is done once. Raises what the storage raises, to go on later."""
    row = Erasure.objects.filter(pk=erasure_id).exclude(customer="").first()
    if row is None:
        return
    Erasure.objects.filter(pk=row.pk).update(state=Progress.RUNNING)
    while _some_calls(row):
        pass
    # A file may have come in while its call was being done; from then on none comes to such a call any more.
    recordings.delete(
        recording_ids=list(Recording.objects.filter(call__revision__gte=ERASED).values_list("pk", flat=True))
    )
    for _place in _steps(row.customer):
        pass
    removed = dict(row.removed)
    removed["audit"] = removed.get("audit", 0) + _mask(row.customer)
    removed["exports"] = removed.get("exports", 0) + exports.drop_all()
    Erasure.objects.filter(pk=row.pk).update(
        customer="", state=Progress.DONE, removed=removed, ended=timezone.now()
    )


def _some_calls(row: Erasure) -> int:
    """One batch; the files of its recordings first, so that no row is left without a trace of its file."""
    calls = Call.objects.filter(customer=row.customer, started__lt=row.until).order_by("pk")
    chosen = dict(calls.values_list("pk", "key")[:BATCH])
    if not chosen:
        return 0
    ids = list(chosen)
    heard = recordings.delete(
        recording_ids=list(Recording.objects.filter(call__in=ids).values_list("pk", flat=True))
    )
    with transaction.atomic():
        gone = {
            "calls": Call.objects.filter(pk__in=ids, customer=row.customer).update(
                # Nothing the PBX may tell again is later than this, so nothing brings the number back.
                number="",
                name="",
                customer="",
                revision=ERASED,
            ),
            "recordings": heard,
            "notes": Note.objects.filter(call__in=ids).delete()[0],
            "lost": _lost(ids, row),
        }
        Step.objects.filter(call__in=ids, kind="dial").update(what="", note="")
        Correction.objects.filter(call__in=ids).update(changes={})
        now = Erasure.objects.select_for_update().get(pk=row.pk)
        now.removed = {what: now.removed.get(what, 0) + count for what, count in gone.items()}
        now.done += gone["calls"]
        now.save(update_fields=["removed", "done"])
    row.removed = now.removed
    return len(chosen)


def _lost(ids: list[int], row: Erasure) -> int:
    """Lost calls keep what became of them; whoever was still to be called back is not any more."""
    now = timezone.now()
    lost = LostCall.objects.filter(call__in=ids)
    lost.filter(state=LostState.OPEN).update(
        state=LostState.CLOSED, closed_at=now, dismissed_at=now, reason=Reason.OTHER, closed_by=row.asked_by
    )
    return lost.update(number="", customer="", note="")


def _steps(customer: str) -> Iterator[int]:
    """The number as a stop in anybody's call: dialled, transferred to. All steps are looked through, piece by piece."""
    last = Step.objects.aggregate(last=Max("pk"))["last"] or 0
    for begin in range(0, last + 1, STEPS):
        found = _mentioning(Step, "what", customer).filter(pk__gte=begin, pk__lt=begin + STEPS)
        yield found.update(what="")


def _mask(customer: str) -> int:
    """Where the number is only mentioned: audit, refusals, messages to other programs, saved filters."""
    mentioned = _mentioning(AuditEntry, "what", customer).update(what=HIDDEN)
    mentioned += _mentioning(AuditEntry, "who", customer).update(who=HIDDEN)
    mentioned += _mentioning(AuditEntry, "details", customer).update(details={})
    _mentioning(Refusal, "target", customer).update(target=HIDDEN)
    _mentioning(Delivery, "body", customer).update(body="{}")
    _mentioning(SavedFilter, "query", customer).delete()
    _forget_records(customer)
    return mentioned


def _forget_records(customer: str) -> None:
    """What the PBX itself wrote down of this customer's calls with us."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM asterisk.cel WHERE accountcode = %(company)s AND linkedid IN"
            " (SELECT linkedid FROM asterisk.cel WHERE accountcode = %(company)s"
            r" AND regexp_replace(cid_num, '\D', '', 'g') LIKE %(like)s)",
            {"company": current_company(), "like": f"%{_tail(customer)}"},
        )


def _mentioning(model: type[Model], field: str, customer: str) -> QuerySet[Any]:
    """Rows in which the number stands, however it is spelled: by its digits, without what may come before them."""
    text = Cast(field, TextField())
    digits = Func(
        text, Value(r"\D"), Value(""), Value("g"), function="regexp_replace", output_field=TextField()
    )
    return model._base_manager.annotate(its_digits=digits).filter(its_digits__contains=_tail(customer))


def _tail(customer: str) -> str:
    """Operators leave the country out, so the last ten digits are what all spellings share."""
    return customer[-10:]


def _check(actor: User) -> None:
    if not can(actor, Verb.DELETE_CUSTOMER):
        audit.record(
            actor=actor, verb=Verb.DELETE_CUSTOMER, kind="customer", what="", outcome=Outcome.REFUSED
        )
        raise Refused(_("You may not change this."))


def _check_number(customer: str) -> None:
    if len(customer) < SHORTEST:
        raise NoNumber(_("That is no customer's number. Type it in full, with the code of the city."))
