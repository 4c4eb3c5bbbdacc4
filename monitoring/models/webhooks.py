"""Where a company's own programs want to hear of calls, and every message to them until it arrived or was given up.

Messages are rows, written in the transaction of what they tell: what is told has happened, and nothing is forgotten.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.archive import Archivable
from monitoring.models.text import one_visible_line
from tenants import secrets


class Happening(models.TextChoices):
    """What can be told; the values are the ``type`` of a message."""

    CALL_STARTED = "call.started", _("a call began")
    CALL_ANSWERED = "call.answered", _("a call was answered")
    CALL_ENDED = "call.ended", _("a call ended")
    CALL_LOST = "call.lost", _("a caller was lost")
    STATUS_CHANGED = "status.changed", _("a manager changed status")
    ALERT_BEGAN = "alert.began", _("a norm was broken")
    ALERT_WORSE = "alert.worse", _("a warning became an alarm")
    ALERT_ENDED = "alert.ended", _("a broken norm is kept again")
    INVOICE_FINALISED = "invoice.finalised", _("an invoice was issued")
    PAYMENT_RECEIVED = "payment.received", _("a payment came")
    LIMIT_REACHED = "limit.reached", _("a limit of the tariff was reached")


class Webhook(Archivable):
    """``secret``: encrypted at rest, shown once. ``paused_at``: by a person, or by us after too many failures."""

    url = models.URLField(_("address"), max_length=400)
    title = models.CharField(_("what it is for"), max_length=80, validators=[one_visible_line])
    events = ArrayField(models.CharField(max_length=20, choices=Happening.choices), verbose_name=_("tell when"))
    stored_secret = models.CharField(max_length=255, editable=False)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["title", "pk"]
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.title

    @property
    def secret(self) -> str:
        """Raises tenants.secrets.SecretUnreadable."""
        return secrets.decrypt(self.stored_secret)

    @secret.setter
    def secret(self, plain: str) -> None:
        self.stored_secret = secrets.encrypt(plain)


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    DELIVERED = "delivered", _("delivered")
    DEAD = "dead", _("given up")


class Delivery(models.Model):
    """One message to one webhook. ``key``: what it tells of; one message each, however often the fact is told.

    ``next_try`` is also the lease of the worker that is sending it. ``answer``: the last HTTP status, 0 for none.
    """

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=20, choices=Happening.choices)
    key = models.CharField(max_length=180)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try = models.DateTimeField()
    answer = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True, default="")
    made_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["webhook", "key"], name="told_once")]
        indexes = [
            models.Index(fields=["next_try"], condition=models.Q(state="waiting"), name="delivery_due"),
            models.Index(fields=["webhook", "-id"], name="delivery_of_webhook"),
            models.Index(fields=["made_at"], name="delivery_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.key}: {self.state}"
