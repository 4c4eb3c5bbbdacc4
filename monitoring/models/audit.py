"""Who did what to whom, when, and whether it was allowed: refusals are rows too."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Outcome(models.TextChoices):
    DONE = "done", _("done")
    REFUSED = "refused", _("refused")
    FAILED = "failed", _("failed")


class AuditEntry(models.Model):
    """``who`` and ``what`` are kept as text beside the links, so a row still reads when they are gone.

    ``key``: set for entries told by the PBX (listening), which may be told twice. Times are UTC.
    """

    at = models.DateTimeField(db_index=True)
    until = models.DateTimeField(null=True, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    who = models.CharField(max_length=120)
    verb = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    what = models.CharField(max_length=160)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    details = models.JSONField(default=dict, blank=True)
    key = models.CharField(max_length=240, null=True, unique=True)  # noqa: DJ001 - NULLs must not collide

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["kind", "what"], name="audit_of_what")]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.who} {self.verb} {self.what}: {self.outcome}"
