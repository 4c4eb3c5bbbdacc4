"""One company as one who pays: what it has, used, owes and was billed; and what staff may do about it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from billing.domain.periods import local_day
from billing.models import Plan, Seller, Subscription
from billing.selectors import balance, usage
from billing.selectors.companies import subscription_of
from billing.selectors.course import course
from billing.selectors.held import account_of, held, invoiced_until
from billing.selectors.standing import standing
from billing.services import subscriptions
from billing.services.accounts import change_details
from billing.services.acts import who_is
from billing.services.errors import BadTerms, BillingError
from billing.services.offers import offers
from billing.views.platform.act_words import said
from billing.views.platform.clock import today
from billing.views.platform.fields import RublesField, day_field
from billing.views.platform.plan_words import in_words, measure_in_words
from billing.views.platform.review import finding
from billing.views.platform.usage_drawing import drawing
from tenants.models import Company
from tenants.people.roles import Verb, requires

LISTED = 12


class OpenForm(forms.Form):
    plan = forms.ModelChoiceField(Plan.objects.all(), label=gettext_lazy("Plan"), empty_label=None)
    seller = forms.ModelChoiceField(
        Seller.objects.all(), label=gettext_lazy("Invoices come from"), empty_label=None
    )
    starts_on = day_field(gettext_lazy("First day"))


class AgreeForm(forms.Form):
    price = RublesField(
        label=gettext_lazy("A month above the last tier"),
        required=False,
        help_text=gettext_lazy("Empty: nothing is agreed any more."),
    )
    from_day = day_field(gettext_lazy("From"))


class CloseForm(forms.Form):
    ends_on = day_field(
        gettext_lazy("First day without service"),
        help_text=gettext_lazy("The days before it are billed as usual, a part of a month by its days."),
    )


class PapersForm(forms.Form):
    """The payer's papers, entered for a company that does not do it itself."""

    legal_name = forms.CharField(label=gettext_lazy("Legal name"), max_length=200, required=False)
    inn = forms.CharField(label=gettext_lazy("INN"), max_length=12, required=False)
    kpp = forms.CharField(label=gettext_lazy("KPP"), max_length=9, required=False)
    address = forms.CharField(label=gettext_lazy("Legal address"), max_length=300, required=False)
    email = forms.EmailField(label=gettext_lazy("E-mail for invoices"), max_length=190, required=False)


@require_safe
@requires(Verb.SEE_BILLING)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _company(pk))


@require_safe
@requires(Verb.SEE_BILLING)
def usage_part(request: HttpRequest, pk: int) -> HttpResponse:
    """This month so far, day by day, and the forecast: counted in the company's own calls and profiles."""
    company = _company(pk)
    now = timezone.now()
    used = usage.usage_today(company, now=now)
    context: dict[str, Any] = {"row": company, "usage": used}
    if used is not None:
        gone = course(str(company.schema_name), used.model, used.month, now=now)
        context |= {
            "bill": usage.forecast(company, today=local_day(now, used.part.zone)),
            "counted": measure_in_words(used.measure),
            "drawing": drawing(gone, bound=used.bound) if gone else None,
            "days": gone.days if gone else (),
        }
    return render(request, "billing/platform/company_usage.html", context)


@require_safe
@requires(Verb.EDIT_BILLING)
def offers_part(request: HttpRequest, pk: int) -> HttpResponse:
    """Which plans it could change to, from which day and at what price for a month like this one."""
    company = _company(pk)
    try:
        found = offers(company, now=timezone.now())
    except BillingError as error:
        return render(
            request, "billing/platform/company_offers.html", {"row": company, "why": str(error.message)}
        )
    return render(request, "billing/platform/company_offers.html", {"row": company, "offers": found})


