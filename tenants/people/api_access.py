"""Who asks: a person by session, or a token that covers this part of the API and does no more than its person may."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer, SessionAuth

from tenants.lookup import CompanyRecord
from tenants.people.models import Scope, User
from tenants.people.tokens import authenticate


class Token(HttpBearer):
    """A living token of this company that covers ``scope``."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        user = authenticate(token, self.scope)
        if user is not None:
            request.user = user
        return user


def by(scope: Scope) -> list[Token | SessionAuth]:
    """What a router of this part asks for. Nothing here changes anything by a session: pages do that."""
    return [Token(scope), SessionAuth(csrf=True)]


def person(request: HttpRequest) -> User:
    """Whose question it is; every router lets only people in."""
    assert isinstance(request.user, User)
    return request.user


def zone_of(request: HttpRequest) -> str:
    """The company's time zone: days and hours asked for are local to it."""
    company: CompanyRecord = request.company  # type: ignore[attr-defined] # HostMiddleware puts it there
    return company.time_zone
