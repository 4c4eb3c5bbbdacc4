"""What can go wrong on the bus, in words a caller can act on.

BusError
├── BusAway     Redis cannot be reached or does not answer in time
├── BusFull     a PBX has too many commands waiting; nothing was queued
├── BoardLost   Redis no longer holds the board of this epoch (flushed, restarted): reset it
└── Fenced      another worker owns this PBX now: stop at once
"""

from __future__ import annotations


class BusError(Exception):
    """Anything the bus refuses or cannot do."""


class BusAway(BusError):
    """Redis cannot be reached or does not answer in time; whether the write happened is unknown."""


class BusFull(BusError):
    """Too many commands wait for this PBX; nothing was queued."""


class BoardLost(BusError):
    """Redis does not hold the board of this epoch; publish nothing before a reset."""

    def __init__(self, company: str, pbx: str) -> None:
        super().__init__(f"the board of {company} on PBX {pbx} is not in Redis")
        self.company = company
        self.pbx = pbx


class Fenced(BusError):
    """The lease of this PBX was taken over; whatever its former owner writes is refused."""

    def __init__(self, pbx: str) -> None:
        super().__init__(f"another worker owns PBX {pbx}")
        self.pbx = pbx
