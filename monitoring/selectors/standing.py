"""Today's raw counts as rows know them, so that a collector's restart resets no counter on the panel.

The same rules as the reducer's (``domain.queueing``, ``domain.calls``): a visit belongs to the day its outcome came, a
leg to the day it ended; merged calls count nothing. The day is the company's, between its own midnights.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum
from django.utils import timezone

from monitoring.domain.directory import Standing, StandingAuto
from monitoring.domain.facts import AutoKind
from monitoring.domain.intervals import day_bounds, local_day
from monitoring.domain.wire import ManagerCounts, QueueCounts
from monitoring.models.calls import Leg, QueueVisit
from monitoring.models.presence import AutoInterval
from monitoring.models.statuses import StatusInterval

_MERGED = "merged"
LONGEST_WRAP_UP = timedelta(hours=1)


def load(zone: str) -> Standing:
    """What is known of the day that is now in time zone ``zone``."""
    day = local_day(timezone.now().timestamp(), zone)
    start, end = (datetime.fromtimestamp(bound, UTC) for bound in day_bounds(day, zone))
    return Standing(
        day=day,
        queues=queue_counts(start, end),
        managers=manager_counts(start, end),
        statuses=declared(),
        automatic=automatic(),
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
        # Found by when they are booked, which is indexed and at most a wrap-up later than their end.
        Leg.objects.filter(
            booked__gte=start, booked__lt=end + LONGEST_WRAP_UP, ended__gte=start, ended__lt=end
        )
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


def automatic() -> dict[str, dict[AutoKind, StandingAuto]]:
    """What stands of today's managers without their saying so: name on the PBX → kind → since when.

    A wrap-up comes with the queue of the leg it follows, whose limit it has.
    """
    followed = Leg.objects.filter(call__key=OuterRef("call_key"), manager=OuterRef("manager")).exclude(
        queue_name=""
    )
    rows = (
        AutoInterval.objects.filter(ended__isnull=True, manager__archived_at__isnull=True)
        .order_by("started")
        .annotate(queue=Subquery(followed.order_by("-ended").values("queue_name")[:1]))
        .values_list("manager__pbx_name", "kind", "started", "call_key", "queue")
    )
    standing: dict[str, dict[AutoKind, StandingAuto]] = {}
    for name, kind, started, call, queue in rows:
        auto = StandingAuto(started.timestamp(), call, queue or "")
        standing.setdefault(name, {})[cast(AutoKind, kind)] = auto
    return standing
