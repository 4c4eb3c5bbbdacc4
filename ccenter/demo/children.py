"""Starts the demo's programs, starts them again when they die, and ends every one of them.

Nothing may outlive the demo: programs die with it (kernel's parent-death signal), their orphans come to it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from ccenter.demo.embedded import KEEPER
from ccenter.demo.logs import BoundedLog, Listener, Say

RESTARTS = 5  # so many within the window, then the program is given up
WINDOW = 300.0  # seconds
STOP_WITHIN = 10.0  # seconds a program may take to end before it is killed
_SET_PARENT_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, kw_only=True)
class Program:
    """One long-running command of the demo; `name` is its log file's name too.

    `ground`: the others stand on it, so it ends after them (a dying Asterisk is no news to tell).
    """

    name: str
    command: Sequence[str]
    ground: bool = False


class Child:
    """A program and its present process."""

    def __init__(self, program: Program, *, environment: Mapping[str, str], logs: Path, say: Say) -> None:
        self.program = program
        self.environment = environment
        self.log = logs / f"{program.name}.log"
        self.say = say
        self.deaths: deque[float] = deque(maxlen=RESTARTS + 1)
        self.start_at = 0.0  # monotonic time before which it is not started again
        self.given_up = False
        self.process: subprocess.Popen[bytes] | None = None
        self.listener: Listener | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            # Its own session: Ctrl-C reaches only the demo, which then ends the programs in order.
            ["setpriv", "--pdeathsig", "TERM", *self.program.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(self.environment),
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.listener = Listener(self.program.name, self.process.stdout, BoundedLog(self.log), say=self.say)

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def look(self, now: float) -> None:
        """Start it again when it died, unless it has died too often."""
        if self.alive() or self.given_up:
            return
        if self.process is not None:
            self._mourn(now)
        elif now >= self.start_at:
            self.start()

    def _mourn(self, now: float) -> None:
        assert self.process is not None
        ending = how_it_ended(self.process.returncode)
        kill_group(self.process.pid)
        self.process = None
        self.deaths.append(now)
        recent = [death for death in self.deaths if now - death < WINDOW]
        if len(recent) > RESTARTS:
            self.given_up = True
            self.say(
                f"{self.program.name} {ending} and was started again {RESTARTS} times in vain. The demo goes "
                f"on without it. Read {self.log}, then stop the demo (Ctrl-C) and start it again."
            )
            return
        pause = 0.5 * 2 ** (len(recent) - 1)
        self.start_at = now + pause
        self.say(f"{self.program.name} {ending}; starting it again in {pause:g} s. Its log: {self.log}")

    def ask_to_end(self) -> None:
        if self.process is not None and self.alive():
            self.process.terminate()

    def end(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        kill_group(self.process.pid)
        self.process = None
        if self.listener is not None:
            self.listener.thread.join(2)


class Household:
    """All children, in the order in which they start; they end in the reverse order."""

    def __init__(self, *, environment: Mapping[str, str], logs: Path, say: Say) -> None:
        self.environment = environment
        self.logs = logs
        self.say = say
        self.children: list[Child] = []

    def add(self, program: Program) -> Child:
        child = Child(program, environment=self.environment, logs=self.logs, say=self.say)
        self.children.append(child)
        child.start()
        return child

    def look(self) -> None:
        now = time.monotonic()
        for child in self.children:
            child.look(now)
        bury_orphans(except_for=[child.process.pid for child in self.children if child.process])

    def restart(self, names: Sequence[str]) -> None:
        """End and start the named programs: the code changed."""
        chosen = [child for child in self.children if child.program.name in names]
        self._end(chosen)
        for child in chosen:
            child.given_up = False
            child.deaths.clear()
            child.start()

    def end(self) -> None:
        for ground in (False, True):
            self._end([child for child in self.children if child.program.ground is ground])
        self.children.clear()
        kill_orphans()

    def _end(self, children: Sequence[Child]) -> None:
        for child in reversed(children):
            child.ask_to_end()
        deadline = time.monotonic() + STOP_WITHIN
        for child in reversed(children):
            child.end(deadline)


def adopt_orphans() -> None:
    """Make this process the parent of its descendants' orphans: none of them gets away."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def end_with_parent(parent: int) -> None:
    """Get SIGTERM when the process that started us (make, a terminal's shell) dies."""
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we could ask
        os.kill(os.getpid(), signal.SIGTERM)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl refused")


def kill_group(leader: int) -> None:
    """End what a program left behind in its own process group."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def bury_orphans(*, except_for: Sequence[int]) -> None:
    """Take note of adopted processes that ended by themselves, so that no zombies stay."""
    for process in psutil.Process().children():
        if process.pid not in except_for and process.status() == psutil.STATUS_ZOMBIE:
            _reap(process.pid)


def kill_orphans() -> None:
    """End every descendant that is left, the deepest too, but not the embedded servers' keepers.

    Those end by themselves when nobody holds their server (see embedded.py); somebody else may.
    """
    for _ in range(20):
        left = descendants()
        if not left:
            return
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for process in left:
            _reap(process.pid)


def descendants() -> list[psutil.Process]:
    """All that came from this process, without keepers and what they keep."""
    found: list[psutil.Process] = []
    for process in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if os.fspath(KEEPER) not in process.cmdline():
                found += [process, *process.children(recursive=True)]
    return found


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def how_it_ended(status: int) -> str:
    if status >= 0:
        return f"ended by itself (status {status})"
    return f"was ended by {signal.Signals(-status).name}"
