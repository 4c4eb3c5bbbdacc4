"""Where callers wait: who serves a queue, and the limits its figures are read against.

``members`` = every manager of ``groups`` plus those named one by one in ``extra_members``.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.archive import Archivable
from monitoring.models.people import Group, Manager
from monitoring.models.text import extension_shape, one_visible_line, pbx_name_shape, short_name_shape
from tenants.people.models import User


class Strategy(models.TextChoices):
    """Whom a waiting call rings next; values are app_queue's own words."""

    RINGALL = "ringall", _("everybody at once")
    LEAST_RECENT = "leastrecent", _("the one who has rested longest")
    FEWEST_CALLS = "fewestcalls", _("the one with the fewest calls")
    RANDOM = "random", _("anybody")
    ROUND_ROBIN = "rrmemory", _("in turn")
    LINEAR = "linear", _("in the order of the list")


class Queue(Archivable):
    """``answer_within``, ``short_abandon``, ``ring_for``, ``max_wait``, ``wrap_up`` in seconds; ``max_wait`` 0 = no
    limit, ``wrap_up`` 0 = none."""

    name = models.CharField(_("short name"), max_length=31, validators=[short_name_shape])
    title = models.CharField(_("title"), max_length=80, validators=[one_visible_line])
    pbx = models.ForeignKey("tenants.Pbx", models.DO_NOTHING, related_name="+", verbose_name=_("PBX"))
    pbx_name = models.CharField(_("name on the PBX"), max_length=63, validators=[pbx_name_shape])
    extension = models.CharField(_("internal number"), max_length=6, validators=[extension_shape])
    groups = models.ManyToManyField(
        Group, related_name="queues", blank=True, verbose_name=_("served by groups")
    )
    extra_members = models.ManyToManyField(
        Manager, related_name="extra_queues", blank=True, verbose_name=_("and by these managers")
    )
    strategy = models.CharField(
        _("who is rung"), max_length=16, choices=Strategy.choices, default=Strategy.LEAST_RECENT
    )
    answer_within = models.PositiveSmallIntegerField(
        _("answer within, s"), default=20, validators=[MinValueValidator(1), MaxValueValidator(3600)]
    )
    short_abandon = models.PositiveSmallIntegerField(
        _("short abandon, s"), default=5, validators=[MaxValueValidator(600)]
    )
    ring_for = models.PositiveSmallIntegerField(
        _("ring one manager for, s"), default=15, validators=[MinValueValidator(3), MaxValueValidator(300)]
    )
    max_wait = models.PositiveSmallIntegerField(
        _("longest wait, s (0 = no limit)"), default=0, validators=[MaxValueValidator(7200)]
    )
    wrap_up = models.PositiveSmallIntegerField(
        _("wrap-up after a call, s (0 = none)"), default=0, validators=[MaxValueValidator(3600)]
    )
    exit_key = models.CharField(
        _("key by which a caller leaves"),
        max_length=1,
        blank=True,
        default="",
        validators=[RegexValidator(r"^[0-9]?\Z", _("One digit, or nothing."))],
    )
    via_local = models.BooleanField(
        _("ring through the dial plan"),
        default=False,
        help_text=_(
            "For people who answer on mobiles or follow-me: the PBX dials them like any other number."
        ),
    )

    class Meta:
        ordering = ["title", "pk"]
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        constraints = [
            models.UniqueConstraint(
                fields=["pbx_name"],
                condition=models.Q(archived_at__isnull=True),
                name="queue_pbx_name_once",
                violation_error_message=_("There is a queue with this short name already."),
            ),
            models.UniqueConstraint(
                fields=["pbx", "extension"],
                condition=models.Q(archived_at__isnull=True),
                name="queue_extension_once",
                violation_error_message=_("This extension is taken."),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def members(self) -> models.QuerySet[Manager]:
        """Who serves it: the live managers of its live groups and those named one by one, each once."""
        through_groups = models.Q(groups__queues=self, groups__archived_at__isnull=True)
        return Manager.objects.live().filter(through_groups | models.Q(extra_queues=self)).distinct()

    def is_headed_by(self, user: User) -> bool:
        return self.groups.filter(archived_at__isnull=True, supervisors__user=user).exists()
