"""Who may see what on the live board: an audience is the set of groups a person heads, or the whole company.

Pure, so that the socket, the API and the tests cut the same board with the same knife.

- A call, queue, manager, group or line is seen by an audience that shares a group with it; statuses and links
  are seen by all.
- A call that touches my groups is shown whole: its route is my business, also where it passed foreign hands.
- A manager's or queue's row shows what of it is mine: foreign groups, managers and queues are cut out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

Audience = frozenset[int] | None
"""Group ids; None sees the whole company."""

EntityKey = tuple[str, str]
Entity = dict[str, Any]
Lookup = Callable[[EntityKey], Entity | None]

KINDS = ("call", "queue", "manager", "group", "status", "line", "link")
_FOR_ALL = frozenset({"status", "link"})
# The lists in a row that name rows of another kind, which the audience may not see.
_NAMES = {"queue": ("managers", "manager"), "manager": ("queues", "queue")}


def sees(audience: Audience, kind: str, entity: Mapping[str, Any]) -> bool:
    """Whether the audience may know that this entity exists."""
    if audience is None or kind in _FOR_ALL:
        return True
    return not audience.isdisjoint(entity.get("groups", ()))


def cut(audience: Audience, kind: str, fields: Mapping[str, Any], lookup: Lookup) -> Mapping[str, Any]:
    """The fields of a seen entity, without the names of what the audience does not see."""
    if audience is None or kind in _FOR_ALL:
        return fields
    shown = dict(fields)
    if "groups" in shown:
        shown["groups"] = [group for group in shown["groups"] if group in audience]
    if kind in _NAMES:
        name, other = _NAMES[kind]
        if name in shown:
            shown[name] = [key for key in shown[name] if _seen(audience, other, lookup((other, key)))]
    return shown


def _seen(audience: Audience, kind: str, entity: Entity | None) -> bool:
    return entity is not None and sees(audience, kind, entity)


def entangled(
    changed: Mapping[EntityKey, set[str] | None], entities: Iterable[tuple[EntityKey, Entity]]
) -> set[EntityKey]:
    """Rows whose cut lists may differ now, because a manager or queue they name changed groups, came or went.

    ``changed``: for each changed entity its changed fields, None for all of them.
    """
    moved: dict[str, set[str]] = {}
    for (kind, key), fields in changed.items():
        if kind in ("manager", "queue") and (fields is None or "groups" in fields):
            moved.setdefault(kind, set()).add(key)
    if not moved:
        return set()
    return {
        (kind, key)
        for (kind, key), entity in entities
        if kind in _NAMES
        and not moved.get(_NAMES[kind][1], set()).isdisjoint(entity.get(_NAMES[kind][0], ()))
    }


def named_list(kind: str) -> str:
    """The field of an ``entangled`` row that has to be told anew."""
    return _NAMES[kind][0]


def board_for(audience: Audience, at: float, entities: Mapping[EntityKey, Entity]) -> dict[str, Any]:
    """The board as this audience sees it, in the shape of BoardWire."""
    board: dict[str, Any] = {"at": at, **{kind: {} for kind in KINDS}}
    for (kind, key), entity in entities.items():
        if kind in board and sees(audience, kind, entity):
            board[kind][key] = cut(audience, kind, entity, entities.get)
    return board


def joined(boards: Iterable[Mapping[EntityKey, Entity]]) -> dict[EntityKey, Entity]:
    """Several PBXs' boards as one. Rows told by more than one (groups, statuses) are taken from the first."""
    whole: dict[EntityKey, Entity] = {}
    for board in boards:
        for key, entity in board.items():
            whole.setdefault(key, entity)
    return whole


def heard(key: EntityKey, entity: Entity, silent: Container[str]) -> Entity:
    """The row as it is shown: a link whose collector fell silent is orphaned, whatever it said last."""
    return {**entity, "state": "orphaned"} if key[0] == "link" and key[1] in silent else entity


def never_heard(pbx: str) -> Entity:
    """The link of a PBX that nobody has ever watched, in the shape of LinkWire."""
    return {
        "pbx": pbx, "state": "orphaned", "simulated": False, "since": 0.0, "lag": 0.0, "error": "",
        "next_try": None, "blind": [],
    }  # fmt: skip
