"""Invoices and credit notes. Once finalised they do not change, whoever asks: triggers of the migration see to it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.parties import Seller
from billing.models.runs import BillingRun
from billing.models.subscriptions import Subscription
from tenants.models import Company


class InvoiceState(models.TextChoices):
    DRAFT = "draft", _("draft")
    NEEDS_APPROVAL = "needs_approval", _("waits for approval")
    FINALISED = "finalised", _("issued")
    PAID = "paid", _("paid")
    VOID = "void", _("void")


OPEN_STATES = (InvoiceState.DRAFT, InvoiceState.NEEDS_APPROVAL)


class Invoice(models.Model):
    """One month of one subscription, local days [``period_start``, ``period_end``), billed afterwards.

    ``revision``: 1, and one more after each void. ``number``: in its seller's row of ``year``, given at
    finalisation without a gap; ``full_number`` as printed. ``seller_copy``, ``buyer_copy``: both sides as they were
    then. ``input_hash``: SHA-256 of everything the lines follow from; the same inputs give the same bytes.
    ``total``, ``vat``: sums of the lines, None while a price is to be agreed. ``cut_event``: facts that happened
    before it, ``cut_stored``: and were known by then, are counted.
    """

    seller = models.ForeignKey(Seller, models.PROTECT, related_name="invoices")
    company = models.ForeignKey(Company, models.PROTECT, related_name="invoices")
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="invoices")
    run = models.ForeignKey(BillingRun, models.SET_NULL, null=True, blank=True, related_name="invoices")
    kind = models.CharField(max_length=12, default="regular")
    revision = models.PositiveSmallIntegerField(default=1)
    period_start = models.DateField(_("from"))
    period_end = models.DateField(_("until"))
    state = models.CharField(
        _("state"), max_length=16, choices=InvoiceState.choices, default=InvoiceState.DRAFT
    )
    year = models.PositiveSmallIntegerField(null=True)
    number = models.PositiveIntegerField(null=True)
    full_number = models.CharField(_("number"), max_length=30, blank=True, default="")
    issued_on = models.DateField(_("date"), null=True)
    due_on = models.DateField(_("pay until"), null=True)
    seller_copy = models.JSONField(default=dict)
    buyer_copy = models.JSONField(default=dict)
    total = models.DecimalField(_("total"), max_digits=14, decimal_places=2, null=True)
    vat = models.DecimalField(_("VAT"), max_digits=14, decimal_places=2, null=True)
    input_hash = models.CharField(max_length=64)
    cut_event = models.DateTimeField()
    cut_stored = models.DateTimeField()
    drafted_at = models.DateTimeField()
    finalised_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    void_reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["-period_start", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "period_start", "kind", "revision"], name="one_invoice_a_period"
            ),
            models.UniqueConstraint(fields=["seller", "year", "number"], name="invoice_number_once"),
            models.CheckConstraint(condition=models.Q(state__in=InvoiceState.values), name="invoice_state_known"),
            models.CheckConstraint(
                condition=models.Q(state__in=("draft", "needs_approval"))
                | models.Q(state="void")
                | models.Q(
                    number__isnull=False, year__isnull=False, total__isnull=False, vat__isnull=False,
                    issued_on__isnull=False, due_on__isnull=False, finalised_at__isnull=False,
                ),
                name="issued_is_whole",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["company", "-period_start"], name="invoice_of_company"),
            models.Index(fields=["state", "due_on"], name="invoice_by_due"),
        ]

    def __str__(self) -> str:
        return self.full_number or f"{self.company} {self.period_start:%m.%Y}"


class InvoiceLine(models.Model):
    """``kind``: a charge of billing.domain.pricing, or "correction" of an earlier month (``corrects``).

    ``net`` + ``vat`` = ``amount``; all None while the price is to be agreed. ``share_days`` of ``month_days`` were
    paid. ``details``: what the line follows from, for the page that explains it: measure, quantity, at, keys,
    bounds, plan version.
    """

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20)
    title_ru = models.CharField(max_length=300)
    title_en = models.CharField(max_length=300)
    begin_on = models.DateField()
    end_on = models.DateField()
    share_days = models.PositiveSmallIntegerField()
    month_days = models.PositiveSmallIntegerField()
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    net = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    vat = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    corrects = models.ForeignKey(Invoice, models.PROTECT, null=True, related_name="corrected_by")
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="line_place_once"),
            models.CheckConstraint(
                condition=models.Q(amount__isnull=True) | models.Q(amount=models.F("net") + models.F("vat")),
                name="line_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.title_ru}"


class UsageRecord(models.Model):
    """What was measured for one segment of one invoice: its evidence, and up to when facts were known.

    ``mark``: the state of the raw facts at the reading (contracts.CallsMark), by which a later change is noticed.
    ``keys``: the calls or profiles at the moment of the peak, the first few hundred of them.
    """

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="usage")
    begin = models.DateTimeField()
    until = models.DateTimeField()
    measure = models.CharField(max_length=20)
    quantity = models.PositiveIntegerField()
    at = models.DateTimeField(null=True)
    keys = models.JSONField(default=list)
    mark = models.JSONField(default=dict)
    cut_event = models.DateTimeField()
    cut_stored = models.DateTimeField()

    class Meta:
        ordering = ["invoice", "begin"]

    def __str__(self) -> str:
        return f"{self.measure} {self.quantity} {self.begin:%Y-%m-%d}"


class CreditNote(models.Model):
    """Money given back on an issued invoice, whole or in part. Never changes, never goes (trigger).

    ``kind``: "late" (facts changed after finalisation) or "by hand". ``fingerprint``: what it follows from; a second
    of the same for the invoice is impossible. ``refunded``: amounts beyond what was unpaid stay as the balance.
    """

    seller = models.ForeignKey(Seller, models.PROTECT, related_name="credit_notes")
    company = models.ForeignKey(Company, models.PROTECT, related_name="credit_notes")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="credit_notes")
    kind = models.CharField(max_length=12)
    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    full_number = models.CharField(_("number"), max_length=30)
    issued_on = models.DateField(_("date"))
    net = models.DecimalField(max_digits=14, decimal_places=2)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    vat = models.DecimalField(max_digits=14, decimal_places=2)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    reason = models.CharField(_("reason"), max_length=300)
    fingerprint = models.CharField(max_length=64)
    seller_copy = models.JSONField(default=dict)
    buyer_copy = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        verbose_name = _("credit note")
        verbose_name_plural = _("credit notes")
        ordering = ["-issued_on", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["seller", "year", "number"], name="credit_number_once"),
            models.UniqueConstraint(fields=["invoice", "fingerprint"], name="credited_once"),
            models.CheckConstraint(
                condition=models.Q(amount=models.F("net") + models.F("vat")) & models.Q(amount__gt=0),
                name="credit_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return self.full_number
