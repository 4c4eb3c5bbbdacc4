"""What a row of the journal shows besides its call: names instead of keys, who took part, marks, notes, losses.

A page costs a fixed number of queries however many calls it has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, F, Q

from monitoring.models.calls import Call, Leg, QueueVisit
from monitoring.models.lines import Line
from monitoring.models.lost import LostCall
from monitoring.models.notes import CallMark, Mark, Note
from monitoring.models.people import Group, Manager
from monitoring.models.phones import shown
from monitoring.models.queues import Queue
from monitoring.selectors.journal import Reach
from monitoring.selectors.policy import policy


@dataclass(slots=True)
class Row:
    """``talked``: who spoke with the customer, in order; ``rang``: who was only rung. ``lost``: state, "" if never."""

    call: Call
    number: str
    line: str
    queues: list[str] = field(default_factory=list)
    talked: list[str] = field(default_factory=list)
    rang: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    notes: int = 0
    lost: str = ""


def rows(calls: Sequence[Call], *, signs: bool = True) -> list[Row]:
    """One Row a call, in the same order. ``signs``: marks, notes and losses too."""
    region, lines = policy().region, line_titles(call.line for call in calls)
    made = {
        call.pk: Row(call, shown(call.customer, region) or call.number, lines.get(call.line, call.line))
        for call in calls
    }
    by_key = {call.key: made[call.pk] for call in calls}
    _add_people(made)
    for visit in (
        QueueVisit.objects.filter(call_key__in=by_key)
        .order_by("joined", "pk")
        .values("call_key", title=F("queue__title"), name=F("queue_name"))
    ):
        _once(by_key[visit["call_key"]].queues, visit["title"] or visit["name"])
    if signs:
        _add_signs(made)
    return list(made.values())


def _add_people(made: dict[int, Row]) -> None:
    names: dict[int, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for leg in (
        Leg.objects.filter(call__in=made)
        .order_by("rang", "pk")
        .values(
            "call_id",
            "talk_seconds",
            "answered",
            "outcome",
            title=F("manager__title"),
            name=F("manager_name"),
        )
    ):
        talked, rang = names[leg["call_id"]]
        _once(talked if leg["answered"] is not None else rang, leg["title"] or leg["name"])
    for pk, (talked, rang) in names.items():
        made[pk].talked = talked
        made[pk].rang = [name for name in rang if name not in talked]


def _add_signs(made: dict[int, Row]) -> None:
    for mark in CallMark.objects.filter(call__in=made).select_related("mark"):
        made[mark.call_id].marks.append(mark.mark)
    notes = Note.objects.filter(call__in=made, removed__isnull=True).order_by()
    for pk, many in notes.values_list("call_id").annotate(many=Count("pk")):
        made[pk].notes = many
    for pk, state in LostCall.objects.filter(call__in=made).values_list("call_id", "state"):
        made[pk].lost = state


def line_titles(numbers: Iterable[str]) -> dict[str, str]:
    """Number → title; a line out of use still has its name, the one in use comes first."""
    known = Line.objects.filter(number__in=set(numbers)).order_by(F("archived_at").asc(nulls_last=True))
    return dict(known.values_list("number", "title"))


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer within a reach, as (value, title)."""

    lines: list[tuple[str, str]]
    queues: list[tuple[int, str]]
    groups: list[tuple[int, str]]
    managers: list[tuple[int, str]]
    marks: list[tuple[int, str]]


def choices(reach: Reach) -> Choices:
    marks = list(Mark.objects.live().values_list("pk", "label"))
    if reach.manager is not None or reach.groups == frozenset():
        return Choices([], [], [], [], marks)
    of_groups = Q() if reach.groups is None else Q(groups__in=reach.groups)
    groups = (
        Group.objects.live() if reach.groups is None else Group.objects.live().filter(pk__in=reach.groups)
    )
    return Choices(
        lines=list(Line.objects.live().filter(of_groups).distinct().values_list("number", "title")),
        queues=list(Queue.objects.live().filter(of_groups).distinct().values_list("pk", "title")),
        groups=list(groups.values_list("pk", "title")),
        managers=list(Manager.objects.live().filter(of_groups).distinct().values_list("pk", "title")),
        marks=marks,
    )


def is_in_reach(reach: Reach, *, queue: int | None, group: int | None, manager: int | None) -> bool:
    """Whether everything named is the asker's to ask about; what is out of use counts, its past is there."""
    if reach.manager is not None:
        return queue is None and group is None and manager in (None, reach.manager)
    of_groups = Q() if reach.groups is None else Q(groups__in=reach.groups)
    return (
        (queue is None or Queue.objects.filter(of_groups, pk=queue).exists())
        and (manager is None or Manager.objects.filter(of_groups, pk=manager).exists())
        and (
            group is None
            or ((reach.groups is None or group in reach.groups) and Group.objects.filter(pk=group).exists())
        )
    )


def _once(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)
