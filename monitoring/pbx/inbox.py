"""The bounded queue between the socket and the one consumer of a PBX: the socket's callback only appends
here.

It is also the buffer of "buffer, snapshot, replay": while a snapshot is being read, what arrives waits in
order.
"""

from __future__ import annotations

import asyncio
from collections import deque

CAPACITY = 50_000
"""AMI blocks; about 20 MB and half a minute of a busy PBX. Beyond it a fresh snapshot is cheaper than the
backlog.
"""
CAPACITY_BYTES = 64 * 1024 * 1024
"""A block may have 64 KB: counted by number alone, a hostile PBX's would fill the memory of all its neighbours."""


class Inbox:
    """Reads in order, each with its receipt time (the loop's monotonic seconds). Never blocks, never
    raises.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._reads: deque[tuple[float, list[bytes]]] = deque()
        self._wake = asyncio.Event()
        self.size = 0
        self.bytes = 0
        self.overflowed = False

    def put(self, blocks: list[bytes], received: float) -> None:
        """Append one read's blocks; when full, drop everything held: a hole in the middle would be worse."""
        if self.overflowed:
            return
        weight = sum(map(len, blocks))
        if self.size + len(blocks) > self.capacity or self.bytes + weight > CAPACITY_BYTES:
            self._empty()
            self.overflowed = True
        else:
            self._reads.append((received, blocks))
            self.size += len(blocks)
            self.bytes += weight
        self._wake.set()

    def take(self) -> tuple[float, list[bytes]] | None:
        if not self._reads:
            self._wake.clear()
            return None
        read = self._reads.popleft()
        self.size -= len(read[1])
        self.bytes -= sum(map(len, read[1]))
        return read

    def restart(self) -> None:
        """Empty again, before the snapshot that repairs an overflow."""
        self._empty()
        self.overflowed = False

    def _empty(self) -> None:
        self._reads.clear()
        self.size = self.bytes = 0

    def nudge(self) -> None:
        """Wake the consumer without an event: something else changed (connection lost, command)."""
        self._wake.set()

    async def wait(self, timeout: float) -> None:  # noqa: ASYNC109 - a deadline is the point of this call
        """Until something was put or nudged, or ``timeout`` seconds passed."""
        try:
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            return
