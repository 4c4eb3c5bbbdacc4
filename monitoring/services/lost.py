"""Lost callers: found among the calls, given an owner and a deadline, closed by the next call that is answered.

What follows from the calls is made by ``lost_sql`` and comes out the same in whatever order facts arrive; people
take, give, close and reopen. Owner by rule: who was rung last while available; else, of the groups that serve the
queue, whoever is not away and has fewest open; else nobody, and it is up to the groups' supervisors.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.domain.worktime import WorkTime
from monitoring.models.audit import Outcome
from monitoring.models.calls import Call
from monitoring.models.lost import LostCall, LostState, Reason
from monitoring.models.people import Manager
from monitoring.models.text import visible
from monitoring.selectors.policy import policy
from monitoring.services import audit, rollups
from monitoring.services import lost_sql as sql
from monitoring.services.errors import NotThere, Refused
from monitoring.services.stored import Stored
from tenants.models import Company
from tenants.people.models import User
from tenants.people.roles import Verb, can
from tenants.scope import current_company

_BUCKETS = 64  # locks one batch takes at most
_CHUNK = 20_000  # calls settled in one transaction of a rebuild


def follow(stored: Stored) -> None:
    """What a batch of facts means for lost callers; runs inside the batch's transaction."""
    settle(call_ids=stored.call_ids, call_keys={visible(visit.call, 120) for visit in stored.visits})


def settle(*, call_ids: Sequence[int], call_keys: Collection[str] = ()) -> None:
    """Bring the lost calls of these calls' customers up to date. Inside a transaction; safe to repeat."""
    with connection.cursor() as cursor:
        cursor.execute(sql.TOUCHED, {"ids": list(call_ids), "keys": sorted(call_keys)})
        touched = cursor.fetchall()
        if not touched:
            return
        ids = [pk for pk, *_rest in touched]
        written = any(lost or known for *_call, lost, known in touched)
        customers = {customer for _pk, customer, *_rest in touched if customer}
        if written:
            cursor.execute(sql.FORMER_CUSTOMERS, {"ids": ids})
            customers |= {customer for (customer,) in cursor.fetchall()}
        cursor.execute(sql.LOCK, {"buckets": sorted({_bucket(customer) for customer in customers})})
        changed: set[float] = set()
        if written:
            changed |= _moments(cursor, sql.NO_LONGER, {"ids": ids})
            if any(lost for *_call, lost, _known in touched):
                changed |= _moments(cursor, sql.WRITE, {"ids": ids, **_work(ids)})
        since = min(at for _pk, _customer, at, *_rest in touched)
        changed |= _moments(cursor, sql.SETTLE, {"customers": sorted(customers), "since": since})
        if written:
            _deal(cursor, customers)
    rollups.mark((at, at) for at in changed)


def rebuild(begin: datetime, end: datetime) -> int:
    """The same for every call begun in [``begin``, ``end``), however many; returns how many were looked at."""
    calls = Call.objects.filter(started__gte=begin, started__lt=end).order_by("started", "pk")
    seen, after = 0, Q()
    while chunk := list(calls.filter(after).values_list("started", "pk")[:_CHUNK]):
        with transaction.atomic():
            settle(call_ids=[pk for _started, pk in chunk])
        started, pk = chunk[-1]
        seen, after = seen + len(chunk), Q(started__gt=started) | Q(started=started, pk__gt=pk)
    return seen


def give(*, actor: User, lost: LostCall, owner: Manager | None) -> None:
    """Make ``owner`` (None: nobody) the one who calls back, for the whole case. Raises Refused, NotThere."""
    _check(actor, lost)
    if owner is not None and owner.archived_at is not None:
        raise NotThere(_("This person is archived."))
    with transaction.atomic():
        if not _case(lost).filter(state=LostState.OPEN).update(owner=owner):
            raise NotThere(_("This call needs no call back any more."))
        audit.record(
            actor=actor, verb=Verb.CLOSE_LOST, kind="lost", what=lost.call_key,
            details={"owner": owner.pk if owner else None},
        )  # fmt: skip


