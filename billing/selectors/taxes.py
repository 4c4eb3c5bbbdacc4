"""The VAT rates of the law, as the domain reads them."""

from __future__ import annotations

from billing.domain.vat import VatRates
from billing.models import VatRate


def vat_rates() -> VatRates:
    return VatRates(VatRate.objects.values_list("starts_on", "percent"))
