"""What unpaid invoices make felt in the portal: read-only, then suspended. Never a live call, never a recording.

It stands in the way of pages and the API alone; collectors, PBXs, sockets and workers never ask it. What stays open,
and why, is listed in settings: BILLING_ALWAYS_OPEN and BILLING_OPEN_READ_ONLY.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from billing.models import Invoice
from billing.selectors.sight import sees_money
from billing.selectors.standing import Standing, State, standing
from tenants.asker import company_of
from tenants.people import tokens

SAFE = ("GET", "HEAD", "OPTIONS")
LOCKED = 423  # RFC 4918: the thing is there, and may not be touched now
API = "/api/"


class StandingMiddleware:
    """Refuses what the company's standing closes. After the sign-in: strangers learn nothing of anybody's debts."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        company = getattr(request, "company", None)
        if company is None:
            return None  # the platform's own host
        found = standing(company.slug)
        if not _is_closed(request, found.state):
            return None
        if request.path_info.startswith(API):
            return _api_answer(found.state) if _is_known(request) else None
        return _page_answer(request, found)


def _is_closed(request: HttpRequest, state: State) -> bool:
    if state == State.ACTIVE or _is_among(request, settings.BILLING_ALWAYS_OPEN):
        return False
    if state == State.SUSPENDED:
        return True
    return request.method not in SAFE and not _is_among(request, settings.BILLING_OPEN_READ_ONLY)


def _is_among(request: HttpRequest, open_to_all: Iterable[str]) -> bool:
    name = request.resolver_match.view_name if request.resolver_match else ""
    return any(
        request.path_info.startswith(entry)
        if entry.startswith("/")
        else name.startswith(entry[:-1])
        if entry.endswith("*")
        else name == entry
        for entry in open_to_all
    )


def _is_known(request: HttpRequest) -> bool:
    """Who is nobody here is asked by the API itself who he is."""
    kind, _space, text = request.headers.get("Authorization", "").partition(" ")
    return request.user.is_authenticated or (kind.lower() == "bearer" and tokens.is_living(text.strip()))


def _said(state: State) -> str:
    if state == State.SUSPENDED:
        return _("The portal is suspended until the company's invoice is paid. Calls and recordings go on.")
    return _("The portal is read-only until the company's invoice is paid: nothing was changed.")


def _api_answer(state: State) -> HttpResponse:
    return JsonResponse({"detail": _said(state), "standing": str(state)}, status=LOCKED)


def _page_answer(request: HttpRequest, found: Standing) -> HttpResponse:
    if request.headers.get("HX-Request"):
        answer = HttpResponse(status=LOCKED)
        if request.method not in SAFE:  # a part that refreshes itself must not complain every few seconds
            answer["HX-Trigger"] = json.dumps({"toast": {"text": _said(found.state), "tone": "alarm"}})
        return answer
    if not request.accepts("text/html"):
        return _api_answer(found.state)
    tells = sees_money(request.user, company_of(request).slug)
    invoice = Invoice.objects.filter(pk=found.invoice or 0).first() if tells else None
    context = {
        "closed": found,
        "sees_money": tells,
        "seller": invoice.seller_copy if invoice else {},
        "unsaved": request.method not in SAFE,
    }
    return render(request, "billing/standing/closed.html", context, status=LOCKED)
