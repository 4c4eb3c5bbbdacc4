"""What happens to every request before its view: the host says the company, the person says the language.

The company's scope is opened here and closed when the answer is ready; nothing outside it runs a company's query.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from tenants import lookup
from tenants.scope import company_scope, public_scope

Answer = Callable[[HttpRequest], HttpResponseBase]


class HostMiddleware:
    """Opens the scope the host stands for. A host of nobody gets 404 and no more."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
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
        if request.path.startswith(settings.ANONYMOUS_PREFIXES):
            return None
        refused = super().process_view(request, view_func, view_args, view_kwargs)
        if refused is None or not request.headers.get("HX-Request"):
            return refused
        # A part of a page asked by htmx must not have the sign-in page put into it: the whole page goes there.
        shown = urlsplit(request.headers.get("HX-Current-URL", "")).path
        door = redirect_to_login(shown if shown.startswith("/") else "/", self.get_login_url(view_func))
        return HttpResponse(status=401, headers={"HX-Redirect": door["Location"]})
