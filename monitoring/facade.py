"""Monitoring's front door for the rooms above it. It opens the company's scope itself and answers in contracts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from monitoring.contracts import CompanySize, HandledCall, ProfileActive
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


def tell(company: str, event: str, key: str, data: Mapping[str, Any], at: datetime) -> None:
    """Queue a message of ``event`` (a value of Happening) for the company's webhooks; once for each ``key``.

    Call it in the transaction of what it tells. ``data``: what JSON has, amounts as text. Raises ValueError for an
    event there is not, tenants.scope.UnknownCompany.
    """
    happening = Happening(event)
    with company_scope(company):
        webhooks.tell(event=happening, key=key, data=data, at=at)
