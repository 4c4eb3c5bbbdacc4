"""Who issues invoices, and the VAT rates of the law, as platform staff enters them; every change is written down."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing.domain import bank_details
from billing.models import Invoice, Seller, VatRate
from billing.services.acts import Who, record
from billing.services.errors import BadTerms, NotNow

FIELDS = (
    "legal_name", "inn", "kpp", "address", "prefix", "bank_name", "bik", "account", "correspondent", "director",
    "accountant",
)  # fmt: skip


@transaction.atomic
def save_seller(*, who: Who, seller: Seller) -> Seller:
    """Store a new or changed seller. Issued invoices keep the copy they have. Raises ValidationError."""
    _check(seller)
    before = Seller.objects.select_for_update().filter(pk=seller.pk).first() if seller.pk else None
    if before is not None and before.prefix != seller.prefix and _has_issued(before):
        # Numbers run on under one prefix: two of them would look like two rows of numbers to an auditor.
        raise ValidationError({"prefix": _("Invoices are issued under this prefix: it stays.")})
    changed = {
        name: [getattr(before, name, ""), getattr(seller, name)]
        for name in FIELDS
        if getattr(before, name, "") != getattr(seller, name)
    }
    if before is not None and not changed:
        return seller
    seller.save()
    record(
        who=who,
        verb="seller.new" if before is None else "seller.edit",
        what=seller.legal_name,
        details={"changed": changed},
    )
    return seller


@transaction.atomic
def new_rate(*, who: Who, starts_on: date, percent: Decimal, today: date) -> VatRate:
    """A VAT rate from a day on: of this month or later, for earlier ones are billed. Raises BadTerms, NotNow."""
    if starts_on < today.replace(day=1):
        raise BadTerms(
            _("Months before this one are billed: a rate begins on the first of this month or later.")
        )
    if not 0 <= percent < 100:
        raise BadTerms(_("A rate is between 0 and 100 per cent."))
    try:
        with transaction.atomic():
            rate = VatRate.objects.create(starts_on=starts_on, percent=percent)
    except IntegrityError as error:
        raise NotNow(_("There is a rate from that day already.")) from error
    record(who=who, verb="vat.new", what=f"{percent:f} %", details={"from": starts_on.isoformat()})
    return rate


@transaction.atomic
def remove_rate(*, who: Who, rate: VatRate, today: date) -> None:
    """Take back a rate that is not in force yet. Raises NotNow."""
    if rate.starts_on <= today:
        raise NotNow(_("This rate has been in force: it stays."))
    record(
        who=who, verb="vat.remove", what=f"{rate.percent:f} %", details={"from": rate.starts_on.isoformat()}
    )
    rate.delete()


def _has_issued(seller: Seller) -> bool:
    return Invoice.objects.filter(seller=seller, number__isnull=False).exists()


def _check(seller: Seller) -> None:
    """Raises ValidationError naming the fields."""
    seller.full_clean()
    wrong: dict[str, str] = {}
    if seller.inn and len(seller.inn) == 10 and not seller.kpp:
        wrong["kpp"] = _("A company has a KPP; only a sole trader, whose INN has 12 digits, has none.")
    if seller.bik and not bank_details.is_bik(seller.bik):
        wrong["bik"] = _("A BIK has 9 digits and begins with 04.")
    elif seller.bik:
        if seller.account and not bank_details.account_fits(seller.account, seller.bik):
            wrong["account"] = _("This account is not one of this bank's: compare its 20 digits and the BIK.")
        if seller.correspondent and not bank_details.correspondent_fits(seller.correspondent, seller.bik):
            wrong["correspondent"] = _(
                "This correspondent account is not this bank's: it begins with 301 and ends like the BIK."
            )
    elif seller.account:
        wrong["bik"] = _("An account needs its bank's BIK.")
    if wrong:
        raise ValidationError(wrong)
