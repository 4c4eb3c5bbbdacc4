"""Who sells and who buys: what an invoice copies into itself when it is finalised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models import Company, validate_plain
from tenants.people.models import Role

if TYPE_CHECKING:
    from tenants.people.models import User

_digits = RegexValidator(r"^\d*$", _("Digits only."))


def validate_inn(inn: str) -> None:
    """The taxpayer's number with its check digits (order of the FNS ММВ-7-6/435@: weights below, mod 11 mod 10)."""
    weights = {
        10: ((2, 4, 10, 3, 5, 9, 4, 6, 8),),
        12: ((7, 2, 4, 10, 3, 5, 9, 4, 6, 8), (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)),
    }.get(len(inn))
    digits = [int(sign) for sign in inn if sign in "0123456789"]
    if weights is None or len(digits) != len(inn):
        raise ValidationError(_("An INN has 10 digits for a company, 12 for a person."), code="inn")
    for row in weights:
        if sum(w * d for w, d in zip(row, digits, strict=False)) % 11 % 10 != digits[len(row)]:
            raise ValidationError(
                _("This INN has a wrong check digit: look for a typing mistake."), code="inn"
            )


class Party(models.Model):
    """What Russian papers want to know of either side."""

    legal_name = models.CharField(_("legal name"), max_length=200, validators=[validate_plain])
    inn = models.CharField(_("INN"), max_length=12, validators=[validate_inn])
    kpp = models.CharField(
        _("KPP"),
        max_length=9,
        blank=True,
        default="",
        validators=[RegexValidator(r"^\d{9}$", _("KPP has 9 digits."))],
    )
    address = models.CharField(
        _("legal address"), max_length=300, blank=True, default="", validators=[validate_plain]
    )

    class Meta:
        abstract = True


class Seller(Party):
    """Who issues invoices. ``prefix`` stands before its numbers. The bank is where companies pay to."""

    prefix = models.CharField(
        _("number prefix"), max_length=8, blank=True, default="", validators=[validate_plain]
    )
    bank_name = models.CharField(
        _("bank"), max_length=160, blank=True, default="", validators=[validate_plain]
    )
    bik = models.CharField(_("BIK"), max_length=9, blank=True, default="", validators=[_digits])
    account = models.CharField(_("account"), max_length=20, blank=True, default="", validators=[_digits])
    correspondent = models.CharField(
        _("correspondent account"), max_length=20, blank=True, default="", validators=[_digits]
    )
    director = models.CharField(
        _("director"), max_length=120, blank=True, default="", validators=[validate_plain]
    )
    accountant = models.CharField(
        _("accountant"), max_length=120, blank=True, default="", validators=[validate_plain]
    )

    class Meta:
        verbose_name = _("seller")
        verbose_name_plural = _("sellers")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.legal_name


class LimitMode(models.TextChoices):
    NONE = "none", _("no limit")
    SOFT = "soft", _("warn only")
    HARD = "hard", _("refuse further portal calls")


class Account(models.Model):
    """A company as one who pays: its papers, who may see its money, and the limits it chose for itself.

    ``call_limit``: handled calls at once. ``profile_limit``: monitoring profiles on at once, None without one.
    """

    company = models.OneToOneField(Company, models.PROTECT, related_name="account")
    legal_name = models.CharField(
        _("legal name"), max_length=200, blank=True, default="", validators=[validate_plain]
    )
    inn = models.CharField(_("INN"), max_length=12, blank=True, default="", validators=[validate_inn])
    kpp = models.CharField(
        _("KPP"),
        max_length=9,
        blank=True,
        default="",
        validators=[RegexValidator(r"^\d{9}$", _("KPP has 9 digits."))],
    )
    address = models.CharField(
        _("legal address"), max_length=300, blank=True, default="", validators=[validate_plain]
    )
    email = models.EmailField(
        _("e-mail for invoices"), max_length=190, blank=True, default="",
        help_text=_("Empty: every company admin gets them."),
    )  # fmt: skip
    supervisors_see = models.BooleanField(_("supervisors see tariff and invoices"), default=False)
    limit_mode = models.CharField(
        _("calls at once"), max_length=4, choices=LimitMode.choices, default=LimitMode.NONE
    )
    call_limit = models.PositiveIntegerField(
        _("at most, at once"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
    )
    profile_limit = models.PositiveIntegerField(
        _("monitoring profiles at most"), null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000)],
    )  # fmt: skip

    class Meta:
        verbose_name = _("payer")
        verbose_name_plural = _("payers")
        ordering = ["company"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(limit_mode="none") | models.Q(call_limit__isnull=False),
                name="limit_has_a_number",
            )
        ]

    def __str__(self) -> str:
        return self.legal_name or str(self.company)

    def is_own_of(self, user: User) -> bool:
        """Asked for supervisors' right to see: the company allows it or not. Whose company it is, the scope says."""
        return (
            self.supervisors_see and user.role == Role.SUPERVISOR and user.company == self.company.schema_name
        )
