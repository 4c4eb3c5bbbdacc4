"""One embedded server: started or reused, held by those who need it, ended by its keeper after the last.

What the servers are is in embedded.py; who ends them is in keeper.py.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

KEEPER = Path(__file__).with_name("keeper.py")
LOOPBACK = "127.0.0.1"
READY_WITHIN = 30.0  # seconds from start to the first answered connection
STOPPED_WITHIN = 20.0


class EmbeddedError(RuntimeError):
    """An embedded server could not be started; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One embedded server: where it lives, how it starts, how one asks whether it answers."""

    name: str
    home: Path
    command: Callable[[int, str], list[str]]
    address: Callable[[int, str], str]
    answers: Callable[[str], bool]
    stop_signal: int = int(signal.SIGTERM)

    @property
    def log(self) -> Path:
        return self.home / f"{self.name}.log"

    @property
    def record(self) -> Path:
        """Port and keeper of the running server (or of the last one: its port is tried again)."""
        return self.home / "running.json"

    def start(self) -> str:
        """Return the server's URL, starting it when it does not run. Held until this process ends."""
        self.home.mkdir(parents=True, exist_ok=True)
        self._hold()
        with _exclusive(self.home / "start.lock"):
            known = self._known()
            if known is not None and self.answers(known):
                return known
            self._end_keeper()
            port = free_port(preferred=self._last_port())
            return self._launch(port)

    def release(self) -> None:
        """Give up this process's hold; the server stops when it was the last."""
        holder = HELD.pop(self.home, None)
        if holder is not None:
            os.close(holder)

    def runs(self) -> bool:
        return self.keeper_pid() is not None

    def await_end(self) -> None:
        """After release: return when the server is down, or at once when somebody else holds it."""
        began = time.monotonic()
        while self.runs() and time.monotonic() - began < STOPPED_WITHIN:
            # Its keeper looks twice a second; the lock that is still shared after that has other holders.
            if time.monotonic() - began > 2 and self._shared_by_others():
                return
            time.sleep(0.05)
        self._reap()

    def stop(self) -> None:
        """Stop the server now, whoever holds it. Nothing happens when it does not run."""
        self.release()
        if self.home.is_dir():
            with _exclusive(self.home / "start.lock"):
                self._end_keeper()

    def keeper_pid(self) -> int | None:
        """The keeper's process id while it lives."""
        record = _read_json(self.record)
        pid = record.get("keeper")
        return pid if isinstance(pid, int) and _is_keeper(pid) else None

    def _launch(self, port: int) -> str:
        password = self._password()
        url = self.address(port, password)
        keeper = subprocess.Popen(
            [
                sys.executable, "-I", str(KEEPER),
                "--holders", str(self.home / "holders.lock"),
                "--log", str(self.log),
                "--stop-signal", str(self.stop_signal),
                "--", *self.command(port, password),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C belongs to those who use the server, not to the server
        )  # fmt: skip
        self.record.write_text(json.dumps({"port": port, "keeper": keeper.pid}))
        deadline = time.monotonic() + READY_WITHIN
        while not self.answers(url):
            if keeper.poll() is not None or time.monotonic() > deadline:
                self._end_keeper()
                raise EmbeddedError(
                    f"{self.name} did not start (its log: {self.log}). Its last words: {last_lines(self.log)}"
                )
            time.sleep(0.05)
        _KEEPERS.append(keeper)
        return url

    def _hold(self) -> None:
        if self.home not in HELD:
            holder = os.open(self.home / "holders.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(holder, fcntl.LOCK_SH)
            HELD[self.home] = holder

    def _known(self) -> str | None:
        record = _read_json(self.record)
        pid, port = record.get("keeper"), record.get("port")
        if isinstance(pid, int) and isinstance(port, int) and _is_keeper(pid):
            return self.address(port, self._password())
        return None

    def _last_port(self) -> int | None:
        port = _read_json(self.record).get("port")
        return port if isinstance(port, int) else None

    def _end_keeper(self) -> None:
        pid = self.keeper_pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOPPED_WITHIN
        while _is_keeper(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        self._reap()

    def _reap(self) -> None:
        for keeper in _KEEPERS:
            keeper.poll()  # it may be our own child

    def _shared_by_others(self) -> bool:
        descriptor = os.open(self.home / "holders.lock", os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False  # the keeper has it alone: the server is going down
        finally:
            os.close(descriptor)
        return True

    def _password(self) -> str:
        file = self.home / "password"
        if not file.exists():
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as out:
                out.write(secrets.token_hex(16))
        return file.read_text()


HELD: dict[Path, int] = {}  # home → descriptor of its lock file; the system closes them at our end
_KEEPERS: list[subprocess.Popen[bytes]] = []


@atexit.register
def _forget_keepers() -> None:
    # A keeper is meant to outlive its starter while others hold the server: no warning about that.
    for keeper in _KEEPERS:
        keeper.returncode = keeper.poll() or 0


def free_port(*, preferred: int | None = None) -> int:
    """A TCP port nobody listens on; the preferred one when it is free."""
    for wanted in (preferred or 0, 0):
        with suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, wanted))
            return int(probe.getsockname()[1])
    raise EmbeddedError("No TCP port is free on 127.0.0.1. Close some programs and try again.")


def last_lines(log: Path, count: int = 3) -> str:
    """The end of a log as one line, for an error sentence."""
    with suppress(OSError):
        lines = log.read_text(errors="replace").splitlines()
        return " / ".join(line.strip() for line in lines[-count:]) or "(nothing)"
    return "(no log)"


@contextmanager
def _exclusive(lock: Path) -> Iterator[None]:
    with lock.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read_json(file: Path) -> dict[str, object]:
    with suppress(OSError, ValueError):
        found = json.loads(file.read_text())
        return found if isinstance(found, dict) else {}
    return {}


def _is_keeper(pid: int) -> bool:
    """Whether pid is (still) one of our keepers: numbers are given out again after a restart."""
    with suppress(OSError):
        return os.fsencode(KEEPER) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return False
