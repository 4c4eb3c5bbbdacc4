"""How a company stands by its oldest unpaid invoice: active, then read-only, then suspended.

Asked at every request, so the answer is kept in the process for half a minute; a payment made here clears it at once.
Nothing that carries calls or keeps recordings asks this.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django.conf import settings
from django.utils import timezone

from billing.domain.money import ZERO
from billing.domain.periods import local_day
from billing.models import Invoice
from billing.selectors import balance

TTL = 30.0  # seconds
LIMIT = 10_000  # companies kept


class State(StrEnum):
    ACTIVE = "active"
    READ_ONLY = "read_only"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Standing:
    """``since``: the first local day of the state, None while active. The rest is about the oldest overdue invoice.

    ``invoice``: its id, None when nothing is overdue; ``owed``: on it; ``debt``: all that is overdue.
    ``read_only_on``, ``suspended_on``: when the doors close if nothing is paid.
    """

    state: State = State.ACTIVE
    since: date | None = None
    invoice: int | None = None
    number: str = ""
    issued_on: date | None = None
    due_on: date | None = None
    days_late: int = 0
    owed: Decimal = ZERO
    debt: Decimal = ZERO
    read_only_on: date | None = None
    suspended_on: date | None = None


PAID_UP = Standing()

_kept: dict[str, tuple[float, Standing]] = {}


def standing(company_slug: str, *, now: datetime | None = None) -> Standing:
    """``now``: at that moment, read afresh; None: at present, at most half a minute old."""
    if now is not None:
        return _read(company_slug, now)
    kept = _kept.get(company_slug)
    if kept is not None and kept[0] > time.monotonic():
        return kept[1]
    found = _read(company_slug, timezone.now())
    if len(_kept) >= LIMIT:
        _kept.clear()
    _kept[company_slug] = (time.monotonic() + TTL, found)
    return found


def forget(company_slug: str | None = None) -> None:
    """Ask the database again next time, about one company or about all."""
    if company_slug is None:
        _kept.clear()
    else:
        _kept.pop(company_slug, None)


def days_late(invoice: Invoice, now: datetime) -> int:
    """Days after the one it was due on, by the subscription's zone; not above zero while there is time."""
    assert invoice.due_on is not None
    return (local_day(now, invoice.subscription.time_zone) - invoice.due_on).days


def state_after(late: int) -> State:
    if late >= settings.BILLING_SUSPENDED_DAYS:
        return State.SUSPENDED
    return State.READ_ONLY if late >= settings.BILLING_READ_ONLY_DAYS else State.ACTIVE


def _read(company_slug: str, now: datetime) -> Standing:
    # A day ahead: in which zone it is late already, each invoice says itself.
    rows = balance.unpaid().filter(
        company__schema_name=company_slug, due_on__lt=now.date() + timedelta(days=1)
    )
    late = [row for row in rows.select_related("subscription") if days_late(row, now) > 0]
    if not late:
        return PAID_UP
    oldest = late[0]
    assert oldest.due_on is not None
    days = days_late(oldest, now)
    state = state_after(days)
    closing = {
        State.READ_ONLY: oldest.due_on + timedelta(days=settings.BILLING_READ_ONLY_DAYS),
        State.SUSPENDED: oldest.due_on + timedelta(days=settings.BILLING_SUSPENDED_DAYS),
    }
    return Standing(
        state=state,
        since=closing.get(state),
        invoice=oldest.pk,
        number=oldest.full_number,
        issued_on=oldest.issued_on,
        due_on=oldest.due_on,
        days_late=days,
        owed=oldest.owed,
        debt=sum((row.owed for row in late), ZERO),
        read_only_on=closing[State.READ_ONLY],
        suspended_on=closing[State.SUSPENDED],
    )
