"""One invoice: what it consists of and why, its money, its papers; issuing it, taking it back, giving money back."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from billing.domain.money import ZERO
from billing.domain.periods import DAY
from billing.models import OPEN_STATES, Account, CreditNote, Invoice, InvoiceState
from billing.selectors import explained, rates
from billing.selectors.balance import ISSUED, owed
from billing.selectors.invoices import history
from billing.services import paper
from billing.services.acts import who_is
from billing.services.errors import BillingError
from billing.services.invoices import credit, finalise, void
from billing.services.sides import copy_of, missing_of
from billing.views.platform.act_words import said
from billing.views.platform.clock import today
from billing.views.platform.fields import RublesField
from tenants.people.roles import Verb, requires


class VoidForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Why it is taken back"), max_length=300)


class CreditForm(forms.Form):
    """``mark``: made with the page, so that a form sent twice gives back once."""

    amount = RublesField(label=gettext_lazy("How much, with VAT"), min_value=0)
    reason = forms.CharField(
        label=gettext_lazy("Why money is given back"), max_length=300,
        help_text=gettext_lazy("It is printed on the credit note."),
    )  # fmt: skip
    mark = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput)


@require_safe
@requires(Verb.SEE_BILLING)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _found(pk))


@require_POST
@requires(Verb.EDIT_BILLING)
def issue(request: HttpRequest, pk: int) -> HttpResponse:
    invoice = _found(pk)
    try:
        done = finalise(who=who_is(request.user), invoice=invoice)
    except BillingError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("Issued as No. %(number)s.") % {"number": done.full_number})
    return redirect("billing_admin:invoice", pk)


@require_POST
@requires(Verb.EDIT_BILLING)
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    invoice = _found(pk)
    form = VoidForm(request.POST)
    if form.is_valid():
        try:
            void(who=who_is(request.user), invoice=invoice, reason=form.cleaned_data["reason"])
        except BillingError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("Taken back. The month can be drafted anew by a run."))
            return redirect("billing_admin:invoice", pk)
    return _page(request, invoice, void_form=form, status=422)


@require_POST
@requires(Verb.EDIT_BILLING)
def give_back(request: HttpRequest, pk: int) -> HttpResponse:
    invoice = _found(pk)
    form = CreditForm(request.POST)
    if form.is_valid():
        try:
            note = credit(
                who=who_is(request.user), invoice=invoice, amount=form.cleaned_data["amount"],
                reason=form.cleaned_data["reason"], fingerprint=form.cleaned_data["mark"],
            )  # fmt: skip
        except BillingError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("Credit note No. %(number)s is made.") % {"number": note.full_number})
            return redirect("billing_admin:invoice", pk)
    return _page(request, invoice, credit_form=form, status=422)


@require_safe
@requires(Verb.SEE_BILLING)
def invoice_paper(request: HttpRequest, pk: int) -> HttpResponse:
    invoice = _found(pk)
    return _pdf(paper.invoice_pdf(invoice), "invoice", invoice.full_number or f"draft-{invoice.pk}")


@require_safe
@requires(Verb.SEE_BILLING)
def act_paper(request: HttpRequest, pk: int) -> HttpResponse:
    invoice = _found(pk)
    return _pdf(paper.act_pdf(invoice), "act", invoice.full_number or f"draft-{invoice.pk}")


@require_safe
@requires(Verb.SEE_BILLING)
def credit_paper(request: HttpRequest, pk: int) -> HttpResponse:
    note = get_object_or_404(CreditNote.objects.select_related("invoice"), pk=pk)
    return _pdf(paper.credit_pdf(note), "credit", note.full_number)


def _page(
    request: HttpRequest,
    invoice: Invoice,
    *,
    void_form: VoidForm | None = None,
    credit_form: CreditForm | None = None,
    status: int = 200,
) -> HttpResponse:
    zone = invoice.subscription.time_zone
    lines = explained.explained_lines(invoice)
    calls = explained.calls_of(str(invoice.company.schema_name), lines)
    issued = invoice.state in ISSUED
    notes = [(note, len(shares) > 1) for note, shares in rates.of_notes(invoice)] if issued else []
    allocations = list(invoice.allocations.select_related("payment"))
    left = sum((share.amount for share in rates.standing(invoice)), ZERO) if issued else ZERO
    context = {
        "invoice": invoice,
        "zone": zone,
        "last_day": invoice.period_end - DAY,
        "lines": [(line, explained.behind(line, calls, zone=zone)) for line in lines],
        "shares": rates.issued(invoice),
        "seller": invoice.seller_copy or copy_of(invoice.seller),
        "buyer": invoice.buyer_copy or copy_of(_account(invoice)),
        "allocations": allocations,
        "notes": notes,
        "owed": owed(invoice),
        "left": left,
        "history": [(act, said(act)) for act in history(invoice)],
        "draft": invoice.state in OPEN_STATES,
        "issued": issued,
        "early": invoice.state == InvoiceState.DRAFT and today() < invoice.period_end,
        "missing": _missing(invoice),
        "overdue": issued and invoice.due_on is not None and owed(invoice) > 0 and invoice.due_on < today(),
        "may_void": issued and not allocations and not notes,
        "void_form": void_form or VoidForm(),
        "credit_form": credit_form or CreditForm(initial={"mark": uuid.uuid4().hex}),
    }
    return render(request, "billing/platform/invoice.html", context, status=status)


def _missing(invoice: Invoice) -> list[tuple[str, str, str]]:
    """Whose details, which, and the page about them, when a draft could not be issued for want of them."""
    if invoice.state not in OPEN_STATES:
        return []
    company, settings = (
        reverse("billing_admin:company", args=[invoice.company_id]),
        reverse("billing_admin:settings"),
    )
    sides = (
        (_("payer"), missing_of(_account(invoice)), company),
        (_("seller"), missing_of(invoice.seller), settings),
    )
    return [(side, ", ".join(names), where) for side, names, where in sides if names]


def _account(invoice: Invoice) -> Account:
    return Account.objects.filter(company=invoice.company_id).first() or Account()


def _found(pk: int) -> Invoice:
    return get_object_or_404(Invoice.objects.select_related("company", "seller", "subscription"), pk=pk)


def _pdf(content: bytes, kind: str, number: str) -> HttpResponse:
    name = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in number).strip("-")
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{kind}-{name}.pdf"'
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
