"""Invoices, acts, credit notes and payments of this company alone; a draft is nobody's business until it is issued."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.access import payer
from billing.models import Allocation, CreditNote, Invoice, InvoiceState
from billing.selectors.balance import balance, owed, with_owed
from billing.selectors.explained import Behind, Explained, calls_of, explained_lines, span
from billing.selectors.papers import invoices_of, payments_of
from billing.sending import pdf
from billing.services import paper
from tenants.models import Company
from tenants.people.models import Role, User

PAGE = 50


@never_cache
@require_safe
def invoices(request: HttpRequest) -> HttpResponse:
    company, account = payer(request)
    page = Paginator(with_owed(invoices_of(company)), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "account": account,
        "notes": list(company.credit_notes.select_related("invoice")[:PAGE]),
        "balance": balance(company),
        "section": "invoices",
    }
    return render(request, "billing/company/invoices.html", context)


@never_cache
@require_safe
def invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them, each line with what it follows from."""
    company, _account = payer(request)
    found = _invoice(company, pk)
    context = {
        "invoice": found,
        "zone": found.subscription.time_zone,
        "lines": _explained(request, company, found),
        "owed": owed(found),
        "allocations": list(found.allocations.select_related("payment")),
        "notes": list(found.credit_notes.all()),
        "section": "invoices",
    }
    return render(request, "billing/company/invoice.html", context)


@never_cache
@require_safe
def invoice_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    company, _account = payer(request)
    found = _invoice(company, pk)
    return pdf(paper.invoice_pdf(found), found.full_number)


@never_cache
@require_safe
def act_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    company, _account = payer(request)
    found = _invoice(company, pk)
    if found.state == InvoiceState.VOID:
        raise Http404  # an invoice that was taken back has no services behind it
    return pdf(paper.act_pdf(found), f"act-{found.full_number}")


@never_cache
@require_safe
def credit_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    company, _account = payer(request)
    note = CreditNote.objects.filter(company=company, pk=pk).select_related("invoice").first()
    if note is None:
        raise Http404
    return pdf(paper.credit_pdf(note), note.full_number)


@never_cache
@require_safe
def payments(request: HttpRequest) -> HttpResponse:
    """What came from the company, and which invoices it paid."""
    company, _account = payer(request)
    rows = payments_of(company).prefetch_related(
        Prefetch("allocations", Allocation.objects.select_related("invoice"))
    )
    context = {
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "balance": balance(company),
        "section": "payments",
    }
    return render(request, "billing/company/payments.html", context)


def _explained(
    request: HttpRequest, company: Company, found: Invoice
) -> list[tuple[Explained, list[Behind]]]:
    """Each line with the calls or profiles that were counted. A supervisor, who heads some groups, gets their times."""
    lines, zone = explained_lines(found), found.subscription.time_zone
    calls = calls_of(company.slug, lines)
    named = isinstance(request.user, User) and request.user.role == Role.ADMIN
    told = []
    for line in lines:
        behind = []
        for key in line.keys:
            call = calls.get(key)
            if not line.calls:
                behind.append(Behind(_("monitoring profile No. %(key)s") % {"key": key}, ""))
            elif call is None:
                behind.append(Behind(_("a call that is not kept any more"), ""))
            else:
                who = (call.customer or _("number withheld")) if named else _("a call")
                url = reverse("monitoring:call", args=[call.pk]) if named else ""
                behind.append(Behind(who, span(call.started, call.ended, zone), url))
        told.append((line, behind))
    return told


def _invoice(company: Company, pk: int) -> Invoice:
    found = invoices_of(company).filter(pk=pk).select_related("subscription", "seller", "company").first()
    if found is None:
        raise Http404
    return found
