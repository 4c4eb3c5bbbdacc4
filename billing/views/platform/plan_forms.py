"""Forms of prices: one for each price model, each of which answers with the terms a version stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import ModelName, Plan, PlanVersion
from billing.services.plans import checked
from billing.views.platform.fields import RublesField, as_typed, day_field

MOST_TIERS = 50
"""More tiers than that nobody has; what is sent beyond them is not read."""


class PlanForm(forms.ModelForm[Plan]):
    class Meta:
        model = Plan
        fields = ["name_ru", "name_en", "on_offer"]


class NewPlanForm(forms.ModelForm[Plan]):
    class Meta:
        model = Plan
        fields = ["code", "model", "name_ru", "name_en", "on_offer"]


class VersionForm(forms.Form):
    """What every model's version has. ``terms`` after ``is_valid``: as they would be stored."""

    starts_on = day_field(gettext_lazy("In force from"))
    existing_from = day_field(
        gettext_lazy("For existing subscribers from"),
        required=False,
        help_text=gettext_lazy("Empty: whoever has the plan already keeps the prices they have."),
    )
    vat_mode = forms.ChoiceField(
        label=gettext_lazy("VAT"),
        choices=[
            ("included", gettext_lazy("included in the prices")),
            ("on_top", gettext_lazy("on top of the prices")),
            ("none", gettext_lazy("none")),
        ],
    )

    def __init__(
        self, plan: Plan, data: QueryDict | None = None, *, latest: PlanVersion | None = None
    ) -> None:
        self.plan = plan
        self.terms: dict[str, Any] = {}
        known: Mapping[str, Any] = latest.terms if latest else {}
        vat = latest.vat_mode if latest else "included"
        super().__init__(data, initial={**self.begin_with(known), "vat_mode": vat})

    def begin_with(self, terms: Mapping[str, Any]) -> dict[str, Any]:
        return dict(terms)

    def written(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts_on, existing = cleaned.get("starts_on"), cleaned.get("existing_from")
        if starts_on and existing and existing < starts_on:
            self.add_error("existing_from", _("Not before the version itself begins."))
        if not self.errors:
            self.terms = checked(self.plan, self.written(cleaned))
        return cleaned


class PerProfileForm(VersionForm):
    base = RublesField(label=gettext_lazy("Base fee"))
    included = forms.IntegerField(
        label=gettext_lazy("Monitoring profiles included"), min_value=0, max_value=10_000
    )
    further = RublesField(label=gettext_lazy("Each further profile"))
    fee = forms.ChoiceField(
        label=gettext_lazy("The fee is paid"),
        choices=[
            ("monthly", gettext_lazy("every month")),
            ("once", gettext_lazy("once, on connection")),
        ],
    )
    measure = forms.ChoiceField(
        label=gettext_lazy("How profiles are counted"),
        choices=[
            ("profiles", gettext_lazy("the most on at one moment")),
            ("profiles_distinct", gettext_lazy("all that were on in the month")),
            ("profile_days", gettext_lazy("day by day")),
        ],
    )
    prices = ("base", "included", "further", "fee", "measure")

    def written(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "base": str(cleaned["base"]),
            "included": cleaned["included"],
            "further": str(cleaned["further"]),
            "fee": cleaned["fee"],
            "measure": cleaned["measure"],
        }


class PerConcurrencyForm(VersionForm):
    """Tiers come as two rows of equally named fields, ``up_to`` and ``price``; empty pairs are left out."""

    measure = forms.ChoiceField(
        label=gettext_lazy("What is counted"),
        choices=[
            ("calls", gettext_lazy("calls handled at the same time, the most of the month")),
            ("managers", gettext_lazy("managers who took calls in the month")),
        ],
    )
    internal = forms.BooleanField(label=gettext_lazy("Calls between own people count too"), required=False)
    prices = ("measure", "internal")

    def begin_with(self, terms: Mapping[str, Any]) -> dict[str, Any]:
        self._known = [(str(tier["up_to"]), str(tier["price"])) for tier in terms.get("tiers", [])]
        return {name: terms[name] for name in ("measure", "internal") if name in terms}

    def tiers(self) -> list[tuple[str, str]]:
        """As they were typed, or as the latest version has them: what the page shows."""
        if not isinstance(self.data, QueryDict) or not self.is_bound:
            return self._known or [("5", ""), ("15", ""), ("40", "")]
        bounds, prices = self.data.getlist("up_to"), self.data.getlist("price")
        typed = [
            (bound.strip()[:12], price.strip()[:20]) for bound, price in zip(bounds, prices, strict=False)
        ]
        return [pair for pair in typed[:MOST_TIERS] if any(pair)] or [("", "")]

    def written(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        tiers = []
        last = -1
        for number, (bound, price) in enumerate(self.tiers(), start=1):
            place = _("Tier %(number)s") % {"number": number}
            if not bound.isascii() or not bound.isdigit():
                raise ValidationError(
                    _("%(tier)s: up to how many? A whole number is wanted.") % {"tier": place}
                )
            try:
                amount = RublesField().clean(as_typed(price))
            except ValidationError as error:
                raise ValidationError(f"{place}: {error.messages[0]}") from error
            if int(bound) <= last:
                raise ValidationError(
                    _("%(tier)s: its bound must be above that of the tier before it.") % {"tier": place}
                )
            last = int(bound)
            tiers.append({"up_to": last, "price": str(amount)})
        return {"tiers": tiers, "measure": cleaned["measure"], "internal": cleaned["internal"]}


FORMS: dict[str, type[VersionForm]] = {
    ModelName.PER_PROFILE: PerProfileForm,
    ModelName.PER_CONCURRENCY: PerConcurrencyForm,
}
