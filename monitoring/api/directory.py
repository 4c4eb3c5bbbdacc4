"""/directory: the ids and titles that other questions take: groups, queues, managers, lines, statuses."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema

from monitoring.api.answers import Problem
from monitoring.models import Group, Line, Manager, Queue, Status
from monitoring.selectors.audience import board_rights
from tenants.asker import person
from tenants.people.api_access import by
from tenants.people.models import Scope
from tenants.people.roles import Verb, demand

router = Router(auth=by(Scope.STATISTICS), tags=["directory"])


class Named(Schema):
    """``name``: on the PBX; a line's number."""

    id: int
    name: str
    title: str
    groups: list[int]


class StatusOut(Schema):
    id: int
    label: str
    kind: str


class DirectoryOut(Schema):
    groups: list[Named]
    queues: list[Named]
    managers: list[Named]
    lines: list[Named]
    statuses: list[StatusOut]


@router.get("", response={200: DirectoryOut, 401: Problem, 403: Problem}, summary="Ids and titles")
def directory(request: HttpRequest) -> DirectoryOut:
    demand(request, Verb.SEE_STATISTICS)
    audience = board_rights(person(request))
    groups = [group for group in Group.objects.live() if audience is None or group.pk in audience]
    return DirectoryOut(
        groups=[Named(id=group.pk, name="", title=group.title, groups=[group.pk]) for group in groups],
        queues=_named(Queue.objects.live(), "pbx_name", audience),
        managers=_named(Manager.objects.live(), "pbx_name", audience),
        lines=_named(Line.objects.live(), "number", audience),
        statuses=[StatusOut(id=row.pk, label=row.label, kind=row.kind) for row in Status.objects.live()],
    )


def _named(rows: QuerySet[Any], name: str, audience: frozenset[int] | None) -> list[Named]:
    found = []
    for row in rows.prefetch_related("groups"):
        groups = sorted(group.pk for group in row.groups.all() if group.archived_at is None)
        seen = groups if audience is None else [group for group in groups if group in audience]
        if audience is None or seen:
            found.append(Named(id=row.pk, name=getattr(row, name), title=row.title, groups=seen))
    return found