def close(*, actor: User, lost: LostCall, reason: Reason, note: str = "") -> None:
    """End the case without a call, for a reason. Raises Refused, or NotThere when it has ended already."""
    _check(actor, lost)
    with transaction.atomic():
        _wait_for_others(lost)
        changed = (
            _case(lost)
            .filter(state=LostState.OPEN)
            .update(
                dismissed_at=timezone.now(),
                closed_by=actor,
                reason=reason,
                **({"note": note} if note else {}),
            )
        )
        if not changed:
            raise NotThere(_("This call needs no call back any more."))
        _settle_case(lost)
        audit.record(
            actor=actor,
            verb=Verb.CLOSE_LOST,
            kind="lost",
            what=lost.call_key,
            details={"reason": str(reason)},
        )


def reopen(*, actor: User, lost: LostCall) -> None:
    """Take a person's closing back. Raises Refused, or NotThere when no person closed it."""
    _check(actor, lost)
    with transaction.atomic():
        _wait_for_others(lost)
        if (
            not _case(lost)
            .filter(state=LostState.CLOSED)
            .update(dismissed_at=None, closed_by=None, reason="")
        ):
            raise NotThere(_("Nobody has closed this call by hand."))
        _settle_case(lost)
        audit.record(
            actor=actor, verb=Verb.CLOSE_LOST, kind="lost", what=lost.call_key, details={"reopened": True}
        )


def write_note(*, actor: User, lost: LostCall, note: str) -> None:
    """What the next one should know. Raises Refused."""
    _check(actor, lost)
    _case(lost).update(note=note)


def _check(actor: User, lost: LostCall) -> None:
    if not can(actor, Verb.CLOSE_LOST, lost):
        audit.record(
            actor=actor, verb=Verb.CLOSE_LOST, kind="lost", what=lost.call_key, outcome=Outcome.REFUSED
        )
        raise Refused(_("You may not change this."))


def _case(lost: LostCall) -> Any:
    return LostCall.objects.filter(case_key=lost.case_key)


def _wait_for_others(lost: LostCall) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.LOCK, {"buckets": [_bucket(lost.customer)]})


def _settle_case(lost: LostCall) -> None:
    with connection.cursor() as cursor:
        asked = {"customers": [lost.customer], "since": lost.lost_at.timestamp()}
        changed = _moments(cursor, sql.SETTLE, asked)
    rollups.mark((at, at) for at in changed)


def _moments(cursor: Any, statement: str, values: dict[str, Any]) -> set[float]:
    """When the rows that a statement changed were lost: statistics count them there."""
    cursor.execute(statement, values)
    return {at for (at,) in cursor.fetchall()}


def _bucket(customer: str) -> int:
    return zlib.crc32(customer.encode()) % _BUCKETS


def _work(ids: Sequence[int]) -> dict[str, Any]:
    """Parameters of the deadline: the company's stretches of work around the ends of these calls."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM min(ended))::float8, extract(epoch FROM max(ended))::float8"
            " FROM monitoring_call WHERE id = ANY(%s) AND ended IS NOT NULL",
            [list(ids)],
        )
        first, last = cursor.fetchone()
    rules = policy()
    zone = Company.objects.values_list("time_zone", flat=True).get(schema_name=current_company())
    work = WorkTime(frozenset(rules.work_days), rules.work_from, rules.work_until, zone)
    within = rules.callback_within * 60.0
    begins, ends, before, done = [], [], [], 0.0
    for start, stop in work.stretches(first, last + work.horizon(within)):
        begins.append(start)
        ends.append(stop)
        before.append(done)
        done += stop - start
    return {"begins": begins, "ends": ends, "before": before, "within": within}


def _deal(cursor: Any, customers: Collection[str]) -> None:
    """Cases nobody was rung for go to those with fewest open, one after the other."""
    cursor.execute(sql.NOBODYS, {"customers": sorted(customers)})
    nobodys = cursor.fetchall()
    if not nobodys:
        return
    groups = sorted({group for _case, asked in nobodys for group in asked})
    cursor.execute(sql.CANDIDATES, {"groups": groups})
    people = cursor.fetchall()
    heaps: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    given: dict[str, int] = {}
    for case, asked in nobodys:
        heap = heaps.get(key := tuple(asked))
        if heap is None:
            heap = heaps[key] = [(count, pk) for pk, of, count in people if not set(of).isdisjoint(asked)]
            heapq.heapify(heap)
        if heap:
            count, pk = heap[0]
            heapq.heapreplace(heap, (count + 1, pk))
            given[case] = pk
    if given:
        cursor.execute(sql.GIVE, {"cases": list(given), "owners": list(given.values())})
