"""Money that came, by bank statement or by hand, and which invoices it paid."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.invoices import Invoice
from billing.models.parties import Seller
from tenants.models import Company


class BankStatement(models.Model):
    """A file as it came. The same file twice is one (``digest``)."""

    seller = models.ForeignKey(Seller, models.PROTECT, null=True, related_name="+")
    file_name = models.CharField(_("file"), max_length=200)
    digest = models.CharField(max_length=64, unique=True)
    account = models.CharField(_("account"), max_length=20, blank=True, default="")
    begins_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    documents = models.PositiveIntegerField(default=0)
    incoming = models.PositiveIntegerField(default=0)
    matched = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    imported_at = models.DateTimeField(auto_now_add=True)
    imported_by = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        verbose_name = _("bank statement")
        verbose_name_plural = _("bank statements")
        ordering = ["-imported_at", "-pk"]

    def __str__(self) -> str:
        return self.file_name


class PaymentState(models.TextChoices):
    UNMATCHED = "unmatched", _("waits for a person")
    MATCHED = "matched", _("matched")
    IGNORED = "ignored", _("not ours")


class Payment(models.Model):
    """One transfer. ``fingerprint``: date, number, amount and payer's account; the same from two files is one.

    ``company``: whose balance it went to; None while nobody knows. What its allocations do not use is balance.
    """

    company = models.ForeignKey(Company, models.PROTECT, null=True, blank=True, related_name="payments")
    statement = models.ForeignKey(
        BankStatement, models.PROTECT, null=True, blank=True, related_name="payments"
    )
    amount = models.DecimalField(
        _("amount"), max_digits=14, decimal_places=2, validators=[MinValueValidator(0.01)]
    )
    paid_on = models.DateField(_("date"))
    document = models.CharField(_("payment order"), max_length=40, blank=True, default="")
    payer_name = models.CharField(_("payer"), max_length=250, blank=True, default="")
    payer_inn = models.CharField(_("INN"), max_length=12, blank=True, default="")
    payer_account = models.CharField(_("account"), max_length=20, blank=True, default="")
    purpose = models.CharField(_("purpose"), max_length=500, blank=True, default="")
    state = models.CharField(
        _("state"), max_length=10, choices=PaymentState.choices, default=PaymentState.UNMATCHED
    )
    why = models.CharField(_("why not matched"), max_length=40, blank=True, default="")
    fingerprint = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-paid_on", "-pk"]
        indexes = [models.Index(fields=["state"], name="payment_by_state")]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="payment_is_money"),
            models.CheckConstraint(
                condition=~models.Q(state="matched") | models.Q(company__isnull=False),
                name="matched_to_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.paid_on:%d.%m.%Y} {self.amount}"


class Allocation(models.Model):
    """How much of a payment pays which invoice. Sums never exceed either (trigger)."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="allocations")
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "invoice"], name="allocated_once"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="allocation_is_money"),
        ]

    def __str__(self) -> str:
        return f"{self.payment} → {self.invoice}: {self.amount}"
