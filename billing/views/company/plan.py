"""Choosing and changing the plan: what each would cost and from which day, first; then the question; then undo."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.access import payer
from billing.models import Plan
from billing.selectors.held import held
from billing.services import subscriptions
from billing.services.acts import who_is
from billing.services.errors import BillingError, NotNow, NotThere
from billing.services.offers import Offer, offers
from billing.views.platform.plan_words import model_in_words
from tenants.models import Company
from tenants.people.roles import Verb, can, demand


@never_cache
@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    """Every plan on offer beside the one the company has."""
    company, account = payer(request)
    now = timezone.now()
    context = {
        "cards": [_card(one) for one in offers(company, now=now)],
        "held": held(company, now=now),
        "may_change": can(request.user, Verb.CHANGE_PLAN, account),
        "section": "plan",
    }
    return render(request, "billing/company/plans.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, code: str) -> HttpResponse:
    """What taking it means. POST with the day that was shown (``shown``) takes it; without one it only asks."""
    company, account = payer(request)
    demand(request, Verb.CHANGE_PLAN, account)
    plan = Plan.objects.filter(code=code, on_offer=True).first()
    if plan is None:
        raise Http404
    error = ""
    shown = _day(request.POST.get("shown", ""))
    if request.method == "POST" and shown is not None:
        try:
            return _take(request, company, plan, shown)
        except NotThere as gone:
            raise Http404 from gone
        except BillingError as refusal:
            error = str(refusal.message)
    now = timezone.now()
    found = next((one for one in offers(company, now=now) if one.plan == plan), None)
    if found is None:
        raise Http404
    context = {"card": _card(found), "held": held(company, now=now), "error": error, "section": "plan"}
    return render(request, "billing/company/plan_choose.html", context, status=409 if error else 200)


@require_POST
def cancel(request: HttpRequest) -> HttpResponse:
    company, account = payer(request)
    demand(request, Verb.CHANGE_PLAN, account)
    try:
        gone = subscriptions.cancel_change(who=who_is(request.user), company=company, now=timezone.now())
    except BillingError as refusal:
        messages.error(request, str(refusal.message))
    else:
        if gone:
            messages.success(request, _("The change is cancelled: the plan stays as it is."))
        else:
            messages.info(request, _("There is no change to cancel: it has begun already, or was cancelled."))
    return redirect("billing:plan")


def _take(request: HttpRequest, company: Company, plan: Plan, shown: date) -> HttpResponse:
    who, now = who_is(request.user), timezone.now()
    if held(company, now=now) is None:
        if shown != subscriptions.offer(company, plan, now=now).starts_on:
            raise NotNow(_("That was yesterday's page: the plan would begin today. Look again, please."))
        subscriptions.open_subscription(who=who, company=company, plan=plan, starts_on=shown)
        messages.success(request, _("The plan is yours from today: %(plan)s.") % {"plan": plan})
        return redirect("billing:overview")
    phase = subscriptions.change_plan(who=who, company=company, plan=plan, now=now, shown=shown)
    messages.success(
        request,
        _("From %(day)s on: %(plan)s. Until then you may cancel it.")
        % {"day": date_format(phase.starts_on, "DATE_FORMAT"), "plan": plan},
    )
    return redirect("billing:overview")


def _card(one: Offer) -> dict[str, object]:
    return {"offer": one, "terms": model_in_words(one.model), "vat_mode": one.version.vat_mode}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
