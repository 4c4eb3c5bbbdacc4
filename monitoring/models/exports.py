"""A table somebody asked for as a file: how far its making is, where it lies, until when it can be fetched."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.people.models import User


class Form(models.TextChoices):
    CSV = "csv", "CSV"
    XLSX = "xlsx", "Excel"


class State(models.TextChoices):
    """REFUSED: asked for more than a file may hold. FAILED: it broke; asking again may help."""

    WAITING = "waiting", _("waiting for its turn")
    RUNNING = "running", _("being made")
    READY = "ready", _("ready")
    REFUSED = "refused", _("refused")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class Export(models.Model):
    """``question``: what its kind needs to make the rows again. ``total`` NULL while nobody has counted them.

    ``beat``: the maker's last sign of life; ``turn`` changes with each maker, so that one thought dead writes nothing.
    ``file``: name in the storage, not to be guessed; "" when there is none. Times are UTC.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=120)
    form = models.CharField(max_length=4, choices=Form.choices)
    language = models.CharField(max_length=8)
    question = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    asked = models.DateTimeField()
    beat = models.DateTimeField()
    turn = models.PositiveSmallIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    size = models.PositiveBigIntegerField(default=0)
    file = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    expires = models.DateTimeField()

    class Meta:
        ordering = ["-asked", "-pk"]
        indexes = [models.Index(fields=["owner", "-asked"], name="export_of_owner")]

    def __str__(self) -> str:
        return f"{self.title}.{self.form}"

    def is_own_of(self, user: User) -> bool:
        return self.owner_id == user.pk

    @property
    def is_under_way(self) -> bool:
        return self.state in (State.WAITING, State.RUNNING)

    @property
    def percent(self) -> int | None:
        """Whole per cent of the rows written; None while their number is not known."""
        if not self.total:
            return None
        return min(100, self.done * 100 // self.total)
