"""Warning and alarm limits of a metric: the company's, and what a group, a queue or a monitoring profile has
instead.

A metric without a row has the registry's usual limits; which row stands for whom is ``selectors.norms``' thought.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class NormScope(models.TextChoices):
    COMPANY = "company", _("company")
    GROUP = "group", _("group")
    QUEUE = "queue", _("queue")
    PROFILE = "profile", _("monitoring profile")


class Norm(models.Model):
    """``metric``: a key of the metric registry, which owns unit and direction. NULL limit = never.

    ``scope_id``: the group's, queue's or profile's number, 0 for the company; those are archived, never deleted.
    ``margin``, ``hold`` (seconds): a level is over when the value is better by the margin, or for so long.
    """

    metric = models.CharField(_("metric"), max_length=40)
    scope = models.CharField(max_length=8, choices=NormScope.choices, default=NormScope.COMPANY)
    scope_id = models.PositiveBigIntegerField(default=0)
    warning = models.FloatField(_("warning from"), null=True, blank=True)
    alarm = models.FloatField(_("alarm from"), null=True, blank=True)
    margin = models.FloatField(_("over when better by"), null=True, blank=True, default=None)
    hold = models.PositiveIntegerField(
        _("or better for, s"), default=60, validators=[MaxValueValidator(86_400)]
    )

    class Meta:
        ordering = ["metric", "scope", "scope_id"]
        verbose_name = _("norm")
        verbose_name_plural = _("norms")
        constraints = [
            models.UniqueConstraint(fields=["metric", "scope", "scope_id"], name="norm_once"),
            models.CheckConstraint(
                condition=models.Q(scope="company", scope_id=0)
                | (~models.Q(scope="company") & models.Q(scope_id__gt=0)),
                name="norm_scope_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.metric
