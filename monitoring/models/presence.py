"""What nobody declared and yet stood for a while: no phone registered, calls missed in a row, wrap-up after a call.

Beside the declared statuses, never instead of them. Told by the reducer, written only by ``services.ingest``.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.people import Manager


class AutoKind(models.TextChoices):
    """Each is counted while the declared status takes calls."""

    UNREGISTERED = "unregistered", _("no phone registered")
    MISSING_CALLS = "missing_calls", _("does not answer")
    WRAP_UP = "wrap_up", _("wrap-up")


class AutoInterval(models.Model):
    """Half-open [``started``, ``ended``), UTC; ``ended`` NULL while it lasts. ``groups``: ids of the manager's
    groups when first told. ``call_key``: the call that a wrap-up follows."""

    manager = models.ForeignKey(Manager, models.PROTECT, related_name="automatic")
    kind = models.CharField(max_length=16, choices=AutoKind.choices)
    started = models.DateTimeField()
    ended = models.DateTimeField(null=True)
    call_key = models.CharField(max_length=120, blank=True, default="")
    groups = ArrayField(models.IntegerField(), default=list)

    class Meta:
        ordering = ["started", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["manager", "kind", "started"], name="automatic_once"),
            models.CheckConstraint(
                condition=models.Q(ended__isnull=True) | models.Q(ended__gte=models.F("started")),
                name="automatic_ends_after_start",
            ),
        ]
        indexes = [
            models.Index(fields=["started"], name="automatic_by_time"),
            models.Index(fields=["manager"], condition=models.Q(ended__isnull=True), name="automatic_open"),
        ]

    def __str__(self) -> str:
        return f"{self.manager_id}: {self.kind} {self.started:%Y-%m-%d %H:%M:%S}"
