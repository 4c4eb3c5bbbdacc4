"""Numbers calls come to or leave by, and where a call that came there goes first."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.archive import Archivable
from monitoring.models.people import Group, Manager
from monitoring.models.queues import Queue
from monitoring.models.text import number_shape, one_visible_line


class LineKind(models.TextChoices):
    VIRTUAL = "virtual", _("virtual")
    TOLL_FREE = "toll_free", _("toll-free (8-800)")
    EXTENSION = "extension", _("extension")
    MOBILE = "mobile", _("mobile (FMC)")


class Line(Archivable):
    """``trunk``: the PBX endpoint the number arrives by. ``menu``: callers first hear the voice menu."""

    number = models.CharField(_("number"), max_length=21, validators=[number_shape])
    title = models.CharField(_("title"), max_length=80, validators=[one_visible_line])
    kind = models.CharField(_("kind"), max_length=10, choices=LineKind.choices, default=LineKind.VIRTUAL)
    pbx = models.ForeignKey("tenants.Pbx", models.DO_NOTHING, related_name="+", verbose_name=_("PBX"))
    trunk = models.CharField(_("trunk"), max_length=63, default="trunk", validators=[one_visible_line])
    queue = models.ForeignKey(
        Queue,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="lines",
        verbose_name=_("calls go to queue"),
    )
    manager = models.ForeignKey(
        Manager,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="lines",
        verbose_name=_("or straight to manager"),
    )
    menu = models.BooleanField(_("voice menu first"), default=False)
    groups = models.ManyToManyField(
        Group, related_name="lines", blank=True, verbose_name=_("groups that see its calls")
    )

    class Meta:
        ordering = ["title", "pk"]
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        constraints = [
            models.UniqueConstraint(
                fields=["number"],
                condition=models.Q(archived_at__isnull=True),
                name="line_number_once",
                violation_error_message=_("There is a line with this number already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.number})"
