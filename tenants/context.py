"""What every template may ask: whose pages these are, and what the person may do."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from tenants.lookup import CompanyRecord
from tenants.people.models import User
from tenants.people.roles import Verb, can


class May:
    """``may.SEE_BOARD`` in a template is the roles table's answer; menus show what it allows and nothing else."""

    def __init__(self, user: User | AnonymousUser) -> None:
        self._user = user

    def __getitem__(self, verb: str) -> bool:
        return can(self._user, Verb[verb])


def company(request: HttpRequest) -> dict[str, CompanyRecord | May | None]:
    """``company``: the record of the request's company, None on the platform's own host. ``may``: see May."""
    return {
        "company": getattr(request, "company", None),
        "may": May(getattr(request, "user", AnonymousUser())),
    }
