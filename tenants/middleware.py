"""What happens to every request before its view: the host says the company, the person says the language.

The company's scope is opened here and closed when the answer is ready; nothing outside it runs a company's query.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from auditlog.middleware import AuditlogMiddleware
from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from tenants import lookup
from tenants.scope import company_scope, public_scope

Answer = Callable[[HttpRequest], HttpResponseBase]


class VisitorAddressMiddleware:
    """Whose address counts: limits on guessing, refusals and the log of edits all ask REMOTE_ADDR.

    Behind settings.TRUSTED_PROXIES proxies it is what the outermost of them saw. Without any, X-Forwarded-For is
    only something the visitor says. The header stays, so that one can still tell that a proxy was there.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        proxies: int = settings.TRUSTED_PROXIES
        if proxies > 0:
            seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
            with suppress(ValueError, IndexError):  # not by way of the proxies: the connection's own stands
                request.META["REMOTE_ADDR"] = str(ipaddress.ip_address(seen[-proxies].strip()))
        return self.get_response(request)


class EditsMiddleware(AuditlogMiddleware):  # type: ignore[misc] # auditlog ships no types
    """auditlog would believe any X-Forwarded-For: who edited from where could be forged, and rubbish was a 500."""

    @staticmethod
    def _get_remote_addr(request: HttpRequest) -> str | None:
        return request.META.get("REMOTE_ADDR") or None


class HostMiddleware:
    """Opens the scope the host stands for. A host of nobody gets 404 and no more.

    What is answered is somebody's: no proxy and no browser keeps it, so that "back" after signing out shows nothing.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "%00" in request.META.get("QUERY_STRING", ""):
            # PostgreSQL has no such character in a text: a search for it would be an error inside.
            return HttpResponseBadRequest(content_type="text/plain")
        response = self._answer(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        host = request.get_host().rpartition("@")[2].split(":")[0].lower()
        if host in settings.PUBLIC_HOSTS:
            return self._public(request)
        company = lookup.company_at(host)
        if company is None:
            with translation.override(settings.LANGUAGE_CODE):
                return HttpResponseNotFound(
                    _("There is no company at this address."), content_type="text/plain"
                )
        _mark(request, company)
        request.urlconf = settings.COMPANY_URLCONF
        with company_scope(company.slug), timezone.override(company.time_zone):
            return self.get_response(request)

    def _public(self, request: HttpRequest) -> HttpResponseBase:
        _mark(request, None)
        request.urlconf = settings.PUBLIC_URLCONF
        with public_scope():
            return self.get_response(request)


def _mark(request: HttpRequest, company: lookup.CompanyRecord | None) -> None:
    """Tell views and templates whose request it is; ``tenant`` is the word libraries look for, never None."""
    vars(request).update(company=company, tenant=company or lookup.PLATFORM)


class LanguageMiddleware:
    """Speaks the language the visitor chose, else the person's, else the company's.

    What the browser prefers is not asked: people of one company speak of the same words on their screens.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = self.chosen(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response

    def chosen(self, request: HttpRequest) -> str:
        known = dict(settings.LANGUAGES)
        company = getattr(request, "company", None)
        wishes = (
            request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME),
            getattr(request.user, "language", ""),
            company.language if company else "",
        )
        return next((wish for wish in wishes if wish in known), settings.LANGUAGE_CODE)


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Every page asks for a sign-in unless its view says otherwise; a new page is closed by default."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: Any,
        view_kwargs: Any,
    ) -> HttpResponseBase | None:
        if request.path_info.startswith(settings.ANONYMOUS_PREFIXES):
            return None
        refused = super().process_view(request, view_func, view_args, view_kwargs)
        if refused is None or not request.headers.get("HX-Request"):
            return refused
        # A part of a page asked by htmx must not have the sign-in page put into it: the whole page goes there.
        shown = urlsplit(request.headers.get("HX-Current-URL", "")).path
        door = redirect_to_login(shown if shown.startswith("/") else "/", self.get_login_url(view_func))
        return HttpResponse(status=401, headers={"HX-Redirect": door["Location"]})
