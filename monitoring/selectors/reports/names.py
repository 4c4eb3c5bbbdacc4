"""Titles for the keys of an answer's rows, and what a reader may choose as scope: only what is theirs to see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from monitoring.domain.statistics import Scope, ScopeKind
from monitoring.models.lines import Line
from monitoring.models.people import Group, Manager
from monitoring.models.queues import Queue

Groups = frozenset[int] | None


def titles(kind: ScopeKind, keys: Iterable[str]) -> dict[str, str]:
    """Key → title; a line that is set up no more is shown by its number."""
    wanted = set(keys)
    if kind == "line":
        rows = Line.objects.filter(number__in=wanted).order_by("-archived_at").values_list("number", "title")
        return {key: key for key in wanted} | {number: f"{title} · {number}" for number, title in rows}
    models: dict[str, Any] = {"queue": Queue, "manager": Manager, "group": Group}
    numbers = [int(key) for key in wanted if key.isdecimal()]
    found = models[kind].objects.filter(pk__in=numbers).values_list("pk", "title")
    return {str(pk): str(title) for pk, title in found}


def choices(groups: Groups) -> list[tuple[str, list[tuple[str, str]]]]:
    """(heading, [(scope as the address writes it, title)]) of everything live the asker may report on."""
    own = Group.objects.live()
    if groups is not None:
        own = own.filter(pk__in=groups)
    return [
        (_("Groups"), [(f"group:{pk}", title) for pk, title in own.values_list("pk", "title")]),
        (_("Queues"), _listed("queue", _within(Queue.objects.live(), groups))),
        (_("Managers"), _listed("manager", _within(Manager.objects.live(), groups))),
        (_("Lines"), [
            (f"line:{number}", f"{title} · {number}")
            for number, title in _within(Line.objects.live(), groups).values_list("number", "title")
        ]),
    ]  # fmt: skip


def heading(scope: Scope, title: str) -> str:
    """What the report is about, for its head."""
    kinds = {
        "group": _("Group: %(title)s"), "queue": _("Queue: %(title)s"), "line": _("Line: %(title)s"),
        "manager": _("Manager: %(title)s"),
    }  # fmt: skip
    return kinds[scope.kind] % {"title": title} if scope.kind in kinds else ""


def _within(rows: QuerySet[Any], groups: Groups) -> QuerySet[Any]:
    return rows if groups is None else rows.filter(groups__in=groups).distinct()


def _listed(kind: str, rows: QuerySet[Any]) -> list[tuple[str, str]]:
    return [(f"{kind}:{pk}", title) for pk, title in rows.values_list("pk", "title")]
