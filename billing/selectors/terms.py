"""A plan version's terms as the price model that reads them, and back. What makes no tariff is refused here.

Shape of ``PlanVersion.terms``: per_profile {"base": "1000.00", "included": 3, "further": "250.00", "fee":
"monthly"|"once", "measure": "profiles"|"profiles_distinct"|"profile_days"}; per_concurrency {"tiers": [{"up_to": 5,
"price": "1500.00"}, …], "measure": "calls"|"managers", "internal": false}. Settings left out have the first value.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from billing.domain.metering import Measure
from billing.domain.pricing import Fee, PerConcurrency, PerProfile, Tier
from billing.models import PlanVersion

Model = PerProfile | PerConcurrency
_KNOWN = {
    "per_profile": {"base", "included", "further", "fee", "measure"},
    "per_concurrency": {"tiers", "measure", "internal"},
}
_MEASURES = {
    "per_profile": (Measure.PROFILES, Measure.PROFILES_DISTINCT, Measure.PROFILE_DAYS),
    "per_concurrency": (Measure.CALLS, Measure.MANAGERS),
}


class BadTerms(ValueError):
    """``where``: the path of the wrong value, like "tiers[1].price"; ``why``: what is wrong with it."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where, self.why = where, why


def model_of(version: PlanVersion) -> Model:
    return read(version.plan.model, version.terms)


def read(model: str, terms: Mapping[str, Any]) -> Model:
    """Raises BadTerms."""
    if model not in _KNOWN:
        raise BadTerms("model", f"there is no price model {model!r}")
    for name in terms:
        if name not in _KNOWN[model]:
            raise BadTerms(name, "no such setting")
    measure = _one_of(terms, "measure", _MEASURES[model])
    if model == PerProfile.name:
        return PerProfile(
            base=_price(terms, "base"),
            included=_count(terms, "included"),
            further=_price(terms, "further"),
            fee=_one_of(terms, "fee", tuple(Fee)),
            measure=measure,
        )
    tiers = terms.get("tiers")
    if not isinstance(tiers, list) or not tiers or not all(isinstance(tier, dict) for tier in tiers):
        raise BadTerms("tiers", "a list of {up_to, price} is wanted")
    internal = terms.get("internal", False)
    if not isinstance(internal, bool):
        raise BadTerms("internal", "true or false is wanted")
    read_tiers = tuple(
        Tier(_count(tier, "up_to", f"tiers[{n}]."), _price(tier, "price", f"tiers[{n}]."))
        for n, tier in enumerate(tiers)
    )
    try:
        return PerConcurrency(tiers=read_tiers, measure=measure, internal=internal)
    except ValueError as error:
        raise BadTerms("tiers", str(error)) from error


def written(model: Model) -> dict[str, Any]:
    """The terms ``read`` would make ``model`` of."""
    if isinstance(model, PerProfile):
        return {
            "base": f"{model.base:.2f}", "included": model.included, "further": f"{model.further:.2f}",
            "fee": model.fee.value, "measure": model.measure.value,
        }  # fmt: skip
    return {
        "tiers": [{"up_to": tier.up_to, "price": f"{tier.price:.2f}"} for tier in model.tiers],
        "measure": model.measure.value,
        "internal": model.internal,
    }


def _one_of(terms: Mapping[str, Any], name: str, allowed: tuple[Any, ...]) -> Any:
    value = terms.get(name, allowed[0].value)
    for one in allowed:
        if one.value == value:
            return one
    raise BadTerms(name, "one of " + ", ".join(one.value for one in allowed) + " is wanted")


def _price(terms: Mapping[str, Any], name: str, path: str = "") -> Decimal:
    value = terms.get(name)
    # Decimals come as text: a float of JSON would already have lost kopecks.
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise BadTerms(path + name, 'an amount like "1500.00" is wanted')
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise BadTerms(path + name, 'an amount like "1500.00" is wanted') from error
    if not amount.is_finite() or amount < 0 or amount >= Decimal(10) ** 10 or amount != round(amount, 2):
        raise BadTerms(path + name, "an amount from 0, of at most two decimal places, is wanted")
    return amount.quantize(Decimal("0.01"))


def _count(terms: Mapping[str, Any], name: str, path: str = "") -> int:
    value = terms.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise BadTerms(path + name, "a whole number from 0 is wanted")
    return value
