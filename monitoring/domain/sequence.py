"""Neighbouring events put back into the order of the PBX's clock before anybody draws conclusions from them.

Asterisk stamps an event before it takes the lock that writes it, so two threads' events can swap places on the wire.
"""

from __future__ import annotations

from .events import Event

DEPTH = 4


class Sequencer:
    """Holds back up to ``DEPTH`` events; ``push`` gives those that can no longer be overtaken, ``settle`` the rest.

    Two equal events next to each other in time (same stamp, same content) become one.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: list[Event] = []

    def push(self, event: Event) -> Event | None:
        held = self._held
        index = len(held)
        at = event.at
        while index and held[index - 1].at > at:
            index -= 1
        before = index
        while before and held[before - 1].at == at:
            before -= 1
            if held[before] == event:
                return None
        held.insert(index, event)
        return held.pop(0) if len(held) > DEPTH else None

    def settle(self) -> list[Event]:
        held, self._held = self._held, []
        return held
