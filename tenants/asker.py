"""Who asks, of which company, and in whose local time: what every page and every part of the API needs first."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from tenants.lookup import CompanyRecord
from tenants.people.models import User
from tenants.scope import NoCompany


def person(request: HttpRequest) -> User:
    """Whose question it is. Raises Http404 for nobody: without a sign-in one does not come so far."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def company_of(request: HttpRequest) -> CompanyRecord:
    """The company of the request's host. Raises NoCompany on the platform's own."""
    company: CompanyRecord | None = getattr(request, "company", None)  # HostMiddleware puts it there
    if company is None:
        raise NoCompany("This host is the platform's own.")
    return company


def zone_of(request: HttpRequest) -> str:
    """The company's time zone: days and hours asked for are local to it."""
    return company_of(request).time_zone
