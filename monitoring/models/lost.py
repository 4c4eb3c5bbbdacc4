"""A caller nobody answered, until somebody has spoken with them: who is to call back, by when, how it ended.

Rows follow from the calls: ``services.lost`` makes them anew from the same facts. Only the owner, the note and a
person's closing (``dismissed_at``, ``closed_by``, ``reason``) are people's own.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.calls import Call
from monitoring.models.people import Group, Manager
from monitoring.models.queues import Queue
from monitoring.models.text import one_visible_line
from tenants.people.models import User


class LostState(models.TextChoices):
    """``NOT_NEEDED``: a short abandon or a withheld number; it is kept, and asks nobody for anything."""

    OPEN = "open", _("to call back")
    CALLED_BACK = "called_back", _("called back")
    ANSWERED_LATER = "answered_later", _("got through later")
    CLOSED = "closed", _("closed by a person")
    NOT_NEEDED = "not_needed", _("no call back needed")


class Excuse(models.TextChoices):
    """Why a lost call needs no call back."""

    NONE = "", _("none")
    SHORT = "short", _("hung up at once")
    WITHHELD = "withheld", _("number withheld")


class Reason(models.TextChoices):
    """Why a person closed it without a call."""

    WRITTEN = "written", _("settled in writing")
    UNREACHABLE = "unreachable", _("cannot be reached")
    WRONG = "wrong", _("wrong number")
    SPAM = "spam", _("advertising or spam")
    OTHER = "other", _("something else")


class LostCall(models.Model):
    """One lost call. Those of one customer with no answered call between them are one case, called back once.

    ``case_key``: ``call_key`` of the case's first call. ``tries``: how many calls the case has, on its first one; 0
    on those that joined it. They share owner, state and end; the first one's deadline is the case's.
    ``lost_at``: when the call ended. ``groups``: the call's. ``closed_at``: when the later call was answered or a
    person closed it; ``in_time``: whether that was by the deadline, NULL before and when no call is needed.
    """

    call = models.OneToOneField(Call, models.CASCADE, related_name="lost")
    call_key = models.CharField(max_length=120)
    case_key = models.CharField(max_length=120)
    tries = models.PositiveIntegerField(default=1)
    customer = models.CharField(max_length=32, blank=True, default="")
    number = models.CharField(max_length=80, blank=True, default="")
    line = models.CharField(max_length=80, blank=True, default="")
    queue = models.ForeignKey(Queue, models.PROTECT, null=True, related_name="+", db_index=False)
    groups = ArrayField(models.IntegerField(), default=list)
    lost_at = models.DateTimeField()
    deadline = models.DateTimeField()
    excuse = models.CharField(max_length=8, choices=Excuse.choices, blank=True, default="")
    owner = models.ForeignKey(Manager, models.PROTECT, null=True, related_name="lost_calls", db_index=False)
    state = models.CharField(max_length=16, choices=LostState.choices, default=LostState.OPEN)
    closed_at = models.DateTimeField(null=True)
    closing_call = models.ForeignKey(Call, models.SET_NULL, null=True, related_name="closes")
    in_time = models.BooleanField(null=True, default=None)
    dismissed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=12, choices=Reason.choices, blank=True, default="")
    note = models.CharField(max_length=200, blank=True, default="", validators=[one_visible_line])

    class Meta:
        ordering = ["deadline", "pk"]
        verbose_name = _("lost call")
        verbose_name_plural = _("lost calls")
        indexes = [
            models.Index(fields=["customer", "lost_at"], name="lost_by_customer"),
            models.Index(fields=["lost_at"], name="lost_by_time"),
            models.Index(
                fields=["deadline", "id"], condition=models.Q(state="open", tries__gt=0), name="lost_open"
            ),
        ]

    def __str__(self) -> str:
        return self.call_key

    def is_headed_by(self, user: User) -> bool:
        return Group.objects.live().filter(pk__in=self.groups, supervisors__user=user).exists()

    def is_own_of(self, user: User) -> bool:
        """A manager's: own ones, and those of the own groups that nobody has."""
        if self.owner_id is not None:
            return Manager.objects.filter(pk=self.owner_id, user=user).exists()
        return Group.objects.live().filter(pk__in=self.groups, managers__user=user).exists()
