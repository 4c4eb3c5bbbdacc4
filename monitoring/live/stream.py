"""What one audience receives: its own numbered frames, serialised once however many browsers watch.

The frames of the last moments are kept for all: a reconnecting or slow browser goes on from where it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from monitoring.domain.audience import Audience, EntityKey, board_for, cut, sees
from monitoring.live import protocol
from monitoring.live.mirror import Dirty, Mirror, now

KEPT_BYTES = 256 * 1024
KEPT_FRAMES = 1000
# A snapshot is used again with the frames since it, until those grow to this many.
FRAMES_AFTER_SNAPSHOT = 20
BYTES_AFTER_SNAPSHOT = 32 * 1024


class Outlet(Protocol):
    """The way to one browser. ``ready`` is False while it has not taken what was written: write nothing then."""

    ready: bool
    on_ready: Callable[[], None]

    def write(self, text: bytes) -> None:
        """Send one text frame. Never blocks, never raises."""
        ...

    def close(self, code: int) -> None: ...


class Seat:
    """One browser in an audience. ``cursor``: number of the last frame written to it."""

    __slots__ = ("blocked_since", "cursor", "outlet", "stream", "wants_snapshot")

    def __init__(self, outlet: Outlet, stream: Stream) -> None:
        self.outlet = outlet
        self.stream = stream
        self.cursor = -1
        self.wants_snapshot = True
        self.blocked_since: float | None = None
        outlet.on_ready = self.catch_up

    def catch_up(self) -> None:
        """Write what this browser misses: the frames since its last one, or the whole board."""
        self.blocked_since = None
        frames = None if self.wants_snapshot else self.stream.since(self.cursor)
        if frames is None:
            frames = self.stream.welcome()
        for number, text in frames:
            if not self.outlet.ready:
                return
            self.outlet.write(text)
            self.cursor = number
            self.wants_snapshot = False


class Stream:
    """The frames of one audience of one company. ``epoch`` names this numbering; another's means nothing here."""

    def __init__(self, audience: Audience, mirror: Mirror, epoch: str) -> None:
        self.audience = audience
        self.epoch = epoch
        self.seq = 1
        self.seats: set[Seat] = set()
        self.idle_since: float | None = None
        self._mirror = mirror
        self._kept: deque[tuple[int, bytes]] = deque()
        self._kept_bytes = 0
        self._snapshot: tuple[int, bytes] | None = None
        self._bytes_after_snapshot = 0
        self._shown = {key for key, entity in mirror.items() if sees(audience, key[0], entity)}

    def push(self, dirty: Dirty) -> None:
        """Tell every browser of this audience what changed for it."""
        ops = self._ops(dirty)
        if not ops:
            return
        self.seq += 1
        text = protocol.changes(self.epoch, self.seq, ops)
        self._keep(text)
        for seat in tuple(self.seats):
            if seat.outlet.ready and seat.cursor == self.seq - 1:
                seat.outlet.write(text)
                seat.cursor = self.seq

    def _ops(self, dirty: Dirty) -> list[tuple[str, str, Any]]:
        ops: list[tuple[str, str, Any]] = []
        audience, lookup, shown = self.audience, self._mirror.get, self._shown
        for key, fields in dirty.items():
            kind, name = key
            entity = lookup(key)
            if entity is None or not sees(audience, kind, entity):
                if key in shown:
                    shown.discard(key)
                    ops.append((kind, name, None))
            elif fields is None or key not in shown:
                shown.add(key)
                ops.append((kind, name, cut(audience, kind, entity, lookup)))
            else:
                part = {field: entity[field] for field in fields if field in entity}
                ops.append((kind, name, cut(audience, kind, part, lookup)))
        return ops

    def _keep(self, text: bytes) -> None:
        self._kept.append((self.seq, text))
        self._kept_bytes += len(text)
        self._bytes_after_snapshot += len(text)
        while self._kept_bytes > KEPT_BYTES or len(self._kept) > KEPT_FRAMES:
            self._kept_bytes -= len(self._kept.popleft()[1])

    def since(self, number: int) -> list[tuple[int, bytes]] | None:
        """The frames after this one; None when they are no longer kept (or never were)."""
        if number == self.seq:
            return []
        if not self._kept or not self._kept[0][0] - 1 <= number < self.seq:
            return None
        return [kept for kept in self._kept if kept[0] > number]

    def welcome(self) -> list[tuple[int, bytes]]:
        """What a browser needs that has nothing: a snapshot, perhaps a kept one and the frames since."""
        later = None
        if self._snapshot is not None and self._bytes_after_snapshot <= BYTES_AFTER_SNAPSHOT:
            later = self.since(self._snapshot[0])
        if self._snapshot is None or later is None or len(later) > FRAMES_AFTER_SNAPSHOT:
            entities: dict[EntityKey, Any] = dict(self._mirror.items())
            board = board_for(self.audience, self._mirror.at, entities)
            self._snapshot = (self.seq, protocol.snapshot_body(self.epoch, self.seq, board))
            self._bytes_after_snapshot = 0
            later = []
        number, body = self._snapshot
        return [(number, protocol.snapshot(body, now())), *later]
