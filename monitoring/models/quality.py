"""When a company's PBX was not heard, and what the PBX's own records said of that time afterwards.

Written by ``services.blindness`` and ``services.reconcile``; read by reports, the API and the panel through
``selectors.quality``.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.calls import Call


class BlindWindow(models.Model):
    """[``began``, ``ended``) in which ``pbx`` was not heard, by the collector's clock; ``ended`` None: it still lasts.

    ``skew``: seconds by which the PBX's clock was ahead of the collector's. ``booted``: the PBX's own time of a start
    that fell into the window. ``found``: calls its records know of that time; ``added`` and ``corrected``: those of
    them the portal did not have, or not so.
    """

    class State(models.TextChoices):
        OPEN = "open", _("still blind")
        WAITING = "waiting", _("being filled")
        RECONCILED = "reconciled", _("filled")
        UNFILLED = "unfilled", _("cannot be filled")

    pbx = models.CharField(max_length=20)
    began = models.DateTimeField()
    ended = models.DateTimeField(null=True)
    cause = models.CharField(max_length=20)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    skew = models.FloatField(default=0.0)
    booted = models.DateTimeField(null=True)
    found = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    corrected = models.PositiveIntegerField(default=0)
    tried = models.DateTimeField(null=True)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["-began", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["pbx", "began"], name="window_once"),
            models.UniqueConstraint(
                fields=["pbx"], condition=models.Q(ended__isnull=True), name="one_open_window"
            ),
        ]
        indexes = [
            models.Index(
                fields=["began"], condition=models.Q(state__in=["open", "waiting"]), name="window_unsettled"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pbx} {self.began:%F %T} {self.state}"


class Correction(models.Model):
    """One call that a window's reconcile wrote anew. ``changes``: field → [before, after]; {} for one added."""

    class Kind(models.TextChoices):
        ADDED = "added", _("added")
        CORRECTED = "corrected", _("corrected")

    window = models.ForeignKey(BlindWindow, models.CASCADE, related_name="corrections")
    call = models.ForeignKey(Call, models.CASCADE, related_name="corrections")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    changes = models.JSONField(default=dict)

    class Meta:
        ordering = ["window", "pk"]
        constraints = [models.UniqueConstraint(fields=["window", "call"], name="corrected_once_a_window")]

    def __str__(self) -> str:
        return f"{self.kind} {self.call_id}"
