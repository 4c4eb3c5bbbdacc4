"""A month billed for everybody: the run, and one row of progress for each subscription in it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.subscriptions import Subscription


class RunState(models.TextChoices):
    WAITING = "waiting", _("waiting for a worker")
    WORKING = "working", _("working")
    DONE = "done", _("done")
    STOPPED = "stopped", _("stopped")


class BillingRun(models.Model):
    """``period_start``: first day of the month; each subscription bills it in its own zone.

    ``dry``: nothing is written but what it would have made (``RunItem.outcome``). ``asked_by``: "" for the timetable.
    """

    period_start = models.DateField(_("month"))
    dry = models.BooleanField(_("dry run"), default=False)
    state = models.CharField(_("state"), max_length=8, choices=RunState.choices, default=RunState.WAITING)
    asked_by = models.CharField(max_length=120, blank=True, default="")
    asked_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("billing run")
        verbose_name_plural = _("billing runs")
        ordering = ["-asked_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.period_start:%m.%Y}{' dry' if self.dry else ''}"


class ItemState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class RunItem(models.Model):
    """One subscription of a run. ``outcome``: made, recalculated, unchanged, final (issued already), approval (a
    price is to be agreed), nothing (no day of the month). ``took`` in seconds; ``error`` what a person must mend.
    """

    run = models.ForeignKey(BillingRun, models.CASCADE, related_name="items")
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=ItemState.choices, default=ItemState.WAITING)
    outcome = models.CharField(max_length=16, blank=True, default="")
    invoice = models.ForeignKey("billing.Invoice", models.SET_NULL, null=True, related_name="+")
    total = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    before = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    preview = models.JSONField(default=dict)
    error = models.CharField(max_length=300, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    took = models.FloatField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["run", "subscription"]
        constraints = [
            models.UniqueConstraint(fields=["run", "subscription"], name="subscription_once_a_run")
        ]
        indexes = [models.Index(fields=["run", "state"], name="run_progress")]

    def __str__(self) -> str:
        return f"{self.run} {self.subscription} {self.state}"
