"""What was removed when: by the company's own rules, or because a customer asked for it. Progress, for people to see.

An erasure knows its number only while it works; what stays is a digest, by which the same request can be recognised.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    CALLS = "calls", _("calls and statuses")
    RECORDINGS = "recordings", _("recordings")
    EVENTS = "events", _("audit and events")


class Progress(models.TextChoices):
    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("finished")
    FAILED = "failed", _("failed")


class Cleaning(models.Model):
    """One removal of everything of ``kind`` older than ``before``. ``total``: how much there was at its start.

    At most one of a kind is under way; whoever works on it adds to ``done``. Times are UTC.
    """

    kind = models.CharField(max_length=12, choices=Kind.choices)
    before = models.DateTimeField()
    state = models.CharField(max_length=8, choices=Progress.choices, default=Progress.RUNNING)
    total = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    started = models.DateTimeField()
    moved = models.DateTimeField()
    ended = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"], condition=models.Q(state="running"), name="one_cleaning_of_a_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} before {self.before:%Y-%m-%d}: {self.done}/{self.total}"

    @property
    def percent(self) -> int:
        return min(100, self.done * 100 // self.total) if self.total else 100


class Erasure(models.Model):
    """One customer's data removed on request. ``customer``: the number while it works, "" afterwards.

    ``removed``: how many of what. ``until``: what the PBX tells of later calls is not touched.
    """

    digest = models.CharField(max_length=64, db_index=True)
    customer = models.CharField(max_length=32, blank=True, default="")
    state = models.CharField(max_length=8, choices=Progress.choices, default=Progress.WAITING)
    asked = models.DateTimeField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    who = models.CharField(max_length=120)
    until = models.DateTimeField()
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    removed = models.JSONField(default=dict)
    ended = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked", "-pk"]

    def __str__(self) -> str:
        return self.digest[:12]

    @property
    def percent(self) -> int:
        return min(100, self.done * 100 // self.total) if self.total else 0
