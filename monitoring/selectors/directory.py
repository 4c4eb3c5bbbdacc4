"""A company's rows as the reducer's second input, read anew whenever somebody edits them.

The number of queries does not depend on how many people, queues or calls there are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import Prefetch

from monitoring.domain.directory import (
    Directory,
    GroupEntry,
    LineEntry,
    ManagerEntry,
    QueueEntry,
    Standing,
    StatusEntry,
)
from monitoring.models.lines import Line
from monitoring.models.people import Group, Manager
from monitoring.models.queues import Queue
from monitoring.models.statuses import Status
from monitoring.selectors import standing
from monitoring.selectors.policy import policy
from tenants.models import Company, Pbx


def load(company_slug: str, pbx: str = "") -> tuple[Directory, Standing]:
    """The company's directory and what the database knows of its day so far. Call it inside
    ``company_scope``."""
    directory = read(company_slug, pbx)
    known = standing.load(directory.time_zone)
    strange = known.queues.keys() - {queue.key for queue in directory.queues}
    if strange:
        # Archived queues, and those of another PBX, have counts of today too: they must not come back by them.
        gone = set(Queue.objects.filter(pbx_name__in=strange).values_list("pbx_name", flat=True))
        known = replace(known, queues={key: c for key, c in known.queues.items() if key not in gone})
    return directory, known


def read(company_slug: str, pbx: str = "") -> Directory:
    """The company's directory alone. Call it inside ``company_scope``.

    ``pbx``: key of the PBX it is for; what lives on another PBX of the company is left out, for that one tells it.
    """
    elsewhere = (
        Pbx.objects.filter(enabled=True, companies__schema_name=company_slug).exclude(pk=pbx) if pbx else ()
    )
    others = [other.pk for other in elsewhere]
    zone = Company.objects.values_list("time_zone", flat=True).get(schema_name=company_slug)
    lines = list(Line.objects.live().exclude(pbx__in=others).prefetch_related(_LIVE_GROUPS))
    return Directory(
        company=company_slug,
        time_zone=zone,
        groups=tuple(GroupEntry(group.pk, group.title) for group in Group.objects.live()),
        managers=tuple(
            ManagerEntry(
                manager.pbx_name, manager.title, manager.extension, _interfaces(manager), _group_ids(manager)
            )
            for manager in Manager.objects.live().exclude(pbx__in=others).prefetch_related(_LIVE_GROUPS)
        ),
        queues=tuple(
            QueueEntry(
                queue.pbx_name,
                queue.title,
                _group_ids(queue),
                float(queue.answer_within),
                float(queue.short_abandon),
                float(queue.wrap_up),
            )
            for queue in Queue.objects.live().exclude(pbx__in=others).prefetch_related(_LIVE_GROUPS)
        ),
        lines=tuple(LineEntry(line.number, line.title, line.kind, _group_ids(line)) for line in lines),
        statuses=tuple(
            StatusEntry(status.pk, status.label, status.kind, status.colour)
            for status in Status.objects.live()
        ),
        trunks=frozenset(line.trunk for line in lines if line.trunk),
        records=policy().record_calls,
    )


_LIVE_GROUPS = Prefetch("groups", queryset=Group.objects.live().only("pk"), to_attr="live_groups")


def _group_ids(row: Any) -> tuple[int, ...]:
    """``row``: anything fetched with ``_LIVE_GROUPS``."""
    return tuple(sorted(group.pk for group in row.live_groups))


def _interfaces(manager: Manager) -> tuple[str, ...]:
    return tuple(manager.interfaces) or (f"PJSIP/{manager.pbx_name}",)
