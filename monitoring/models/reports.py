"""Reports that come by e-mail by themselves: what is asked, for whom, how often, and what became of each sending.

A run is one period's sending, a delivery one recipient's letter of it; both are claimed before anything is sent, so
that a worker killed in the middle sends nothing twice.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.text import one_visible_line
from tenants.people.models import User


class Every(models.TextChoices):
    """How often; each covers the last whole one of its kind."""

    DAY = "day", _("every day, about yesterday")
    WEEK = "week", _("every Monday, about last week")
    MONTH = "month", _("on the first of the month, about last month")


class ReportPage(models.TextChoices):
    OVERVIEW = "overview", _("Overview")
    QUEUES = "queues", _("Queues")
    MANAGERS = "managers", _("Managers")
    LINES = "lines", _("Lines")
    HOURS = "hours", _("By hour")


class ScheduledReport(models.Model):
    """``query``: the page's filter as its address has it, without the period. ``at``: the company's local time.

    ``next_run`` (UTC) NULL: paused or stopped. ``stopped``: why it stopped by itself, "" otherwise.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    title = models.CharField(_("title"), max_length=80, validators=[one_visible_line])
    page = models.CharField(_("page"), max_length=10, choices=ReportPage.choices)
    query = models.CharField(max_length=1000, blank=True)
    every = models.CharField(_("how often"), max_length=6, choices=Every.choices, default=Every.WEEK)
    at = models.TimeField(_("local time"))
    active = models.BooleanField(default=True)
    stopped = models.CharField(max_length=20, blank=True)
    made = models.DateTimeField(auto_now_add=True)
    next_run = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["title", "pk"]
        verbose_name = _("scheduled report")
        verbose_name_plural = _("scheduled reports")
        indexes = [
            models.Index(fields=["next_run"], condition=models.Q(next_run__isnull=False), name="report_due")
        ]

    def __str__(self) -> str:
        return self.title

    def is_own_of(self, user: User) -> bool:
        return self.owner_id == user.pk


class ReportRecipient(models.Model):
    """Who gets it, and in which language."""

    report = models.ForeignKey(ScheduledReport, models.CASCADE, related_name="recipients")
    email = models.EmailField()
    language = models.CharField(max_length=8)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["report", "email"], name="report_recipient_once")]

    def __str__(self) -> str:
        return self.email


class ReportRun(models.Model):
    """The sending of local days [``first``, ``last``]. ``asked``: a person pressed "send now".

    ``beat``: the sender's last sign of life (UTC); one silent for long is taken over. ``done`` NULL: under way.
    """

    report = models.ForeignKey(ScheduledReport, models.CASCADE, related_name="runs")
    first = models.DateField()
    last = models.DateField()
    asked = models.BooleanField(default=False)
    began = models.DateTimeField()
    beat = models.DateTimeField()
    done = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-began", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["report", "first", "last"], condition=models.Q(asked=False), name="report_period_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.report_id} {self.first}–{self.last}"


class ReportDelivery(models.Model):
    """One letter. CLAIMED and never SENT: the sender died in that very moment; it is not tried again."""

    class State(models.TextChoices):
        CLAIMED = "claimed", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not sent")

    run = models.ForeignKey(ReportRun, models.CASCADE, related_name="deliveries")
    email = models.EmailField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.CLAIMED)
    at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["run", "email"], name="report_letter_once")]

    def __str__(self) -> str:
        return f"{self.email} {self.state}"
