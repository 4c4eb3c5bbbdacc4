"""Today's raw counts as rows know them, so that a collector's restart resets no counter on the panel.

The same rules as the reducer's (``domain.queueing``, ``domain.calls``): a visit belongs to the day its outcome came, a
leg to the day it ended; merged calls count nothing. The day is the company's, between its own midnights.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from monitoring.domain.directory import Standing
from monitoring.domain.intervals import day_bounds, local_day
from monitoring.domain.wire import ManagerCounts, QueueCounts
from monitoring.models.calls import Leg, QueueVisit
from monitoring.models.statuses import StatusInterval

_MERGED = "merged"


def load(zone: str) -> Standing:
    """What is known of the day that is now in time zone ``zone``."""
    day = local_day(timezone.now().timestamp(), zone)
    start, end = (datetime.fromtimestamp(bound, UTC) for bound in day_bounds(day, zone))
    return Standing(
        day=day, queues=queue_counts(start, end), managers=manager_counts(start, end), statuses=declared()
    )


def queue_counts(start: datetime, end: datetime) -> dict[str, QueueCounts]:
    """Raw counts of visits settled in [start, end), by the queue's name on the PBX."""
    answered, abandoned = Q(outcome="answered"), Q(outcome="abandoned")
    rows = (
        QueueVisit.objects.filter(left__gte=start, left__lt=end)
        .values("queue_name")
        .order_by()
        .annotate(
            offered=Count("pk", filter=Q(outcome__in=["answered", "abandoned", "flow-out"])),
            answered=Count("pk", filter=answered),
            answered_within=Count("pk", filter=answered & Q(wait__lte=F("answer_within"))),
            abandoned=Count("pk", filter=abandoned),
            short_abandoned=Count("pk", filter=abandoned & Q(wait__lt=F("short_abandon"))),
            flow_out=Count("pk", filter=Q(outcome="flow-out")),
            wait_answered=Sum("wait", filter=answered, default=0.0),
        )
    )
    return {
        row["queue_name"]: QueueCounts(
            offered=row["offered"],
            answered=row["answered"],
            answered_within=row["answered_within"],
            abandoned=row["abandoned"],
            short_abandoned=row["short_abandoned"],
            flow_out=row["flow_out"],
            wait_answered=row["wait_answered"],
        )
        for row in rows
    }


def manager_counts(start: datetime, end: datetime) -> dict[str, ManagerCounts]:
    """Raw counts of legs that ended in [start, end), by the manager's name on the PBX. Seconds for times.

    A leg still going on is left out: the reducer counts it when it meets the call again in its first snapshot.
    """
    came, went, missed = (
        Q(call__direction="in"),
        Q(call__direction="out"),
        Q(outcome="missed", available=True),
    )
    rows = (
        Leg.objects.filter(ended__gte=start, ended__lt=end)
        .exclude(call__disposition=_MERGED)
        .values("manager_name")
        .order_by()
        .annotate(
            answered=Count("pk", filter=came & Q(origin=False, answered__gte=start)),
            missed=Count("pk", filter=came & missed),
            outgoing=Count("pk", filter=went & Q(origin=True)),
            talk_in=Sum("talk_seconds", filter=came, default=0.0),
            talk_out=Sum("talk_seconds", filter=went, default=0.0),
            hold=Sum("hold_seconds", default=0.0),
        )
    )
    return {
        row["manager_name"]: ManagerCounts(
            answered=row["answered"],
            missed=row["missed"],
            outgoing=row["outgoing"],
            talk_in=row["talk_in"],
            talk_out=row["talk_out"],
            hold=row["hold"],
        )
        for row in rows
    }


def declared() -> dict[str, tuple[int, float]]:
    """Standing statuses of today's managers: name on the PBX → (status id, since in epoch seconds)."""
    rows = StatusInterval.objects.filter(ended__isnull=True, manager__archived_at__isnull=True).values_list(
        "manager__pbx_name", "status_id", "started"
    )
    return {name: (status, started.timestamp()) for name, status, started in rows}
