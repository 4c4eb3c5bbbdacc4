"""Who asks: a person by session, or a token that covers this part of the API and does no more than its person may."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer, SessionAuth

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
