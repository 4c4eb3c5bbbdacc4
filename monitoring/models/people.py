"""Groups, the managers who take calls in them, and the supervisors who head them.

A manager's key on the PBX and on the live board is ``pbx_name`` (``acme_101``). It follows the extension,
and an archived manager's is free for the next one: history belongs to the row, not to the name.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.archive import Archivable
from monitoring.models.text import extension_shape, one_visible_line, pbx_name_shape
from tenants.people.models import User


class Group(Archivable):
    """People with one or more supervisors."""

    title = models.CharField(_("title"), max_length=80, validators=[one_visible_line])

    class Meta:
        ordering = ["title", "pk"]
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        constraints = [
            models.UniqueConstraint(
                fields=["title"],
                condition=models.Q(archived_at__isnull=True),
                name="group_title_once",
                violation_error_message=_("There is a group with this title already."),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def is_headed_by(self, user: User) -> bool:
        return self.archived_at is None and self.supervisors.filter(user=user).exists()


class Manager(Archivable):
    """An employee who takes calls. ``interfaces``: every device that rings this person, as the PBX names
    them."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="manager",
        verbose_name=_("sign-in"),
    )
    title = models.CharField(_("name"), max_length=80, validators=[one_visible_line])
    extension = models.CharField(_("extension"), max_length=6, validators=[extension_shape])
    # The table is in the public schema: Django must not look for managers there when a PBX is deleted,
    # the database's own constraint refuses it.
    pbx = models.ForeignKey("tenants.Pbx", models.DO_NOTHING, related_name="+", verbose_name=_("PBX"))
    pbx_name = models.CharField(_("name on the PBX"), max_length=63, validators=[pbx_name_shape])
    interfaces = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    groups = models.ManyToManyField(Group, related_name="managers", blank=True, verbose_name=_("groups"))

    class Meta:
        ordering = ["title", "pk"]
        verbose_name = _("manager")
        verbose_name_plural = _("managers")
        constraints = [
            models.UniqueConstraint(
                fields=["pbx_name"],
                condition=models.Q(archived_at__isnull=True),
                name="manager_pbx_name_once",
                violation_error_message=_("This name on the PBX is taken."),
            ),
            models.UniqueConstraint(
                fields=["pbx", "extension"],
                condition=models.Q(archived_at__isnull=True),
                name="manager_extension_once",
                violation_error_message=_("This extension is taken."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.extension})"

    def is_headed_by(self, user: User) -> bool:
        return self.groups.filter(archived_at__isnull=True, supervisors__user=user).exists()

    def is_own_of(self, user: User) -> bool:
        return self.user_id is not None and self.user_id == user.pk


class Supervisor(models.Model):
    """Heads groups: sees and steers their managers, queues and calls, nobody else's."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="supervisor", verbose_name=_("sign-in")
    )
    groups = models.ManyToManyField(Group, related_name="supervisors", blank=True, verbose_name=_("groups"))

    class Meta:
        verbose_name = _("supervisor")
        verbose_name_plural = _("supervisors")

    def __str__(self) -> str:
        return str(self.user)
