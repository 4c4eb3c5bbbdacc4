"""The disk under ``spool.FactSink``: numbered segments of JSON lines, written at the tail, drained from the
head.

A process never writes after another's torn line: each start opens a segment of its own. A segment is deleted
only when all of it is stored; after a crash it is read again from its start, which upserts make harmless.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

SEGMENT_BYTES = 4 * 1024 * 1024
_SUFFIX = ".jsonl"


class SpoolFull(Exception):
    """The spool has reached its cap; what was to be written is not in it."""


class SpoolFiles:
    """One PBX's spool directory, owned by one thread. ``cap``: bytes on disk that are never exceeded."""

    def __init__(self, folder: Path, *, cap: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder
        self.cap = cap
        self.segment_bytes = segment_bytes
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        segments = self._segments()
        self.bytes = sum(path.stat().st_size for path in segments)
        self._next = int(segments[-1].stem) + 1 if segments else 1
        self._tail: BinaryIO | None = None
        self._head: tuple[Path, list[bytes]] | None = None

    def append(self, lines: list[bytes]) -> None:
        """Write ``lines`` and fsync once: what this returned for survives kill -9 and a power cut.

        SpoolFull, before a byte is written, when they do not fit.
        """
        data = b"".join(lines)
        if self.bytes + len(data) > self.cap:
            raise SpoolFull(f"{self.folder}: {self.bytes} of {self.cap} bytes used")
        tail = self._open_tail()
        tail.write(data)
        tail.flush()
        os.fsync(tail.fileno())
        self.bytes += len(data)
        if tail.tell() >= self.segment_bytes:
            self._close_tail()

    def head(self) -> list[bytes]:
        """Lines of the oldest segment not yet taken; empty when everything is stored."""
        if self._head is None:
            segments = self._segments()
            if not segments:
                return []
            if self._tail is not None and segments[0].name == Path(self._tail.name).name:
                self._close_tail()
            self._head = (segments[0], [line for line in segments[0].read_bytes().split(b"\n") if line])
            if not self._head[1]:
                self._delete_head()
                return self.head()
        return self._head[1]

    def taken(self, count: int) -> None:
        """The first ``count`` lines of ``head()`` are stored; an emptied segment is deleted."""
        assert self._head is not None, "taken() follows head()"
        del self._head[1][:count]
        if not self._head[1]:
            self._delete_head()

    def close(self) -> None:
        self._close_tail()

    def _delete_head(self) -> None:
        assert self._head is not None, "there is a head to delete"
        path = self._head[0]
        self.bytes -= path.stat().st_size
        path.unlink()
        self._head = None

    def _segments(self) -> list[Path]:
        return sorted(path for path in self.folder.glob(f"*{_SUFFIX}") if path.stem.isdigit())

    def _open_tail(self) -> BinaryIO:
        if self._tail is None:
            self._tail = (self.folder / f"{self._next:012d}{_SUFFIX}").open("ab")
            self._next += 1
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)  # else a power cut may forget that the file exists
            finally:
                os.close(folder)
        return self._tail

    def _close_tail(self) -> None:
        if self._tail is not None:
            self._tail.close()
            self._tail = None
