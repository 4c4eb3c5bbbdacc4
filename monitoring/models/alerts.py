"""A norm that was broken, from its first moment to its last: how bad it got, who saw it, who took it on.

One open alert for each metric and scope; whom a letter about it went to is kept, so that nobody gets two.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.norms import NormScope
from monitoring.models.people import Group
from monitoring.models.profiles import Profile
from tenants.people.models import User


class Level(models.TextChoices):
    GOOD = "good", _("within the norm")
    WARN = "warn", _("warning")
    ALARM = "alarm", _("alarm")


class Alert(models.Model):
    """``level``: the one in force; ``worst_level``: the highest reached; ``worst``: the worst value, metric's unit.

    ``scope_title``: as it was called when it began. ``groups``: whose figures these are; empty = the company's.
    ``limit``: the limit of the worst level. ``easing_since``: since when the value has been better than ``level``.
    ``points``: [[epoch seconds, value|null]…] for the picture, thinned out with time.
    """

    metric = models.CharField(_("metric"), max_length=40)
    scope = models.CharField(max_length=8, choices=NormScope.choices)
    scope_id = models.PositiveBigIntegerField(default=0)
    scope_title = models.CharField(max_length=80, blank=True)
    groups = ArrayField(models.IntegerField(), default=list)
    level = models.CharField(_("level"), max_length=5, choices=Level.choices)
    worst_level = models.CharField(max_length=5, choices=Level.choices)
    limit = models.FloatField(null=True)
    value = models.FloatField(null=True)
    worst = models.FloatField(null=True)
    points = models.JSONField(default=list)
    began = models.DateTimeField()
    ended = models.DateTimeField(null=True, blank=True)
    easing_since = models.DateTimeField(null=True, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    seen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-began", "-pk"]
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "scope", "scope_id"],
                condition=models.Q(ended__isnull=True),
                name="alert_open_once",
            ),
        ]
        indexes = [models.Index(fields=["began"], name="alert_by_time")]

    def __str__(self) -> str:
        return f"{self.metric} {self.scope} {self.scope_id}"

    def is_headed_by(self, user: User) -> bool:
        """A queue's alert is every one of its groups' business; a profile's shows all its groups' figures at
        once."""
        headed = set(Group.objects.live().filter(supervisors__user=user).values_list("pk", flat=True))
        if self.scope != NormScope.PROFILE:
            return bool(headed & set(self.groups))
        if not self.groups or not headed.issuperset(self.groups):
            return False
        profile = Profile.objects.live().filter(pk=self.scope_id).first()
        return profile is not None and profile.is_own_of(user)


class AlertRule(models.Model):
    """By which level one person wants letters, and between which of the company's hours none.

    Without a row: no letters. ``quiet_from`` ≥ ``quiet_until`` runs over midnight.
    """

    class Letters(models.TextChoices):
        NEVER = "never", _("never")
        ALARM = "alarm", _("about alarms")
        WARN = "warn", _("about warnings and alarms")

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    letters = models.CharField(_("letters"), max_length=5, choices=Letters.choices, default=Letters.NEVER)
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")

    def __str__(self) -> str:
        return f"{self.user_id}: {self.letters}"


class AlertLetter(models.Model):
    """A letter about one level of one alert to one person; the row is made before the letter goes."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="letters")
    level = models.CharField(max_length=5, choices=Level.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("letter about an alert")
        verbose_name_plural = _("letters about alerts")
        constraints = [
            models.UniqueConstraint(fields=["alert", "level", "user"], name="alert_letter_once"),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} {self.level} {self.user_id}"


class AlertWatch(models.Model):
    """The one row that says when norms were last looked at, and since when and why they cannot be."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    looked_at = models.DateTimeField(null=True)
    blind_since = models.DateTimeField(null=True)
    cause = models.CharField(max_length=20, blank=True, default="")

    class Meta:
        verbose_name = _("watch over norms")
        verbose_name_plural = _("watch over norms")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_alert_watch")]

    def __str__(self) -> str:
        return self.cause or "evaluated"
