"""Warning and alarm limits of a metric, company-wide: the first set, before monitoring profiles carry their
own."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Norm(models.Model):
    """``metric``: a key of the metric registry, which owns unit and direction. NULL limit = never."""

    metric = models.CharField(_("metric"), max_length=40, unique=True)
    warning = models.FloatField(_("warning from"), null=True, blank=True)
    alarm = models.FloatField(_("alarm from"), null=True, blank=True)

    class Meta:
        ordering = ["metric"]
        verbose_name = _("norm")
        verbose_name_plural = _("norms")

    def __str__(self) -> str:
        return self.metric
