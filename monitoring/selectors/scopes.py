"""Whether what a report is asked for is there for this person, and what it is called.

Another company's or group's id is answered like one that never was.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from monitoring.domain.statistics import Scope
from monitoring.models.lines import Line
from monitoring.models.people import Group, Manager
from monitoring.models.queues import Queue

_MOST = 2**31 - 1


def title_of(scope: Scope, groups: frozenset[int] | None) -> str | None:
    """The scope's title; None when it is not there for an audience of ``groups`` (None = all). One query.

    Archived rows have a past and are found. The company itself has no title here: "".
    """
    if scope.kind == "company":
        return ""
    if scope.kind == "line":
        return _first(_within(Line.objects.filter(number=scope.key), groups))
    if not (scope.key.isascii() and scope.key.isdigit()) or len(scope.key) > 10 or int(scope.key) > _MOST:
        return None
    pk = int(scope.key)
    if scope.kind == "group":
        return _first(Group.objects.filter(pk=pk)) if groups is None or pk in groups else None
    rows: QuerySet[Any] = (Queue if scope.kind == "queue" else Manager).objects.filter(pk=pk)
    return _first(_within(rows, groups))


def _within(rows: QuerySet[Any], groups: frozenset[int] | None) -> QuerySet[Any]:
    return rows if groups is None else rows.filter(Q(groups__in=groups)).distinct()


def _first(rows: QuerySet[Any]) -> str | None:
    return rows.order_by("archived_at", "pk").values_list("title", flat=True).first()
