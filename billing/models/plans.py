"""Tariffs as dated data. A version never changes, by a trigger too; a new price is a new version."""

from __future__ import annotations

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from billing.domain.vat import VatMode


class ModelName(models.TextChoices):
    """Which class of billing.domain.pricing reads the terms."""

    PER_PROFILE = "per_profile", _("per monitoring profile")
    PER_CONCURRENCY = "per_concurrency", _("per concurrent calls")


class Plan(models.Model):
    """``on_offer``: companies may choose it themselves; else only platform staff puts somebody on it."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    model = models.CharField(_("price model"), max_length=20, choices=ModelName.choices)
    name_ru = models.CharField(_("name in Russian"), max_length=120)
    name_en = models.CharField(_("name in English"), max_length=120)
    on_offer = models.BooleanField(_("companies may choose it"), default=True)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(model__in=ModelName.values), name="plan_model_known")
        ]

    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.name_ru


class PlanVersion(models.Model):
    """Prices of a plan from ``starts_on`` until the next version's: so no two are in force on one day.

    ``terms``: the model's prices and settings (billing.services.plans reads them). ``vat_mode``: of the prices.
    ``existing_from``: from which day those who had an earlier version pay by this one; None: they keep theirs.
    """

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="versions")
    starts_on = models.DateField(_("from"))
    existing_from = models.DateField(_("for existing subscribers from"), null=True, blank=True)
    terms = models.JSONField(_("prices"))
    vat_mode = models.CharField(
        _("VAT"), max_length=8, default=VatMode.INCLUDED.value,
        choices=[("included", _("included")), ("on_top", _("on top")), ("none", _("none"))],
    )  # fmt: skip
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        verbose_name = _("plan version")
        verbose_name_plural = _("plan versions")
        ordering = ["plan", "starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "starts_on"], name="one_version_from_a_day"),
            models.CheckConstraint(
                condition=models.Q(existing_from__isnull=True)
                | models.Q(existing_from__gte=models.F("starts_on")),
                name="existing_not_before_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.starts_on:%d.%m.%Y}"


class VatRate(models.Model):
    """The law's rate by the first day it holds."""

    starts_on = models.DateField(_("from"), unique=True)
    percent = models.DecimalField(_("percent"), max_digits=5, decimal_places=2)

    class Meta:
        verbose_name = _("VAT rate")
        verbose_name_plural = _("VAT rates")
        ordering = ["starts_on"]

    def __str__(self) -> str:
        return f"{self.percent:f} %"
