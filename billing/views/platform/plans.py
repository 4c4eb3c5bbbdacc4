"""Plans, their dated versions, and a new version: shown first what it would have cost last month, then made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.domain.money import ZERO
from billing.models import Plan, PlanVersion
from billing.selectors import compare
from billing.services import plans
from billing.services.acts import who_is
from billing.services.errors import BillingError
from billing.views.platform.clock import month_before, today
from billing.views.platform.plan_forms import FORMS, NewPlanForm, PlanForm, VersionForm
from billing.views.platform.plan_words import Term, in_words, told
from tenants.models import Company
from tenants.people.roles import Verb, requires

MOST_SHOWN = 200
"""Rows of a preview: those that change most; the sums are of all."""


@dataclass(frozen=True, slots=True)
class PlanCard:
    plan: Plan
    version: PlanVersion | None
    coming: PlanVersion | None
    terms: list[Term]
    subscribers: int


@dataclass(frozen=True, slots=True)
class Before:
    """One company's last month as billed, and by the new prices; None: a price would have to be agreed."""

    company: Company
    before: Decimal | None
    after: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        return None if self.before is None or self.after is None else self.after - self.before


@require_safe
@requires(Verb.SEE_BILLING)
def listing(request: HttpRequest) -> HttpResponse:
    return _listing(request, NewPlanForm())


@require_POST
@requires(Verb.EDIT_BILLING)
def new(request: HttpRequest) -> HttpResponse:
    """A plan without prices; the next page asks for them."""
    form = NewPlanForm(request.POST)
    if form.is_valid():
        try:
            plan = plans.new_plan(who=who_is(request.user), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(
                request, _("The plan is there. Nobody can take it before it has prices: enter them now.")
            )
            return redirect("billing_admin:version_new", plan.pk)
    return _listing(request, form, status=422)


@require_http_methods(["GET", "POST"])
@requires(Verb.SEE_BILLING)
def one(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A plan's versions, the latest first; what it is called can be changed."""
    plan = get_object_or_404(Plan, pk=pk)
    if request.method == "POST":
        return _rename(request, plan)
    return _one(request, plan, PlanForm(instance=plan))


@requires(Verb.EDIT_BILLING)
def _rename(request: HttpRequest, plan: Plan) -> HttpResponse:
    form = PlanForm(request.POST, instance=Plan.objects.get(pk=plan.pk))
    if form.is_valid():
        plans.rename(who=who_is(request.user), plan=plan, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("billing_admin:plan", plan.pk)
    return _one(request, plan, form, status=422)


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_BILLING)
def version_new(request: HttpRequest, pk: int) -> HttpResponse:
    """The form; sent, what it would have cost last month; sent again unchanged, the version."""
    plan = get_object_or_404(Plan, pk=pk)
    latest = plan.versions.order_by("-starts_on").first()
    form = FORMS[plan.model](plan, request.POST if request.method == "POST" else None, latest=latest)
    context: dict[str, Any] = {"plan": plan, "form": form, "latest": latest, "today": today()}
    if form.is_bound and form.is_valid():
        seen = _fingerprint(form)
        if request.POST.get("seen") == seen:
            made = _make(request, plan, form)
            if made is not None:
                return redirect("billing_admin:plan", plan.pk)
        elif form.cleaned_data["starts_on"] < context["today"]:
            form.add_error(
                "starts_on", _("Prices begin today or later: what was used before was used at the old ones.")
            )
        else:
            context |= _preview(plan, form) | {"seen": seen}
    return render(request, "billing/platform/version_new.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Verb.EDIT_BILLING)
def version_remove(request: HttpRequest, pk: int, version_pk: int) -> HttpResponse:
    version = get_object_or_404(PlanVersion, pk=version_pk, plan_id=pk)
    try:
        plans.remove_version(who=who_is(request.user), version=version, today=today())
    except BillingError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("The version is removed."))
    return redirect("billing_admin:plan", pk)


def _make(request: HttpRequest, plan: Plan, form: VersionForm) -> PlanVersion | None:
    try:
        made = plans.new_version(
            who=who_is(request.user),
            plan=plan,
            starts_on=form.cleaned_data["starts_on"],
            terms=form.terms,
            vat_mode=form.cleaned_data["vat_mode"],
            existing_from=form.cleaned_data["existing_from"],
            today=today(),
        )
    except BillingError as error:
        form.add_error(None, str(error.message))
        return None
    messages.success(request, _("The version is made. From now on it never changes."))
    return made


def _preview(plan: Plan, form: VersionForm) -> dict[str, Any]:
    """What last month would have cost whoever has the plan, and all of them together where both are known."""
    month = month_before(today())
    rows = [
        Before(row.company, row.before, row.after)
        for row in compare.preview(plan, form.terms, form.cleaned_data["vat_mode"], month=month)
    ]
    rows.sort(key=lambda row: (row.difference is None, -abs(row.difference or ZERO), str(row.company)))
    known = [row for row in rows if row.difference is not None]
    before = sum((row.before or ZERO for row in known), ZERO)
    after = sum((row.after or ZERO for row in known), ZERO)
    return {
        "month": month,
        "rows": rows[:MOST_SHOWN],
        "more_rows": max(0, len(rows) - MOST_SHOWN),
        "before": before,
        "after": after,
        "difference": after - before,
        "unpriced": len(rows) - len(known),
        "touched": sum(1 for row in known if row.difference),
    }


def _fingerprint(form: VersionForm) -> str:
    """What was previewed: prices changed since are previewed again before they are made."""
    dates = [form.cleaned_data["starts_on"], form.cleaned_data["existing_from"]]
    whole = json.dumps(
        [form.plan.pk, form.terms, form.cleaned_data["vat_mode"], *dates], default=str, sort_keys=True
    )
    return hashlib.sha256(whole.encode()).hexdigest()


def _listing(request: HttpRequest, form: NewPlanForm, *, status: int = 200) -> HttpResponse:
    day = today()
    cards = []
    on = Q(versions__phases__starts_on__lte=day) & (
        Q(versions__phases__ends_on=None) | Q(versions__phases__ends_on__gt=day)
    )
    counted = Plan.objects.annotate(subscribers=Count("versions__phases", filter=on, distinct=True))
    for plan in counted.prefetch_related("versions__plan"):
        versions = sorted(plan.versions.all(), key=lambda version: version.starts_on)
        now = [version for version in versions if version.starts_on <= day]
        coming = next((version for version in versions if version.starts_on > day), None)
        version = now[-1] if now else None
        terms = [Term(title, value) for title, value in in_words(version)] if version else []
        cards.append(PlanCard(plan, version, coming, terms, plan.subscribers))
    return render(request, "billing/platform/plans.html", {"cards": cards, "form": form}, status=status)


def _one(request: HttpRequest, plan: Plan, form: PlanForm, *, status: int = 200) -> HttpResponse:
    day = today()
    versions = list(
        plan.versions.select_related("plan").annotate(taken=Count("phases")).order_by("starts_on")
    )
    current = next((version for version in reversed(versions) if version.starts_on <= day), None)
    stays = {version.pk: plans.why_it_stays(version, today=day) for version in versions}
    context = {
        "plan": plan,
        "form": form,
        "versions": told(versions, stays=stays),
        "current": current,
        "today": day,
    }
    return render(request, "billing/platform/plan.html", context, status=status)
