"""Recordings of calls as they lie in the storage, and those that are nobody's yet.

A row is made before its file is stored and says so (``STORING``): whoever is killed in between leaves a trace that
the next collection finishes. Times are UTC, sound is counted in seconds from its beginning.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.calls import Call
from monitoring.models.policy import Policy
from tenants.people.models import User


class State(models.TextChoices):
    STORED = "stored", _("stored")
    STORING = "storing", _("being stored")
    ORPHAN = "orphan", _("belongs to no call")
    BROKEN = "broken", _("cannot be played")
    GONE = "gone", _("its file is gone")


class Recording(models.Model):
    """``source``: where the PBX left it, below the company's folder; ``uniqueid``: of the channel it was made on.

    ``file``: its name in the storage, not to be guessed; ``sha256``, ``size``: of that file. ``peaks``: loudness of
    each channel along the whole, 0 to 100, at most 1000 values a channel. ``gap``: seconds in which the PBX heard
    nothing at all, by which marks may be off. ``reason``: why it is an orphan or broken, as a key of
    ``services.recordings.REASONS``. Nothing may delete a call while its recording stands (services.recordings.delete).
    """

    call = models.ForeignKey(Call, models.PROTECT, null=True, related_name="recordings")
    pbx = models.CharField(max_length=20)
    source = models.CharField(max_length=200)
    uniqueid = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=State.choices, default=State.STORING)
    reason = models.CharField(max_length=20, blank=True, default="")
    file = models.CharField(max_length=120)
    kind = models.CharField(max_length=40, default="audio/mpeg")
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    started = models.DateTimeField()
    seconds = models.FloatField(default=0.0)
    gap = models.FloatField(default=0.0)
    channels = models.PositiveSmallIntegerField(default=2)
    peaks = models.JSONField(default=list)
    stored_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["started", "pk"]
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        constraints = [models.UniqueConstraint(fields=["pbx", "source"], name="recording_once")]
        indexes = [
            models.Index(fields=["started"], name="recording_by_time"),
            models.Index(
                fields=["stored_at"], condition=~models.Q(state="stored"), name="recording_unsettled"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.started:%Y-%m-%d %H:%M:%S} {self.call.number if self.call else self.source}"

    @property
    def is_playable(self) -> bool:
        return self.state in (State.STORED, State.ORPHAN)

    @property
    def script_id(self) -> str:
        """Of the player's settings on the page."""
        return f"recording-{self.pk}"

    @property
    def before_sound(self) -> float:
        """Seconds in which nothing could be heard yet: ringing, until somebody answered."""
        if self.call is None or self.call.answered is None:
            return 0.0
        return (self.call.answered - self.call.started).total_seconds() + 3.0

    def is_headed_by(self, user: User) -> bool:
        return self.call is not None and self.call.is_headed_by(user)

    def is_own_of(self, user: User) -> bool:
        """Own calls are heard only where the company's policy says so."""
        if self.call is None or not Policy.objects.filter(managers_hear_own=True).exists():
            return False
        return self.call.is_own_of(user)
