"""What viewers and database must hear of a board since they last looked: each touched entity, only what differs."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import render
from .board import Board
from .facts import Fact
from .wire import BoardWire, Kind, Op


class Changes(NamedTuple):
    """What one company's viewers and its database must hear. ``entities``: the whole entity behind each op."""

    company: str
    at: float
    ops: list[Op]
    entities: dict[tuple[Kind, str], dict[str, Any] | None]
    facts: list[Fact]


def drain(board: Board) -> Changes | None:
    """Everything since the last drain, or None when nothing a viewer or the database would notice happened."""
    board.count_positions()
    ops: list[Op] = []
    entities: dict[tuple[Kind, str], dict[str, Any] | None] = {}
    touched, board.touched = board.touched, {}
    for name in touched:
        kind, key = name
        new = render.entity(board, kind, key)
        old = board.sent.get(name)
        if new is None:
            if old is not None:
                del board.sent[name]
                ops.append((kind, key, None))
                entities[name] = None
            continue
        fields = new if old is None else _differing(new, old)
        if fields:
            board.sent[name] = new
            ops.append((kind, key, fields))
            entities[name] = new
    facts, board.facts = board.facts, []
    if not ops and not facts:
        return None
    return Changes(board.company, board.at, ops, entities, facts)


def snapshot(board: Board) -> BoardWire:
    """The whole board as it travels."""
    board.count_positions()
    return render.board(board)


def _differing(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    # One kind's entities have the same fields in the same order, so the old values come along without a look-up.
    return {
        name: value
        for (name, value), before in zip(new.items(), old.values(), strict=True)
        if value != before
    }
