"""The audit of money, narrowed down: who, about which company, what, when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet

from billing.domain.periods import midnight
from billing.models import Act

SIDES = ("platform", "company", "timetable")


@dataclass(frozen=True, slots=True)
class ActsAsked:
    """Empty values narrow nothing. ``begin``, ``end``: local days of ``zone``, both inclusive."""

    who: str = ""
    company: int = 0
    verb: str = ""
    side: str = ""
    begin: date | None = None
    end: date | None = None
    zone: str = "UTC"


def acts(asked: ActsAsked) -> QuerySet[Act]:
    """The latest first."""
    found = Act.objects.select_related("company")
    for word in asked.who.split()[:4]:
        found = found.filter(who__icontains=word)
    if asked.company:
        found = found.filter(company_id=asked.company)
    if asked.verb:
        found = found.filter(verb=asked.verb)
    if asked.side == "timetable":
        found = found.filter(who="")
    elif asked.side:
        found = found.filter(side=asked.side).exclude(who="")
    if asked.begin:
        found = found.filter(at__gte=midnight(asked.begin, asked.zone))
    if asked.end:
        found = found.filter(at__lt=midnight(asked.end + timedelta(days=1), asked.zone))
    return found


def verbs() -> list[str]:
    """Everything that was ever done."""
    return list(Act.objects.order_by("verb").values_list("verb", flat=True).distinct())
