"""Who asks, and in whose local time: what every page of the past needs first."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from tenants.lookup import CompanyRecord
from tenants.people.models import User


def person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404  # nobody comes here without having signed in
    return request.user


def zone_of(request: HttpRequest) -> str:
    company: CompanyRecord = request.company  # type: ignore[attr-defined] # HostMiddleware puts it there
    return company.time_zone
