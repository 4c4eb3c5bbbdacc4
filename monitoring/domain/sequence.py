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

    __slots__ = ("_held", "_last", "_passed")

    def __init__(self) -> None:
        self._held: deque[Event] = deque()
        self._passed: dict[float, Event] = {}
        self._last = 0.0

    def push(self, event: Event) -> Event | None:
        held = self._held
        at = event.at
        if held and at > held[-1].at:
            held.append(event)
        elif self._is_double(event):
            return None
        else:
            index = len(held)
            while index and held[index - 1].at > at:
                index -= 1
            held.insert(index, event)
        return self._pass(held.popleft()) if len(held) > DEPTH else None

    def _is_double(self, event: Event) -> bool:
        if event.at <= self._last and self._passed.get(event.at) == event:
            return True
        return event in self._held

    def _pass(self, event: Event) -> Event:
        self._passed[event.at] = event
        if len(self._passed) > 2 * REMEMBERED:
            self._passed = dict(list(self._passed.items())[REMEMBERED:])
        if event.at > self._last:
            self._last = event.at
        return event

    def settle(self) -> list[Event]:
        held, self._held = self._held, deque()
        return [self._pass(event) for event in held]
