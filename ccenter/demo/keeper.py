"""The process that owns one embedded server and stops it when nobody holds it any more.

It exists so that a server never outlives the programs that asked for it, however they died.
Standard library only: it runs as a bare script, outside the project's packages.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

TICK = 0.5  # seconds between two looks at the holders
STOP_WITHIN = 15.0  # seconds a server may take to stop before it is killed
LOG_CAP = 10 * 1024 * 1024  # bytes of log kept, twice (the current file and the one before)


class Keeper:
    """Starts the server as a child and watches the lock file its users hold shared."""

    def __init__(self, *, command: Sequence[str], holders: Path, log: Path, stop_signal: int) -> None:
        self.command = list(command)
        self.holders = holders
        self.log = log
        self.stop_signal = stop_signal
        self.asked_to_stop = False

    def ask_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.asked_to_stop = True

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.ask_to_stop)
        with self.log.open("ab", buffering=0) as out, self.holders.open("ab") as lock:
            server = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/")
            while server.poll() is None:
                # The lock stays ours while the server goes down: whoever comes next waits for it,
                # and then starts a new server instead of meeting a dying one.
                if self.asked_to_stop or nobody_holds(lock.fileno()):
                    self.stop(server)
                    break
                bound(self.log)
                time.sleep(TICK)
        return server.returncode or 0

    def stop(self, server: subprocess.Popen[bytes]) -> None:
        server.send_signal(self.stop_signal)
        try:
            server.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def nobody_holds(descriptor: int) -> bool:
    """True when no process holds the shared lock; the exclusive lock is then kept."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def bound(log: Path) -> None:
    """Keep the log under its cap by copying it aside and emptying it: the server has it open."""
    try:
        if log.stat().st_size > LOG_CAP:
            log.with_suffix(log.suffix + ".1").write_bytes(log.read_bytes()[-LOG_CAP:])
            os.truncate(log, 0)
    except OSError:
        return  # a full or vanished disk must not take the server down


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--holders", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--stop-signal", type=int, default=int(signal.SIGTERM))
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args(arguments)
    return Keeper(
        command=asked.command, holders=asked.holders, log=asked.log, stop_signal=asked.stop_signal
    ).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
