"""What a company takes: a subscription, and within it the plans one after another, by local days."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.parties import Seller
from billing.models.plans import PlanVersion
from tenants.models import Company, validate_time_zone


class Subscription(models.Model):
    """Local days [``starts_on``, ``ends_on``) of ``time_zone``, which is frozen: a trigger keeps it and the start.

    A company has at most one on any day (trigger).
    """

    company = models.ForeignKey(Company, models.PROTECT, related_name="subscriptions")
    seller = models.ForeignKey(Seller, models.PROTECT, related_name="subscriptions")
    time_zone = models.CharField(_("time zone"), max_length=64, validators=[validate_time_zone])
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        ordering = ["company", "starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__isnull=True) | models.Q(ends_on__gt=models.F("starts_on")),
                name="subscription_lasts",
            )
        ]

    def __str__(self) -> str:
        return f"{self.company} {self.starts_on:%d.%m.%Y}"


class Phase(models.Model):
    """One plan of a subscription over local days [``starts_on``, ``ends_on``).

    ``version``: the prices in force when it was taken; later versions for existing subscribers come on top.
    ``agreed_price``: a month above the last tier, of the plan's VAT mode; None: nothing is agreed. No two phases of
    a subscription share a day (trigger). A phase no invoice is finalised for may still be changed.
    """

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="phases")
    version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="phases")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)
    agreed_price = models.DecimalField(
        _("agreed price a month"), max_digits=12, decimal_places=2, null=True, blank=True,
        validators=[MinValueValidator(0)],
    )  # fmt: skip
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        verbose_name = _("plan of a subscription")
        verbose_name_plural = _("plans of a subscription")
        ordering = ["subscription", "starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "starts_on"], name="one_phase_from_a_day"),
            models.CheckConstraint(
                condition=models.Q(ends_on__isnull=True) | models.Q(ends_on__gt=models.F("starts_on")),
                name="phase_lasts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version.plan} {self.starts_on:%d.%m.%Y}"
