"""A company's own rules about its past: what is kept how long, who may hear it, by when a lost caller is called back.

One row a company. Times of work are the company's local time.
"""

from __future__ import annotations

from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

_DAYS = [MinValueValidator(1), MaxValueValidator(3650)]


def _working_week() -> list[int]:
    return [1, 2, 3, 4, 5]


class Policy(models.Model):
    """``work_days``: ISO weekdays, Monday = 1. ``region``: ISO country in whose way local numbers are dialled."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    keep_calls = models.PositiveSmallIntegerField(_("keep calls, days"), default=1095, validators=_DAYS)
    keep_recordings = models.PositiveSmallIntegerField(
        _("keep recordings, days"), default=180, validators=_DAYS
    )
    keep_events = models.PositiveSmallIntegerField(
        _("keep the audit and other events, days"), default=365, validators=_DAYS
    )
    callback_within = models.PositiveSmallIntegerField(
        _("call a lost caller back within, minutes of work"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(10080)],
    )
    record_calls = models.BooleanField(_("record calls"), default=True)
    managers_hear_own = models.BooleanField(_("managers may hear their own recordings"), default=False)
    work_days = ArrayField(models.PositiveSmallIntegerField(), default=_working_week)
    work_from = models.TimeField(_("work begins"), default=time(9))
    work_until = models.TimeField(_("work ends"), default=time(18))
    region = models.CharField(
        _("country of local numbers"),
        max_length=2,
        default="RU",
        validators=[RegexValidator(r"^[A-Z]{2}\Z", _("Two letters: RU, KZ."))],
    )

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policy")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="one_policy"),
        ]

    def __str__(self) -> str:
        return "policy"
