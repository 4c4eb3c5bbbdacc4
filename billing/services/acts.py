"""The audit's only door: every act about money leaves a row, in the transaction of what was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from billing.models import Act
from tenants.models import Company
from tenants.people.models import User

Side = Literal["platform", "company"]


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts, as it will be read years later. ``name`` "": the timetable."""

    name: str
    side: Side


TIMETABLE = Who("", "platform")


def who_is(user: User | AnonymousUser) -> Who:
    """The person of a request: staff on the platform's host, else a company's own."""
    name = "".join(sign for sign in str(user) if sign.isprintable())[:120]
    company = user.company if isinstance(user, User) else None
    return Who(name, "platform" if company is None else "company")


def record(
    *,
    who: Who,
    verb: str,
    company: Company | None = None,
    what: object = "",
    done: bool = True,
    details: Mapping[str, object] | None = None,
) -> Act:
    """Write who did ``verb`` ("invoice.finalise", "plan.change", …) to ``what``, now."""
    return Act.objects.create(
        at=timezone.now(),
        who=who.name,
        side=who.side,
        verb=verb,
        company=company,
        what=str(what)[:160],
        done=done,
        details=dict(details or {}),
    )
