"""``python -m tests.domain.expected``: write anew what each recorded stream should show; read the diff first.

One file a stream, ``tests/ami/<name>.expected.json``: the finished calls and visits, the states each call went through
on the live board, and the managers' and queues' counts at the end.
"""

from __future__ import annotations

import json
from typing import Any

from monitoring.domain.directory import Directory
from monitoring.domain.switchboard import Switchboard
from monitoring.pbx.replay import replay

from .streams import STREAMS, companies, events, names, raw


def shown(name: str) -> dict[str, Any]:
    told = replay(raw(name))
    return {
        company: {
            "calls": part["calls"],
            "queue_visits": part["queue_visits"],
            "live": states(name)[company],
            "queues": {key: queue["today"] for key, queue in part["board"]["queue"].items()},
            "managers": {
                key: manager["today"]
                for key, manager in part["board"]["manager"].items()
                if any(manager["today"].values())
            },
            "left_on_board": sorted(part["board"]["call"]),
        }
        for company, part in told["companies"].items()
    }


def states(name: str) -> dict[str, dict[str, list[str]]]:
    """Every state each call showed a viewer, in order: what the live panel's card went through."""
    board = Switchboard("replay", {company: Directory(company) for company in companies(name)})
    seen: dict[str, dict[str, list[str]]] = {company: {} for company in companies(name)}
    for event in events(name):
        board.feed(event)
        for changes in board.drain():
            for (kind, key), entity in changes.entities.items():
                if kind == "call":
                    passed = seen[changes.company].setdefault(key, [])
                    state = entity["state"] if entity else "gone"
                    if passed[-1:] != [state]:
                        passed.append(state)
    board.finish()
    for changes in board.drain():
        for (kind, key), entity in changes.entities.items():
            if kind == "call" and entity is None:
                seen[changes.company].setdefault(key, []).append("gone")
    return seen


def path(name: str) -> Any:
    return STREAMS / f"{name.removesuffix('.ami')}.expected.json"


def main() -> None:
    for name in names():
        path(name).write_text(json.dumps(shown(name), ensure_ascii=False, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
