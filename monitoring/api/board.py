"""/board: the live state, the same snapshot the live panel starts from."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse
from ninja import Router

from monitoring.api.answers import json
from monitoring.api.schema import SNAPSHOT
from monitoring.bus import get_links, read_board
from monitoring.domain.audience import board_for, heard, joined, never_heard
from monitoring.selectors.audience import board_rights
from monitoring.selectors.pbxs import pbxs_of
from tenants.asker import person
from tenants.people.api_access import by
from tenants.people.models import Scope
from tenants.people.roles import Verb, demand
from tenants.scope import current_company

router = Router(auth=by(Scope.BOARD), tags=["live"])


@router.get(
    "",
    summary="The live board",
    description="The snapshot the live panel starts from, cut to what the person may see. Times are epoch seconds.",
    openapi_extra={
        "responses": {200: {"description": "OK", "content": {"application/json": {"schema": SNAPSHOT}}}}
    },
)
def board(request: HttpRequest) -> HttpResponse:
    demand(request, Verb.SEE_BOARD)
    company = current_company()
    boards = read_board(company)
    expected = {row.key for row in pbxs_of(company)}
    alive = {pbx for pbx, health in get_links().items() if not health.orphaned}
    silent = (expected | boards.keys()) - alive
    entities = {("link", pbx): never_heard(pbx) for pbx in expected}
    entities |= joined(found.entities for found in boards.values())
    entities = {key: heard(key, entity, silent) for key, entity in entities.items()}
    at = max((found.at for found in boards.values()), default=0.0)
    return json(
        {
            "t": "snapshot",
            "now": round(time.time(), 3),
            "epoch": ",".join(f"{pbx}:{found.epoch}" for pbx, found in boards.items()),
            "seq": sum(found.seq for found in boards.values()),
            "board": board_for(board_rights(person(request)), at, entities),
        }
    )
