"""Money that came: the list, the queue that waits for a person, one payment with everything done to it, debts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.domain.money import ZERO
from billing.models import Invoice, Payment, PaymentState
from billing.selectors import payments as selector
from billing.selectors.balance import balance, debtors
from billing.selectors.payments import PaymentsAsked
from billing.selectors.standing import state_after
from billing.selectors.suggestions import Why, suggestions
from billing.services import payments
from billing.services.acts import Who, who_is
from billing.services.errors import BillingError
from billing.views.platform.act_words import said
from billing.views.platform.clock import today
from billing.views.platform.fields import RublesField, day_field
from tenants.models import Company
from tenants.people.roles import Verb, requires

PAGE = 50
QUEUE_PAGE = 20
WHY: dict[str, str | Promise] = {
    Why.NO_NUMBER: gettext_lazy("names no invoice"),
    Why.OTHER_INN: gettext_lazy("another payer's INN"),
    Why.OTHER_AMOUNT: gettext_lazy("another amount"),
    Why.PAID_ALREADY: gettext_lazy("the invoice is paid already"),
    Why.VOID: gettext_lazy("the invoice was taken back"),
    Why.SEVERAL: gettext_lazy("names several invoices"),
    Why.BY_HAND: gettext_lazy("looks like one entered by hand"),
    Why.TAKEN_OFF: gettext_lazy("taken back by a person"),
    Why.OWN: gettext_lazy("between our own accounts"),
}


class PaymentForm(forms.Form):
    """A payment no statement brings: cash, a card, another bank."""

    company = forms.ModelChoiceField(Company.objects.order_by("name"), label=gettext_lazy("Company"))
    amount = RublesField(label=gettext_lazy("Amount"))
    paid_on = day_field(gettext_lazy("Date of the payment"))
    document = forms.CharField(
        label=gettext_lazy("Number of the document"), max_length=40, required=False,
        help_text=gettext_lazy("Of the payment order or receipt. By it a statement's copy is recognised later."),
    )  # fmt: skip
    purpose = forms.CharField(label=gettext_lazy("Purpose"), max_length=500, required=False)

    def clean_paid_on(self) -> date:
        day: date = self.cleaned_data["paid_on"]
        if day > today():
            raise forms.ValidationError(_("A payment is entered when it has come, not before."))
        return day


class MatchForm(forms.Form):
    """To a company, or to one invoice by its number, which says the company itself."""

    invoice = forms.CharField(label=gettext_lazy("Number of an invoice"), max_length=30, required=False)
    company = forms.ModelChoiceField(
        Company.objects.order_by("name"), label=gettext_lazy("or company"), required=False,
        empty_label=gettext_lazy("choose"),
        help_text=gettext_lazy("The oldest unpaid invoices are paid first; the rest becomes its balance."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or {}
        number, company = asked.get("invoice", "").strip(), asked.get("company")
        invoice = None
        if number:
            invoice = Invoice.objects.select_related("company").filter(full_number__iexact=number).first()
            if invoice is None or (company is not None and invoice.company_id != company.pk):
                raise forms.ValidationError({"invoice": _("There is no such invoice.")})
        elif company is None:
            raise forms.ValidationError(_("Choose a company, or write the number of an invoice."))
        return {"invoice": invoice, "company": invoice.company if invoice else company}


@require_safe
@requires(Verb.SEE_BILLING)
def listing(request: HttpRequest) -> HttpResponse:
    asked = _asked(request.GET)
    rows = selector.payments(asked)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "asked": asked,
        "page": page,
        "rows": [(row, WHY.get(row.why, row.why)) for row in page.object_list],
        "sums": selector.sums(rows),
        "states": PaymentState.choices,
        "companies": Company.objects.order_by("name").values_list("pk", "name"),
        "query": query.urlencode(),
        **_area("list"),
    }
    return render(request, "billing/platform/payments.html", context)


@require_safe
@requires(Verb.SEE_BILLING)
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for a person, the oldest first, each with the invoices it is likely for."""
    rows = Payment.objects.filter(state=PaymentState.UNMATCHED).select_related("statement")
    page = Paginator(rows.order_by("paid_on", "pk"), QUEUE_PAGE).get_page(request.GET.get("page"))
    offered = suggestions(page.object_list)
    context = {
        "page": page,
        "rows": [(row, WHY.get(row.why, row.why), offered[row.pk]) for row in page.object_list],
        "here": request.get_full_path(),
        **_area("queue"),
    }
    return render(request, "billing/platform/payments_queue.html", context)


