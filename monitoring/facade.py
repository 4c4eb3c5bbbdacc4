"""Monitoring's front door for the rooms above it. It opens the company's scope itself and answers in contracts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from monitoring.contracts import (
    Busiest,
    BusyPart,
    CallShown,
    CallsMark,
    CompanySize,
    HandledCall,
    ProfileActive,
)
from monitoring.models import Group, Line, Manager, Queue, Supervisor
from monitoring.models.webhooks import Happening
from monitoring.selectors import billed
from monitoring.services import webhooks
from tenants.scope import company_scope


def company_size(company: str) -> CompanySize:
    """How much of everything ``company`` uses now. Raises tenants.scope.UnknownCompany."""
    with company_scope(company):
        return CompanySize(
            company=company,
            managers=Manager.objects.live().count(),
            supervisors=Supervisor.objects.filter(user__is_active=True).count(),
            groups=Group.objects.live().count(),
            queues=Queue.objects.live().count(),
            lines=Line.objects.live().count(),
        )


def profile_activity(company: str, begin: datetime, end: datetime) -> list[ProfileActive]:
    """When which monitoring profile was on, as far as it touches [``begin``, ``end``); by start, not clipped.

    Raises tenants.scope.UnknownCompany.
    """
    with company_scope(company):
        return billed.profile_activity(begin, end)


def handled_calls(company: str, begin: datetime, end: datetime) -> Iterator[HandledCall]:
    """Every call that somebody handled within [``begin``, ``end``), each once, by its start; merged calls are none.

    Reads some thousand calls at a time, whatever the period. No scope is open between two of them, so the reader
    may work in its own. Raises tenants.scope.UnknownCompany at the first.
    """
    after: billed.Place | None = None
    while True:
        with company_scope(company):
            calls, after = billed.handled_calls(begin, end, after=after)
        yield from calls
        if after is None:
            return


def busiest(company: str, begin: datetime, end: datetime, *, internal: bool = False) -> Busiest:
    """The most calls handled at once within [``begin``, ``end``), counted inside PostgreSQL.

    The same answer as a sweep over ``handled_calls``, calls between own people left out unless ``internal``. A call
    that goes on lasts to ``end``. Raises tenants.scope.UnknownCompany, as all below.
    """
    with company_scope(company):
        return billed.busiest(begin, end, internal=internal)


def busy_over_time(
    company: str, begin: datetime, end: datetime, *, parts: int, internal: bool = False
) -> list[BusyPart]:
    """The same in each of ``parts`` equal parts, in order; what lies in the future shows calls that go on."""
    with company_scope(company):
        return billed.busy_over_time(begin, end, parts=parts, internal=internal)


def handling_managers(
    company: str, begin: datetime, end: datetime, *, internal: bool = False
) -> tuple[str, ...]:
    """Who took at least one call and talked in it within [``begin``, ``end``): PBX names, sorted, a person once."""
    with company_scope(company):
        return billed.handling_managers(begin, end, internal=internal)


def calls_mark(company: str, begin: datetime, end: datetime, *, now: datetime | None = None) -> CallsMark:
    """The state of the handled calls of [``begin``, ``end``), to be compared with a later one."""
    with company_scope(company):
        return billed.calls_mark(begin, end, now=now or timezone.now())


def handled_now(company: str, *, now: datetime | None = None, internal: bool = False) -> int:
    """How many calls are being handled at this moment: some milliseconds, whatever the past."""
    with company_scope(company):
        return billed.handled_now(now=now or timezone.now(), internal=internal)


def calls_by_key(company: str, keys: Sequence[str]) -> list[CallShown]:
    """The company's calls of these keys, by their start, to be shown; the first 500 keys are looked for."""
    with company_scope(company):
        return billed.calls_by_key(keys)


def tell(company: str, event: str, key: str, data: Mapping[str, Any], at: datetime) -> None:
    """Queue a message of ``event`` (a value of Happening) for the company's webhooks; once for each ``key``.

    Call it in the transaction of what it tells. ``data``: what JSON has, amounts as text. Raises ValueError for an
    event there is not, tenants.scope.UnknownCompany.
    """
    happening = Happening(event)
    with company_scope(company):
        webhooks.tell(event=happening, key=key, data=data, at=at)
