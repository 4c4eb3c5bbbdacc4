"""The PBX's clock seen from here: events carry its time, receipts carry ours, and lag is their difference.

Each Pong tells the PBX's time somewhere between our sending and receiving; the shortest round trip tells it
best.
"""

from __future__ import annotations

from dataclasses import dataclass

KEEP_SECONDS = 300.0
STEP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Reading:
    """``offset``: PBX epoch seconds minus our monotonic seconds; ``trip``: seconds, the reading's
    uncertainty.
    """

    taken: float
    offset: float
    trip: float


class PbxClock:
    """All arguments are monotonic seconds of this process, so a step of our own wall clock changes
    nothing.
    """

    def __init__(self, wall: float, now: float) -> None:
        self._best = Reading(now, wall - now, float("inf"))

    def read(self, *, sent: float, received: float, pbx: float) -> None:
        """Learn from one Pong. A worse reading counts only when the best is old or the PBX's clock was
        set.
        """
        reading = Reading(received, pbx - (sent + received) / 2, received - sent)
        doubt = STEP_SECONDS + (reading.trip + min(self._best.trip, 60.0)) / 2
        stepped = abs(reading.offset - self._best.offset) > doubt
        if reading.trip <= self._best.trip or stepped or received - self._best.taken > KEEP_SECONDS:
            self._best = reading

    def at(self, moment: float) -> float:
        """PBX epoch seconds at our monotonic ``moment``."""
        return moment + self._best.offset

    def lag(self, *, event: float, shown: float) -> float:
        """Seconds between an event's own time and the monotonic moment it reached the board; never
        negative.
        """
        return max(0.0, self.at(shown) - event)
