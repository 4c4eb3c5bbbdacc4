"""What people are told and what waits for them: reminders, notices of limits, the review list, and the audit."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.invoices import Invoice
from billing.models.subscriptions import Subscription
from tenants.models import Company


class Reminder(models.Model):
    """A letter about an unpaid invoice, ``day`` days after it was due. One of each, however often the task runs."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="reminders")
    day = models.PositiveSmallIntegerField()
    sent_at = models.DateTimeField()
    sent_to = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["invoice", "day"]
        constraints = [models.UniqueConstraint(fields=["invoice", "day"], name="reminded_once")]

    def __str__(self) -> str:
        return f"{self.invoice} D+{self.day}"


class LimitNotice(models.Model):
    """A share of the tier, the company's limit or the included profiles was reached; told once a month.

    ``what``: "tier", "limit" or "profiles". ``level``: 80 or 100, per cent.
    """

    company = models.ForeignKey(Company, models.PROTECT, related_name="limit_notices")
    period_start = models.DateField()
    what = models.CharField(max_length=10)
    level = models.PositiveSmallIntegerField()
    value = models.PositiveIntegerField()
    bound = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "period_start", "what", "level", "bound"], name="limit_told_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.company} {self.what} {self.level} %"


class ReviewKind(models.TextChoices):
    TOO_OLD = "too_old", _("calls changed in a month too old to correct")
    FEWER_CALLS = "fewer_calls", _("calls that were billed are gone")
    NO_PRICE = "no_price", _("above the last tier, no price agreed")
    FAILED = "failed", _("could not be billed")
    NO_SUBSCRIPTION = "no_subscription", _("used without a subscription")
    NO_PAPERS = "no_papers", _("legal details are missing")


class ReviewItem(models.Model):
    """Something only a person can decide. ``fingerprint``: the same finding is one row."""

    kind = models.CharField(_("what"), max_length=16, choices=ReviewKind.choices)
    company = models.ForeignKey(Company, models.PROTECT, related_name="review_items")
    subscription = models.ForeignKey(Subscription, models.PROTECT, null=True, related_name="+")
    invoice = models.ForeignKey(Invoice, models.PROTECT, null=True, related_name="+")
    period_start = models.DateField(null=True)
    details = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64)
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=120, blank=True, default="")
    note = models.CharField(_("what was decided"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("review item")
        verbose_name_plural = _("review items")
        ordering = ["-found_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "kind", "period_start", "fingerprint"], name="reviewed_once",
                nulls_distinct=False,
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} {self.company}"


class Act(models.Model):
    """Who did what with money, when. Rows are only added (trigger). ``who``: "" for the timetable.

    ``company``: about whom, None for the platform's own affairs. A company sees its own acts by its own people.
    """

    at = models.DateTimeField(db_index=True)
    who = models.CharField(_("who"), max_length=120, blank=True, default="")
    side = models.CharField(max_length=8)  # "platform" or "company"
    verb = models.CharField(_("what"), max_length=40)
    company = models.ForeignKey(Company, models.PROTECT, null=True, related_name="billing_acts")
    what = models.CharField(_("to what"), max_length=160, blank=True, default="")
    done = models.BooleanField(default=True)
    details = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("act")
        verbose_name_plural = _("acts")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.who} {self.verb} {self.what}"
