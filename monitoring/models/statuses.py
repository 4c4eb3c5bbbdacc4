"""What managers declare of themselves, and for how long each declaration stood.

At most one interval of a manager is open: a partial unique index says so, and writers compare and set.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.archive import Archivable
from monitoring.models.people import Manager
from monitoring.models.text import one_visible_line


class StatusKind(models.TextChoices):
    """What a status does to calls: break and away get none."""

    AVAILABLE = "available", _("takes calls")
    BREAK = "break", _("break, no calls")
    AWAY = "away", _("away, no calls")


class Colour(models.TextChoices):
    """Design-token names; the style sheet owns the colours themselves."""

    GREEN = "green", _("green")
    AMBER = "amber", _("amber")
    ORANGE = "orange", _("orange")
    RED = "red", _("red")
    BLUE = "blue", _("blue")
    VIOLET = "violet", _("violet")
    GREY = "grey", _("grey")


class Status(Archivable):
    """``on_phone``: the status taken when a pause or its end comes from a phone with no reason we know."""

    label = models.CharField(_("label"), max_length=40, validators=[one_visible_line])
    kind = models.CharField(_("what it does"), max_length=10, choices=StatusKind.choices)
    colour = models.CharField(_("colour"), max_length=10, choices=Colour.choices, default=Colour.GREY)
    position = models.PositiveSmallIntegerField(_("place in the list"), default=100)
    on_phone = models.BooleanField(_("set by the phone's own pause key"), default=False)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("status")
        verbose_name_plural = _("statuses")
        constraints = [
            models.UniqueConstraint(
                fields=["label"],
                condition=models.Q(archived_at__isnull=True),
                name="status_label_once",
                violation_error_message=_("There is a status with this label already."),
            ),
        ]

    def __str__(self) -> str:
        return self.label


class Source(models.TextChoices):
    PORTAL = "portal", _("portal")
    PHONE = "phone", _("phone")


class StatusInterval(models.Model):
    """One declaration: half-open [``started``, ``ended``), UTC; ``ended`` NULL while it stands, over
    midnight too. ``groups``: ids of the manager's groups when it began."""

    manager = models.ForeignKey(Manager, models.PROTECT, related_name="intervals")
    status = models.ForeignKey(Status, models.PROTECT, related_name="intervals")
    started = models.DateTimeField()
    ended = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=8, choices=Source.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    groups = ArrayField(models.IntegerField(), default=list)

    class Meta:
        ordering = ["started", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["manager"], condition=models.Q(ended__isnull=True), name="one_open_status_each"
            ),
            models.CheckConstraint(
                condition=models.Q(ended__isnull=True) | models.Q(ended__gte=models.F("started")),
                name="status_ends_after_start",
            ),
        ]
        indexes = [models.Index(fields=["manager", "started"], name="status_by_manager_day")]

    def __str__(self) -> str:
        return f"{self.manager_id}: {self.status_id} {self.started:%Y-%m-%d %H:%M:%S}"
