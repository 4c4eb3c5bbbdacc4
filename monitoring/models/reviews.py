"""Quality review: scorecards a company defines, and what a supervisor found in a call by one of them.

A scorecard is never changed, it gets a next version: an old review keeps the questions it was answered by.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.archive import Archivable
from monitoring.models.calls import Call
from monitoring.models.people import Group, Manager
from monitoring.models.recordings import Recording
from monitoring.models.text import one_visible_line
from tenants.people.models import User


class Scorecard(Archivable):
    title = models.CharField(_("title"), max_length=80, validators=[one_visible_line])

    class Meta:
        ordering = ["title", "pk"]
        verbose_name = _("scorecard")
        verbose_name_plural = _("scorecards")
        constraints = [
            models.UniqueConstraint(
                fields=["title"],
                condition=models.Q(archived_at__isnull=True),
                name="scorecard_title_once",
                violation_error_message=_("There is a scorecard with this title already."),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class ScorecardVersion(models.Model):
    """``content``: sections of questions as ``domain.scoring.Card`` writes them. Never changed once it is there."""

    scorecard = models.ForeignKey(Scorecard, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.JSONField(default=list)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["scorecard", "-number"]
        constraints = [models.UniqueConstraint(fields=["scorecard", "number"], name="scorecard_version_once")]

    def __str__(self) -> str:
        return f"{self.scorecard} v{self.number}"


class ReviewState(models.TextChoices):
    DRAFT = "draft", _("draft")
    GIVEN = "given", _("given")
    APPEALED = "appealed", _("appealed")
    ANSWERED = "answered", _("appeal answered")


class Review(models.Model):
    """One manager's part in one call, judged. ``answers``: question id → value. ``percent``: 0 to 100, None as long
    as nothing counts. ``failed``: a question on which everything hangs was answered badly.

    ``groups``: the manager's when the call happened, so that the past stays with the group. ``first_percent``: what
    it was before an appeal changed it.
    """

    call = models.ForeignKey(Call, models.CASCADE, related_name="reviews")
    recording = models.ForeignKey(Recording, models.SET_NULL, null=True, related_name="reviews")
    manager = models.ForeignKey(Manager, models.PROTECT, related_name="reviews")
    version = models.ForeignKey(ScorecardVersion, models.PROTECT, related_name="reviews")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    author_name = models.CharField(max_length=120)
    groups = ArrayField(models.IntegerField(), default=list)
    state = models.CharField(max_length=8, choices=ReviewState.choices, default=ReviewState.DRAFT)
    answers = models.JSONField(default=dict)
    percent = models.FloatField(null=True)
    failed = models.BooleanField(default=False)
    summary = models.TextField(blank=True, default="", max_length=2000)
    begun_at = models.DateTimeField(auto_now_add=True)
    given_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    appeal = models.TextField(blank=True, default="", max_length=2000)
    appealed_at = models.DateTimeField(null=True)
    verdict = models.TextField(blank=True, default="", max_length=2000)
    verdict_at = models.DateTimeField(null=True)
    verdict_by = models.CharField(max_length=120, blank=True, default="")
    first_percent = models.FloatField(null=True)

    class Meta:
        ordering = ["-begun_at", "-pk"]
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        constraints = [models.UniqueConstraint(fields=["call", "manager"], name="review_once")]
        indexes = [models.Index(fields=["given_at", "manager"], name="review_by_day")]

    def __str__(self) -> str:
        return f"{self.manager} {self.call_id}"

    def is_headed_by(self, user: User) -> bool:
        return Group.objects.live().filter(pk__in=self.groups, supervisors__user=user).exists()

    def is_own_of(self, user: User) -> bool:
        """A draft is its author's alone: nobody reads about himself what is still being written."""
        return self.state != ReviewState.DRAFT and self.manager.is_own_of(user)


class ReviewComment(models.Model):
    """A remark at a second of the recording."""

    review = models.ForeignKey(Review, models.CASCADE, related_name="comments")
    second = models.FloatField()
    text = models.TextField(max_length=1000)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["second", "pk"]

    def __str__(self) -> str:
        return f"{self.second:g} s"
