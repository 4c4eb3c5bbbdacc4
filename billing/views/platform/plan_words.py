"""A version's prices and settings in words, and what differs from the version before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing.domain.metering import Measure
from billing.domain.pricing import Fee, PerConcurrency, PerProfile
from billing.models import PlanVersion
from billing.selectors.rubles import rubles_short
from billing.selectors.terms import Model, model_of


@dataclass(frozen=True, slots=True)
class Term:
    """``changed``: another value than in the version before, or not there in it."""

    title: str
    value: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A version as its row in the table. ``gone``: what the version before had and this one has not."""

    version: PlanVersion
    terms: list[Term]
    gone: list[Term]
    vat_changed: bool
    stays: str


def told(versions: Iterable[PlanVersion], *, stays: dict[int, str]) -> list[Told]:
    """``versions`` in order of their days; the answer has the latest first."""
    found: list[Told] = []
    before: PlanVersion | None = None
    known: dict[str, str] = {}
    for version in versions:
        now = in_words(version)
        marked = [
            Term(title, value, before is not None and known.get(title) != value) for title, value in now
        ]
        gone = [Term(title, value) for title, value in known.items() if title not in dict(now)]
        vat = before is not None and before.vat_mode != version.vat_mode
        found.append(Told(version, marked, gone, vat, stays.get(version.pk, "")))
        before, known = version, dict(now)
    return found[::-1]


def in_words(version: PlanVersion) -> list[tuple[str, str]]:
    return model_in_words(model_of(version))


def model_in_words(model: Model) -> list[tuple[str, str]]:
    """(what, its value) in the language of the page."""
    if isinstance(model, PerProfile):
        return _per_profile(model)
    return _per_concurrency(model)


def measure_in_words(measure: Measure) -> str:
    return {
        Measure.PROFILES: _("the most on at one moment"),
        Measure.PROFILES_DISTINCT: _("all that were on in the month"),
        Measure.PROFILE_DAYS: _("day by day"),
        Measure.CALLS: _("calls handled at the same time, the most of the month"),
        Measure.MANAGERS: _("managers who took calls in the month"),
    }[measure]


def _per_profile(model: PerProfile) -> list[tuple[str, str]]:
    fee = _("every month") if model.fee is Fee.MONTHLY else _("once, on connection")
    return [
        (_("Base fee"), f"{rubles_short(model.base)}, {fee}"),
        (_("Monitoring profiles included"), str(model.included)),
        (_("Each further profile"), rubles_short(model.further)),
        (_("How profiles are counted"), measure_in_words(model.measure)),
    ]


def _per_concurrency(model: PerConcurrency) -> list[tuple[str, str]]:
    found = []
    first = 0
    for tier in model.tiers:
        title = (
            _("up to %(last)s") % {"last": tier.up_to}
            if first == 0
            else _("%(first)s to %(last)s") % {"first": first, "last": tier.up_to}
        )
        found.append((title, rubles_short(tier.price)))
        first = tier.up_to + 1
    found.append((_("above"), pgettext("price", "by agreement")))
    found.append((_("What is counted"), measure_in_words(model.measure)))
    if model.internal:
        found.append((_("Calls between own people"), _("count too")))
    return found
