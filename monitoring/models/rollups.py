"""Raw counts of the past added up by half-hours (UTC) and by days (the company's), so that reports need not read rows.

Sums, never ratios; built anew from raw rows by ``services.rollups`` and outliving them. ``groups``: as of the facts.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Grain(models.TextChoices):
    HALF_HOUR = "h"
    DAY = "d"


class Sums(models.Model):
    """``at``: when the half-hour or the company's day begins. Ids are plain numbers: a sum outlives its rows."""

    grain = models.CharField(max_length=1, choices=Grain.choices)
    at = models.DateTimeField()
    groups = ArrayField(models.IntegerField(), default=list)

    class Meta:
        abstract = True


class VisitSums(Sums):
    """Queue visits by the moment their outcome came. ``…_bars``: how many waited how long, see ``domain.counts``."""

    queue_id = models.IntegerField(null=True)
    line = models.CharField(max_length=80, blank=True)
    offered = models.IntegerField()
    answered = models.IntegerField()
    answered_within = models.IntegerField()
    abandoned = models.IntegerField()
    short_abandoned = models.IntegerField()
    flow_out = models.IntegerField()
    wait_answered = models.FloatField()
    wait_abandoned = models.FloatField()
    wait_answered_bars = ArrayField(models.IntegerField())
    wait_abandoned_bars = ArrayField(models.IntegerField())

    class Meta:
        indexes = [models.Index(fields=["grain", "at"], name="visit_sums_by_time")]

    def __str__(self) -> str:
        return f"{self.grain} {self.at:%F %R} {self.queue_id} {self.line}"


class CallSums(Sums):
    """Calls by the moment they ended."""

    line = models.CharField(max_length=80, blank=True)
    calls_in = models.IntegerField()
    calls_in_answered = models.IntegerField()
    calls_in_lost = models.IntegerField()
    calls_out = models.IntegerField()
    calls_out_answered = models.IntegerField()
    calls_internal = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["grain", "at"], name="call_sums_by_time")]

    def __str__(self) -> str:
        return f"{self.grain} {self.at:%F %R} {self.line}"


class LegSums(Sums):
    """Managers' parts in calls by the moment their handling was booked."""

    manager_id = models.IntegerField(null=True)
    queue_id = models.IntegerField(null=True)
    rung = models.IntegerField()
    handled_in = models.IntegerField()
    handled_out = models.IntegerField()
    missed = models.IntegerField()
    outgoing = models.IntegerField()
    talk_in = models.FloatField()
    talk_out = models.FloatField()
    hold = models.FloatField()
    wrap_up = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["grain", "at"], name="leg_sums_by_time")]

    def __str__(self) -> str:
        return f"{self.grain} {self.at:%F %R} {self.manager_id} {self.queue_id}"


class PeopleSums(Sums):
    """Seconds of people's time, cut where the half-hour or day ends. ``what``: a raw count's name."""

    manager_id = models.IntegerField()
    what = models.CharField(max_length=24)
    seconds = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["grain", "at"], name="people_sums_by_time")]

    def __str__(self) -> str:
        return f"{self.grain} {self.at:%F %R} {self.manager_id} {self.what}"


class LostSums(Sums):
    """Lost callers by the moment they were lost, with what became of them since."""

    queue_id = models.IntegerField(null=True)
    line = models.CharField(max_length=80, blank=True)
    lost_calls = models.IntegerField()
    called_back = models.IntegerField()
    called_back_in_time = models.IntegerField()
    lost_closed_by_person = models.IntegerField()
    lost_open = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["grain", "at"], name="lost_sums_by_time")]

    def __str__(self) -> str:
        return f"{self.grain} {self.at:%F %R} {self.queue_id} {self.line}"


class Stale(models.Model):
    """A half-hour or day whose sums are no longer what the rows say. Any number of marks may say the same.

    Without a unique key on purpose: nobody who stores facts ever waits for another's mark or for the builder.
    """

    grain = models.CharField(max_length=1, choices=Grain.choices, default=Grain.HALF_HOUR)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["grain", "at"], name="stale_by_time")]

    def __str__(self) -> str:
        return f"{self.grain} {self.at:%F %R}"


class Built(models.Model):
    """How far the sums reach: one row a company. ``zone``: whose days ``days_until`` speaks of.

    Everything before ``until`` that is not ``Stale`` is in the half-hourly sums, everything before ``days_until`` in
    the daily ones.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    until = models.DateTimeField(null=True)
    days_until = models.DateTimeField(null=True)
    zone = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_built")]

    def __str__(self) -> str:
        return f"until {self.until}"
