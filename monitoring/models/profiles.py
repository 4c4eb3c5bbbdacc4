"""Monitoring profiles: a saved view of the board, who may open it, and every moment it was in use.

The unit of the per-profile tariff: what was switched on when is kept for good, and no row of it is ever rewritten.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.archive import Archivable
from monitoring.models.lines import Line
from monitoring.models.people import Group, Manager
from monitoring.models.queues import Queue
from monitoring.models.text import one_visible_line
from tenants.people.models import Role, User


class Profile(Archivable):
    """Empty ``groups``, ``queues``, ``lines``, ``managers``: all that the opener may see. A profile only narrows.

    ``tiles``, ``columns``: metric keys in the order they are shown. ``people``: who may open it besides its
    maker; ``for_supervisors``: every supervisor may.
    """

    title = models.CharField(_("title"), max_length=80, validators=[one_visible_line])
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    groups = models.ManyToManyField(Group, related_name="+", blank=True, verbose_name=_("groups"))
    queues = models.ManyToManyField(Queue, related_name="+", blank=True, verbose_name=_("queues"))
    lines = models.ManyToManyField(Line, related_name="+", blank=True, verbose_name=_("lines"))
    managers = models.ManyToManyField(Manager, related_name="+", blank=True, verbose_name=_("managers"))
    tiles = ArrayField(models.CharField(max_length=40), default=list)
    columns = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    people = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="+", blank=True, verbose_name=_("these people")
    )
    for_supervisors = models.BooleanField(_("every supervisor"), default=False)

    class Meta:
        ordering = ["title", "pk"]
        verbose_name = _("monitoring profile")
        verbose_name_plural = _("monitoring profiles")

    def __str__(self) -> str:
        return self.title

    def is_own_of(self, user: User) -> bool:
        """Whether ``user`` may open it: asked for the right to see."""
        if self.maker_id == user.pk or (self.for_supervisors and user.role == Role.SUPERVISOR):
            return True
        return self.people.filter(pk=user.pk).exists()

    @property
    def to_change(self) -> Change:
        """What to ask the right to edit of: being shared with is not being asked to change it."""
        return Change(self)


@dataclass(frozen=True, slots=True)
class Change:
    """A profile as a thing to change: its maker's own."""

    profile: Profile

    def is_own_of(self, user: User) -> bool:
        return self.profile.maker_id == user.pk

    def __str__(self) -> str:
        return str(self.profile)


class ProfileActivity(models.Model):
    """[``started``, ``ended``) in which the profile was on; ``ended`` NULL while it is. UTC.

    Billing counts these, so the database itself refuses to delete a row or to touch a closed one.
    """

    profile = models.ForeignKey(Profile, models.PROTECT, related_name="activity")
    started = models.DateTimeField()
    ended = models.DateTimeField(null=True, blank=True)
    by_on = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    by_off = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["started", "pk"]
        verbose_name = _("time a profile was on")
        verbose_name_plural = _("times profiles were on")
        constraints = [
            models.UniqueConstraint(
                fields=["profile"], condition=models.Q(ended__isnull=True), name="profile_on_once"
            ),
            models.CheckConstraint(
                condition=models.Q(ended__isnull=True) | models.Q(ended__gt=models.F("started")),
                name="profile_time_forward",
            ),
        ]
        indexes = [models.Index(fields=["started"], name="profile_time")]

    def __str__(self) -> str:
        return f"{self.started:%Y-%m-%d %H:%M} – {f'{self.ended:%Y-%m-%d %H:%M}' if self.ended else '…'}"
