"""Plans and their dated versions: how a price comes into the world. A version is made once and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing.domain.vat import VatMode
from billing.models import Plan, PlanVersion
from billing.selectors import terms as selector
from billing.services.acts import Who, record
from billing.services.errors import BadTerms, NotNow


@transaction.atomic
def new_plan(
    *, who: Who, code: str, model: str, name_ru: str, name_en: str, on_offer: bool,
) -> Plan:  # fmt: skip
    """A plan without prices yet: nobody can take it before its first version. Raises ValidationError."""
    plan = Plan(code=code, model=model, name_ru=name_ru, name_en=name_en, on_offer=on_offer)
    plan.full_clean()
    plan.save()
    record(who=who, verb="plan.new", what=plan.name_ru, details={"code": code, "model": model})
    return plan


@transaction.atomic
def rename(*, who: Who, plan: Plan, name_ru: str, name_en: str, on_offer: bool) -> Plan:
    """Change what a plan is called and whether companies may choose it themselves. Raises ValidationError."""
    kept = Plan.objects.select_for_update().get(pk=plan.pk)
    wanted = {"name_ru": name_ru, "name_en": name_en, "on_offer": on_offer}
    changed = {
        name: [getattr(kept, name), value] for name, value in wanted.items() if getattr(kept, name) != value
    }
    if not changed:
        return kept
    for name, value in wanted.items():
        setattr(kept, name, value)
    kept.full_clean()
    kept.save()
    record(who=who, verb="plan.edit", what=kept.name_ru, details={"changed": changed})
    return kept


@transaction.atomic
def new_version(
    *,
    who: Who,
    plan: Plan,
    starts_on: date,
    terms: Mapping[str, Any],
    vat_mode: str,
    existing_from: date | None,
    today: date,
) -> PlanVersion:
    """Prices of ``plan`` from ``starts_on`` on: today or later, for yesterday's use is owed by yesterday's prices.

    ``existing_from``: from that day they hold for those who have the plan already, too; None: these keep theirs.
    Raises BadTerms (dates or prices that make no tariff), NotNow (a version begins that day already).
    """
    if starts_on < today:
        raise BadTerms(_("Prices begin today or later: what was used before was used at the old ones."))
    if existing_from is not None and existing_from < starts_on:
        raise BadTerms(_("For existing subscribers new prices begin with the version or after it."))
    if vat_mode not in set(VatMode):
        raise BadTerms(_("VAT is included, on top, or there is none."))
    try:
        known = selector.written(selector.read(plan.model, terms))
    except selector.BadTerms as error:
        raise BadTerms(
            _("These prices make no tariff: %(where)s, %(why)s.") % {"where": error.where, "why": error.why}
        ) from error
    Plan.objects.select_for_update().get(pk=plan.pk)  # whoever prices this plan next waits here
    try:
        with transaction.atomic():
            version = PlanVersion.objects.create(
                plan=plan, starts_on=starts_on, existing_from=existing_from, terms=known, vat_mode=vat_mode,
                made_by=who.name,
            )  # fmt: skip
    except IntegrityError as error:
        raise NotNow(
            _("A version of this plan begins that day already: remove it first, or take another day.")
        ) from error
    record(
        who=who,
        verb="version.new",
        what=f"{plan.name_ru} {starts_on:%d.%m.%Y}",
        details={
            "terms": known, "vat": vat_mode, "existing_from": existing_from.isoformat() if existing_from else None,
        },
    )  # fmt: skip
    return version


@transaction.atomic
def remove_version(*, who: Who, version: PlanVersion, today: date) -> None:
    """Take back a version that is not in force yet and that nobody has taken. Raises NotNow."""
    kept = PlanVersion.objects.select_for_update().select_related("plan").get(pk=version.pk)
    why = why_it_stays(kept, today=today)
    if why:
        raise NotNow(why)
    record(
        who=who,
        verb="version.remove",
        what=f"{kept.plan.name_ru} {kept.starts_on:%d.%m.%Y}",
        details={"terms": kept.terms},
    )
    kept.delete()


def why_it_stays(version: PlanVersion, *, today: date) -> str:
    """Why a version cannot be taken back, "" when it can."""
    if version.starts_on <= today:
        return _("In force since its day: it stays.")
    if version.phases.exists():
        return _("Somebody has chosen it: it stays.")
    return ""


def checked(plan: Plan, terms: Mapping[str, Any]) -> dict[str, Any]:
    """``terms`` as they would be stored. Raises ValidationError with what is wrong."""
    try:
        return selector.written(selector.read(plan.model, terms))
    except selector.BadTerms as error:
        raise ValidationError(
            _("These prices make no tariff: %(where)s, %(why)s.") % {"where": error.where, "why": error.why}
        ) from error
