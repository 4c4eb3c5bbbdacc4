"""Neighbouring events put back into the order of the PBX's clock before anybody draws conclusions from them.

Asterisk stamps an event before it takes the lock that writes it, so two threads' events can swap places on the wire.
"""

from __future__ import annotations

from collections import deque

from .events import Event

DEPTH = 4
REMEMBERED = 4096


class Sequencer:
    """Holds back up to ``DEPTH`` events; ``push`` gives those that can no longer be overtaken, ``settle`` the rest.

    An event that comes twice (same stamp, same content) is passed on once, however late its double is, as long as
    it is among the last ``REMEMBERED``.
    """

    __slots__ = ("_held", "_newest", "_passed")

    def __init__(self) -> None:
        self._held: deque[Event] = deque()
        self._passed: dict[float, Event] = {}
        self._newest = 0.0

    def push(self, event: Event) -> Event | None:
        held = self._held
        at = event.at
        # Nearly every event is newer than all before it: then it cannot be a double and its place is the end.
        if at > self._newest:
            held.append(event)
            self._newest = at
        elif self._is_double(event):
            return None
        else:
            index = len(held)
            while index and held[index - 1].at > at:
                index -= 1
            held.insert(index, event)
        if len(held) <= DEPTH:
            return None
        ready = held.popleft()
        self._passed[ready.at] = ready
        if len(self._passed) > 2 * REMEMBERED:
            self._passed = dict(list(self._passed.items())[REMEMBERED:])
        return ready

    def _is_double(self, event: Event) -> bool:
        return self._passed.get(event.at) == event or event in self._held

    def settle(self) -> list[Event]:
        held, self._held = self._held, deque()
        for event in held:
            self._passed[event.at] = event
        return list(held)