@require_safe
@requires(Verb.SEE_BILLING)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    return _one(request, _payment(pk), MatchForm())


@require_POST
@requires(Verb.EDIT_BILLING)
def act(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """``match``, ``unmatch`` or ``ignore`` it; each can be undone on its page."""
    row = _payment(pk)
    form = MatchForm(request.POST if what == "match" else None)
    if what == "match" and not form.is_valid():
        return _one(request, row, form, status=422)
    try:
        done = _do(what, row, who_is(request.user), form)
    except BillingError as error:
        messages.error(request, str(error.message))
    else:
        link = reverse("billing_admin:payment", args=[pk])
        messages.success(request, format_html('{} <a href="{}">{}</a>', done, link, _("Look or undo")))
    return redirect(_back(request) or reverse("billing_admin:payment", args=[pk]))


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_BILLING)
def new(request: HttpRequest) -> HttpResponse:
    form = PaymentForm(
        request.POST if request.method == "POST" else None,
        initial={"company": request.GET.get("company"), "paid_on": today()},
    )
    if form.is_bound and form.is_valid():
        try:
            payment = payments.enter(who=who_is(request.user), **form.cleaned_data)
        except BillingError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("The payment is entered."))
            return redirect("billing_admin:payment", payment.pk)
    context = {"form": form, **_area("new")}
    return render(request, "billing/platform/payment_new.html", context, status=422 if form.errors else 200)


@require_safe
@requires(Verb.SEE_BILLING)
def debts(request: HttpRequest) -> HttpResponse:
    """Who owes what since when, the longest first."""
    rows = debtors(today())
    told = selector.last_reminders([row.oldest.pk for row in rows])
    context = {
        "rows": [(row, state_after(row.days_late), told.get(row.oldest.pk)) for row in rows],
        "overdue": sum((row.overdue for row in rows), ZERO),
        "owed": sum((row.owed for row in rows), ZERO),
        **_area("debts"),
    }
    return render(request, "billing/platform/payments_debts.html", context)


def _do(what: str, row: Payment, who: Who, form: MatchForm) -> str:
    match what:
        case "match":
            payments.match(who=who, payment=row, **form.cleaned_data)
            return _("Matched to %(company)s.") % {"company": form.cleaned_data["company"]}
        case "unmatch":
            payments.unmatch(who=who, payment=row)
            return _("It waits in the queue again.")
        case "ignore":
            payments.ignore(who=who, payment=row)
            return _("Set aside: it counts for nobody.")
        case _:
            raise Http404


def _one(request: HttpRequest, row: Payment, form: MatchForm, *, status: int = 200) -> HttpResponse:
    waits = row.state == PaymentState.UNMATCHED
    allocations = list(row.allocations.select_related("invoice").order_by("invoice__due_on", "pk"))
    used = sum((part.amount for part in allocations), Decimal(0))
    context = {
        "payment": row,
        "why": WHY.get(row.why, row.why),
        "allocations": allocations,
        "left": row.amount - used if row.company_id else None,
        "balance": balance(row.company) if row.company else None,
        "offered": suggestions([row])[row.pk] if waits else [],
        "form": form,
        "acts": [(one, said(one)) for one in selector.acts_of(row)],
        **_area("list"),
    }
    return render(request, "billing/platform/payment.html", context, status=status)


def _payment(pk: int) -> Payment:
    return get_object_or_404(Payment.objects.select_related("company", "statement"), pk=pk)


def _asked(given: QueryDict) -> PaymentsAsked:
    state = given.get("state", "")
    return PaymentsAsked(
        state=state if state in PaymentState.values else "",
        company=_number(given, "company"),
        statement=_number(given, "statement"),
        begin=_day(given, "begin"),
        end=_day(given, "end"),
        text=given.get("q", "").strip()[:80],
    )


def _number(given: QueryDict, name: str) -> int:
    text = given.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _day(given: QueryDict, name: str) -> date | None:
    try:
        return date.fromisoformat(given.get(name, ""))
    except ValueError:
        return None


def _back(request: HttpRequest) -> str:
    """The page of ours the act was asked for on."""
    back = request.POST.get("back", "")
    own = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return back if own and back.startswith("/billing/") else ""


def _area(view: str) -> dict[str, Any]:
    """What every page of payments says of its neighbours."""
    return {"view": view, "waiting": selector.waiting()}
