"""What the demo's programs say: everything to a bounded file each, their errors also to the terminal.

A demo may run for weeks; its logs must neither fill the disk nor hide what went wrong.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

CAP = 5 * 1024 * 1024  # bytes of the current file; one older file of the same size is kept
TROUBLE = re.compile(r"\b(ERROR|CRITICAL|FATAL)\b|^\w*(Error|Exception)\b.*|Traceback")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SAY_EVERY = 5.0  # seconds: a program that fails in a loop does not flood the terminal
WIDTH = 200

Say = Callable[[str], None]


class BoundedLog:
    """A log file that moves itself aside when it is full."""

    def __init__(self, path: Path, *, cap: int = CAP) -> None:
        self.path = path
        self.cap = cap
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = path.open("ab", buffering=0)

    def write(self, line: bytes) -> None:
        if self.file.tell() + len(line) > self.cap:
            self.file.close()
            self.path.replace(self.path.with_suffix(".log.1"))
            self.file = self.path.open("ab", buffering=0)
        self.file.write(line)

    def close(self) -> None:
        self.file.close()


class Listener:
    """Reads a program's output to its end in a thread of its own."""

    def __init__(self, name: str, output: IO[bytes], log: BoundedLog, *, say: Say) -> None:
        self.name = name
        self.output = output
        self.log = log
        self.say = say
        self.quiet_until = 0.0
        self.last = ""
        self.thread = threading.Thread(target=self._read, name=f"log of {name}", daemon=True)
        self.thread.start()

    def _read(self) -> None:
        with self.output:
            # A line of any length is read in pieces, so that no program can fill our memory.
            for line in iter(lambda: self.output.readline(64 * 1024), b""):
                self.log.write(line)
                self._consider(line.decode(errors="replace").rstrip())
        self.log.close()

    def _consider(self, line: str) -> None:
        if not line:
            return
        self.last = readable(line)
        if TROUBLE.search(line) and time.monotonic() >= self.quiet_until:
            self.quiet_until = time.monotonic() + SAY_EVERY
            self.say(f"[{self.name}] {self.last}")


def readable(line: str) -> str:
    """One harmless terminal line: a caller's name must not move the cursor."""
    return CONTROL.sub("·", line)[:WIDTH]