@require_POST
@requires(Verb.EDIT_BILLING)
def act(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """Put on a plan, change it, take the change back, agree on a price, end, enter papers."""
    company = _company(pk)
    acts = {
        "open": _open,
        "change": _change,
        "cancel": _cancel,
        "agree": _agree,
        "close": _close,
        "papers": _papers,
    }
    if what not in acts:
        raise Http404
    try:
        done, form = acts[what](request, company)
    except BillingError as error:
        messages.error(request, str(error.message))
        return redirect("billing_admin:company", pk)
    if form is not None:
        return _page(request, company, status=422, **{f"{what}_form": form})
    messages.success(request, done)
    return redirect("billing_admin:company", pk)


Answer = tuple[str, forms.Form | None]
"""What to say when it is done, or the form with what is wrong with it."""


def _open(request: HttpRequest, company: Company) -> Answer:
    form = OpenForm(request.POST)
    if not form.is_valid():
        return "", form
    subscriptions.open_subscription(who=who_is(request.user), company=company, **form.cleaned_data)
    return _("The company has its plan."), None


def _change(request: HttpRequest, company: Company) -> Answer:
    plan = get_object_or_404(Plan, pk=_number(request.POST.get("plan", "")))
    try:
        shown = date.fromisoformat(request.POST.get("shown", ""))
    except ValueError:
        raise BadTerms(_("Look at the day of the change first.")) from None
    subscriptions.change_plan(
        who=who_is(request.user), company=company, plan=plan, now=timezone.now(), shown=shown
    )
    return _("The change is planned."), None


def _cancel(request: HttpRequest, company: Company) -> Answer:
    if not subscriptions.cancel_change(who=who_is(request.user), company=company, now=timezone.now()):
        raise BadTerms(_("There is no planned change any more."))
    return _("The change is taken back."), None


def _agree(request: HttpRequest, company: Company) -> Answer:
    form = AgreeForm(request.POST)
    if not form.is_valid():
        return "", form
    subscriptions.agree_price(
        who=who_is(request.user), subscription=_subscription(company), **form.cleaned_data
    )
    return _("The price is agreed. Run the month again: drafts that waited for it are counted anew."), None


def _close(request: HttpRequest, company: Company) -> Answer:
    form = CloseForm(request.POST)
    if not form.is_valid():
        return "", form
    subscriptions.close(who=who_is(request.user), subscription=_subscription(company), **form.cleaned_data)
    return _("The subscription has its end."), None


def _papers(request: HttpRequest, company: Company) -> Answer:
    form = PapersForm(request.POST)
    if form.is_valid():
        try:
            change_details(who=who_is(request.user), company=company, details=form.cleaned_data)
        except ValidationError as error:
            for field, texts in getattr(error, "message_dict", {"__all__": error.messages}).items():
                form.add_error(field if field in form.fields else None, texts)
    return ("", form) if form.errors else (_("Saved."), None)


def _page(request: HttpRequest, company: Company, *, status: int = 200, **given: forms.Form) -> HttpResponse:
    now = timezone.now()
    has = held(company, now=now)
    subscription = subscription_of(company, today=today())
    billed = invoiced_until(subscription) if subscription else None
    account = account_of(company)
    papers = {name: getattr(account, name) for name in PapersForm.base_fields}
    phases = subscription.phases.select_related("version__plan").order_by("starts_on") if subscription else []
    context: dict[str, Any] = {
        "row": company,
        "account": account,
        "held": has,
        "subscription": subscription,
        "phases": [(phase, in_words(phase.version), _when(phase, now, subscription)) for phase in phases],
        "billed_until": billed - timedelta(days=1) if billed else None,
        "standing": standing(str(company.schema_name), now=now),
        "balance": balance.balance(company),
        "invoices": list(company.invoices.order_by("-period_start", "-pk")[:LISTED]),
        "payments": list(company.payments.order_by("-paid_on", "-pk")[:LISTED]),
        "credits": list(
            company.credit_notes.select_related("invoice").order_by("-issued_on", "-pk")[:LISTED]
        ),
        "acts": [(row, said(row)) for row in company.billing_acts.all()[:LISTED]],
        "findings": [finding(row) for row in company.review_items.filter(settled_at=None)[:LISTED]],
        "open_form": OpenForm(initial={"starts_on": today()}),
        "agree_form": AgreeForm(initial=_agreed(subscription, has, billed)),
        "close_form": CloseForm(initial={"ends_on": _next_month()}),
        "papers_form": PapersForm(initial=papers),
        "sellers": Seller.objects.exists(),
    }
    return render(request, "billing/platform/company.html", context | given, status=status)


def _agreed(subscription: Subscription | None, has: Any, billed: Any) -> dict[str, Any]:
    """The price of today's plan, and the first day it could be changed for."""
    if subscription is None:
        return {}
    return {"price": has.phase.agreed_price if has else None, "from_day": billed or subscription.starts_on}


def _when(phase: Any, now: datetime, subscription: Subscription | None) -> str:
    day = local_day(now, subscription.time_zone) if subscription else today()
    if phase.starts_on > day:
        return "coming"
    return "over" if phase.ends_on is not None and phase.ends_on <= day else "now"


def _next_month() -> Any:
    return (today().replace(day=28) + timedelta(days=7)).replace(day=1)


def _subscription(company: Company) -> Subscription:
    found = subscription_of(company, today=today())
    if found is None:
        raise BadTerms(_("The company has no plan yet: choose one."))
    return found


def _company(pk: int) -> Company:
    found: Company = get_object_or_404(Company, pk=pk)
    return found


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
