"""The company's live board for those who look at it without a socket, and whether it can be believed."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.bus import get_links, read_board
from monitoring.domain.audience import Entity, EntityKey, joined
from monitoring.selectors.pbxs import pbxs_of
from tenants.scope import current_company

Entities = Mapping[EntityKey, Entity]


def board_now() -> tuple[Entities, str]:
    """The board over all PBXs of the company in scope, and why it cannot be judged by: "" when it can, else
    no_pbx, collector (nobody collects some PBX) or pbx (no connection). Raises BusAway."""
    company = current_company()
    boards = read_board(company)
    expected = {row.key for row in pbxs_of(company)}
    alive = {pbx for pbx, health in get_links().items() if not health.orphaned}
    entities = joined(board.entities for board in boards.values())
    links = [row["state"] for (kind, _key), row in entities.items() if kind == "link"]
    if not expected:
        return entities, "no_pbx"
    if not expected <= boards.keys() or not expected <= alive:
        return entities, "collector"
    return entities, "" if links and all(state == "connected" for state in links) else "pbx"
