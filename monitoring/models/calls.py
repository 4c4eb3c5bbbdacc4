"""A customer's journey as rows: the call, each manager's leg in it, each stay in a queue, each step of its
route.

Rows mirror ``domain.facts`` and are written only by ``services.ingest``, by keys that make a retry harmless.
People and queues are named as the PBX named them, so a fact is never refused for want of a directory row.
``groups``: ids of the groups a row belonged to when it was first told, so that the past stays where it happened
when people and queues move: a leg its manager's, a visit its queue's, a call all of these and its line's.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Substr

from monitoring.models.people import Group, Manager
from monitoring.models.queues import Queue
from tenants.people.models import User

# Every four digits in a row of a number, by which any part of it is found; numbers have fifteen digits at most.
# No function of our own: PostgreSQL would call it for each row written, and that cost twice the writing itself.
PART = 4
NUMBER_PARTS = models.Func(
    *(Substr("customer", place, PART) for place in range(1, 13)),
    template="(ARRAY[%(expressions)s])",
    output_field=ArrayField(models.TextField()),
)


class Call(models.Model):
    """``key`` = ``<pbx>:<uniqueid of the first channel>``. ``revision``: PBX time of the last evidence in
    this row.

    ``reconciled``: its end was not seen; it ends at the last evidence.
    ``customer``: the number as digits of E.164 without the plus (models.phones), "" for a withheld one.
    ``wait_seconds``, ``talk_seconds``: sums over its settled visits and legs, for the journal's filters.
    """

    key = models.CharField(max_length=120)
    pbx = models.CharField(max_length=20)
    direction = models.CharField(max_length=8)
    number = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    line = models.CharField(max_length=80)
    started = models.DateTimeField()
    answered = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    disposition = models.CharField(max_length=12)
    hung_up_by = models.CharField(max_length=40)
    merged_into = models.CharField(max_length=120, blank=True)
    revision = models.FloatField()
    reconciled = models.BooleanField(default=False)
    customer = models.CharField(max_length=32, blank=True, default="")
    groups = ArrayField(models.IntegerField(), default=list)
    wait_seconds = models.FloatField(default=0.0)
    talk_seconds = models.FloatField(default=0.0)
    recorded = models.BooleanField(default=False)

    class Meta:
        ordering = ["-started", "-pk"]
        # A constraint, not unique=True: that would cost every write a second index, for LIKE, which nobody asks.
        constraints = [models.UniqueConstraint(fields=["key"], name="call_once")]
        indexes = [
            models.Index(fields=["started"], name="call_by_time"),
            models.Index(fields=["customer", "started"], name="call_by_customer"),
            models.Index(fields=["pbx", "started"], condition=models.Q(ended__isnull=True), name="call_open"),
            models.Index(fields=["line", "started"], name="call_by_line"),
            GinIndex(NUMBER_PARTS, name="call_by_part_of_number"),
            # Only the few that are asked for because they are long.
            models.Index(
                fields=["wait_seconds"], condition=models.Q(wait_seconds__gte=120), name="call_long_wait"
            ),
            models.Index(
                fields=["talk_seconds"], condition=models.Q(talk_seconds__gte=900), name="call_long_talk"
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def is_headed_by(self, user: User) -> bool:
        return Group.objects.live().filter(pk__in=self.groups, supervisors__user=user).exists()

    def is_own_of(self, user: User) -> bool:
        return self.legs.filter(manager__user=user).exists()


class Leg(models.Model):
    """One manager's channel in a call. ``talk`` and ``hold``: [[from, until|null]…] in epoch seconds, disjoint.

    The sums beside them are of closed intervals, in seconds. ``available``: whether a miss is this manager's.
    ``origin``: this manager placed the channel, the PBX did not ring it.
    ``booked``: the moment its handling counts: the end of its wrap-up once that has ended, till then ``ended``.
    """

    call = models.ForeignKey(Call, models.CASCADE, related_name="legs")
    uniqueid = models.CharField(max_length=80)
    manager = models.ForeignKey(Manager, models.PROTECT, null=True, related_name="legs", db_index=False)
    manager_name = models.CharField(max_length=80)
    queue_name = models.CharField(max_length=80)
    rang = models.DateTimeField()
    answered = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16)
    available = models.BooleanField()
    origin = models.BooleanField(default=False)
    talk = models.JSONField(default=list)
    hold = models.JSONField(default=list)
    talk_seconds = models.FloatField()
    hold_seconds = models.FloatField()
    wrap_up_seconds = models.FloatField(default=0.0)
    booked = models.DateTimeField(null=True)
    groups = ArrayField(models.IntegerField(), default=list)

    class Meta:
        ordering = ["rang", "pk"]
        indexes = [
            models.Index(fields=["booked", "manager_name"], name="leg_by_booking"),
            models.Index(fields=["manager", "rang"], name="leg_of_manager"),
        ]

    def __str__(self) -> str:
        return f"{self.manager_name} {self.uniqueid}"


class Step(models.Model):
    """One stop of the route, in order."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12)
    what = models.CharField(max_length=80)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    note = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["call", "position"]
        constraints = [models.UniqueConstraint(fields=["call", "position"], name="step_place_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"


class QueueVisit(models.Model):
    """One stay of one call in one queue. The limits of that moment are kept, so the past can be re-read.

    ``call_key`` is no foreign key: a visit may be told before its call, and a merged call hands its visits
    over. ``line``: the number its call came to, for figures by line.
    """

    pbx = models.CharField(max_length=20)
    uniqueid = models.CharField(max_length=80)
    call_key = models.CharField(max_length=120)
    queue = models.ForeignKey(Queue, models.PROTECT, null=True, related_name="visits", db_index=False)
    queue_name = models.CharField(max_length=80)
    joined = models.DateTimeField()
    left = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12)
    reason = models.CharField(max_length=40, blank=True)
    manager_name = models.CharField(max_length=80, blank=True)
    wait = models.FloatField()
    position = models.PositiveIntegerField()
    answer_within = models.FloatField()
    short_abandon = models.FloatField()
    line = models.CharField(max_length=80, blank=True, default="")
    groups = ArrayField(models.IntegerField(), default=list)

    class Meta:
        ordering = ["joined", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["pbx", "uniqueid", "queue_name", "joined"], name="visit_once"),
        ]
        indexes = [
            models.Index(fields=["left", "queue_name"], name="visit_by_day"),
            models.Index(fields=["call_key"], name="visit_of_call"),
            models.Index(fields=["queue", "joined"], name="visit_of_queue"),
            models.Index(fields=["pbx", "joined"], condition=models.Q(outcome="open"), name="visit_open"),
        ]

    def __str__(self) -> str:
        return f"{self.queue_name} {self.uniqueid} {self.outcome}"
