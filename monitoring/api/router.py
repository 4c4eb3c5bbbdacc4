"""/api/v1: what other programs may read, by a person's session or by a token; OpenAPI describes it.

Errors are JSON with one field, ``detail``: 401 who are you, 403 you may not, 503 not now.
"""

from __future__ import annotations

import time

import orjson
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.security import HttpBearer, SessionAuth

from monitoring.api.schema import SNAPSHOT
from monitoring.bus import BusAway, get_links, read_board
from monitoring.domain.audience import board_for, heard, joined, never_heard
from monitoring.selectors.audience import board_rights
from monitoring.selectors.pbxs import pbxs_of
from tenants.people.models import Scope, User
from tenants.people.roles import Verb, demand
from tenants.people.tokens import authenticate
from tenants.scope import current_company


class BoardToken(HttpBearer):
    """A living token of this company that covers the board."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        user = authenticate(token, Scope.BOARD)
        if user is not None:
            request.user = user
        return user


api = NinjaAPI(
    title="ccenter",
    version="1",
    urls_namespace="api",
    description="Live state of a company's calls, queues and people. Times are epoch seconds, UTC.",
    auth=[BoardToken(), SessionAuth(csrf=False)],
)


@api.exception_handler(PermissionDenied)
def refused(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return _json({"detail": str(error) or _("You may not do this.")}, status=403)


@api.exception_handler(BusAway)
def away(request: HttpRequest, error: BusAway) -> HttpResponse:
    answer = _json(
        {"detail": _("The live state cannot be read at the moment. Try again in a few seconds.")}, status=503
    )
    answer["Retry-After"] = "5"
    return answer


@api.get(
    "/board",
    summary="The live board",
    description="The same snapshot the live panel starts from, cut to what the person may see.",
    openapi_extra={
        "responses": {200: {"description": "OK", "content": {"application/json": {"schema": SNAPSHOT}}}}
    },
)
def board(request: HttpRequest) -> HttpResponse:
    demand(request, Verb.SEE_BOARD)
    assert isinstance(request.user, User)  # demand refuses everybody else
    company = current_company()
    boards = read_board(company)
    expected = {row.key for row in pbxs_of(company)}
    alive = {pbx for pbx, health in get_links().items() if not health.orphaned}
    silent = (expected | boards.keys()) - alive
    entities = {("link", pbx): never_heard(pbx) for pbx in expected}
    entities |= joined(found.entities for found in boards.values())
    entities = {key: heard(key, entity, silent) for key, entity in entities.items()}
    at = max((found.at for found in boards.values()), default=0.0)
    return _json(
        {
            "t": "snapshot",
            "now": round(time.time(), 3),
            "epoch": ",".join(f"{pbx}:{found.epoch}" for pbx, found in boards.items()),
            "seq": sum(found.seq for found in boards.values()),
            "board": board_for(board_rights(request.user), at, entities),
        }
    )


def _json(content: object, *, status: int = 200) -> HttpResponse:
    answer = HttpResponse(orjson.dumps(content), content_type="application/json", status=status)
    answer["Cache-Control"] = "no-store"
    return answer
