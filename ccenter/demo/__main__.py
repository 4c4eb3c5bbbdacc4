"""`make demo`: starts the whole portal, watches over it, and ends every part of it.

Read `main` for the order; what each part is lives in the module of its name.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from ccenter.demo import embedded, welcome
from ccenter.demo.bootstrap import ROOT, STATE, node_path, npm
from ccenter.demo.children import Household, Program, adopt_orphans, end_with_parent
from ccenter.demo.code_watch import CodeWatch
from ccenter.demo.pbx import INSTANCE

LOGS = STATE / "logs"
LOOK_EVERY = 0.5  # seconds between two looks at the programs
WELL_WITHIN = 60.0  # seconds from the last program's start to a good /healthz
RELOADED = ("web", "collector", "tasks", "beat")  # what runs the project's code


class DemoError(Exception):
    """The demo cannot run; the text says why and what to do."""


class Demo:
    """One run, from the first server to the last farewell."""

    def __init__(self, *, port: int, reload: bool) -> None:
        self.port = port
        self.reload = reload
        self.over = threading.Event()
        self.began = time.monotonic()
        self.environment = {
            **os.environ,
            **node_path(),
            "CCENTER_STATE": str(STATE),
            "DJANGO_SETTINGS_MODULE": "ccenter.settings.demo",
            "PORT": str(port),
            "PYTHONUNBUFFERED": "1",
        }
        self.household = Household(environment=self.environment, logs=LOGS, say=say)
        self.preparing: subprocess.Popen[str] | None = None

    def stop(self) -> None:
        """Ask the run to end, from a signal's handler."""
        self.over.set()
        if self.preparing is not None:
            self.preparing.terminate()

    def run(self) -> None:
        try:
            self._servers()
            prepared = self._prepare()
            for program in self._programs(prepared):
                self.household.add(program)
            self._await_health(prepared)
            if not self.over.is_set():
                say(
                    welcome.text(
                        port=self.port,
                        sign_ins=prepared["sign_ins"],
                        simulated=prepared["simulated"],
                        seconds=time.monotonic() - self.began,
                    )
                )
            self._watch()
        finally:
            self._end()

    def _servers(self) -> None:
        with timed("PostgreSQL and Redis"):
            self.environment["DATABASE_URL"] = embedded.postgres(STATE)
            self.environment["REDIS_URL"] = embedded.redis(STATE)

    def _prepare(self) -> welcome.Prepared:
        """Schemas, demo rows and the PBX's files, in a process of its own that shows what it does."""
        with timed("Companies, people, queues"):
            command = [sys.executable, "-m", "ccenter.demo.prepare"]
            log = LOGS / "prepare.log"
            LOGS.mkdir(parents=True, exist_ok=True)
            with log.open("w") as out:
                process = subprocess.Popen(
                    command, env=self.environment, stdout=subprocess.PIPE, stderr=out, text=True, cwd=ROOT
                )
                self.preparing = process
                assert process.stdout is not None
                with process.stdout as lines:
                    for line in lines:
                        say(f"  {line.rstrip()}")
            failed = process.wait()
            self.preparing = None
            if self.over.is_set():
                raise KeyboardInterrupt
            if failed:
                last = embedded.last_lines(log, 1)
                raise DemoError(f"The database could not be prepared: {last} The whole story: {log}")
        prepared: welcome.Prepared = json.loads(welcome.PREPARED.read_text())
        return prepared

    def _programs(self, prepared: welcome.Prepared) -> Iterator[Program]:
        python = sys.executable
        celery = [python, "-m", "celery", "-A", "ccenter"]
        worker = [*celery, "worker", "--loglevel", "INFO", "--without-mingle", "--without-gossip"]
        simulated = prepared["simulated"]
        pbx = [python, "-m", "ccenter.demo.pbx"]
        if simulated:
            pbx += ["--simulated", str(prepared["ami_port"])]
        yield Program(name="pbx", command=pbx, ground=True)
        yield Program(
            name="web",
            command=[
                python, "-m", "daphne",
                # Room for every browser that comes back at once after a restart; the default queue holds 50.
                "-e", f"tcp:port={self.port}:interface=127.0.0.1:backlog=1024", "--websocket_connect_timeout", "20",
                "ccenter.asgi:application",
            ],
        )  # fmt: skip
        yield Program(
            name="collector", command=[*worker, "-Q", "collect", "--pool", "solo", "-n", "collector@%h"]
        )
        yield Program(name="tasks", command=[*worker, "-Q", "tasks", "-c", "2", "-n", "tasks@%h"])
        beat = STATE / "celerybeat-schedule"
        yield Program(name="beat", command=[*celery, "beat", "-s", str(beat), "--pidfile="])
        if not simulated:
            yield Program(
                name="traffic", command=[python, "-m", "ccenter.lab", "traffic", "--instance", INSTANCE]
            )
        if self.reload:
            yield Program(name="browser-code", command=[str(word) for word in npm("run", "watch")])

    def _await_health(self, prepared: welcome.Prepared) -> None:
        say("… all parts")
        began = time.monotonic()
        while not self.over.wait(0.2):
            self.household.look()
            complaint = welcome.complaint(self.port, pbx=prepared["pbx"])
            waited = time.monotonic() - began
            if not complaint:
                say(f"✓ all parts ({waited:.1f} s)")
                return
            if waited > WELL_WITHIN:
                say(f"! Not everything is well after {waited:.0f} s: {complaint}. Logs: {LOGS}")
                return

    def _watch(self) -> None:
        code = CodeWatch(ROOT) if self.reload else None
        while not self.over.wait(LOOK_EVERY):
            self.household.look()
            self._servers_again()
            if code is not None and (changed := code.changed()):
                say(f"Changed: {', '.join(str(path.relative_to(ROOT)) for path in changed[:3])}; restarting")
                self.household.restart(RELOADED)

    def _servers_again(self) -> None:
        """A killed PostgreSQL or Redis comes back on its old port; everybody else reconnects by itself."""
        if embedded.all_run(STATE):
            return
        say("PostgreSQL or Redis was ended from outside; starting it again")
        before = dict(self.environment)
        self._servers()
        if self.environment != before:  # its old port was taken meanwhile: everybody must learn the new one
            self.household.restart([child.program.name for child in self.household.children])

    def _end(self) -> None:
        say("\nStopping…")
        self.household.end()
        embedded.release(STATE, wait=True)
        say("Stopped; nothing of the demo runs any more.")


def say(text: str) -> None:
    # The terminal may be gone (a closed window is one of the ways in which the demo ends).
    with suppress(OSError):
        print(text, flush=True)


@contextmanager
def timed(title: str) -> Iterator[None]:
    say(f"… {title}")
    began = time.monotonic()
    yield
    say(f"✓ {title} ({time.monotonic() - began:.1f} s)")


def check_port(port: int) -> None:
    """Say who has the port instead of failing later with a traceback."""
    if not 0 < port < 65_536:
        raise DemoError(f"{port} is no port: choose one from 1 to 65535, as in make demo PORT=8080")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as trouble:
            other = port + 1 if port < 65_535 else 8000
            raise DemoError(
                f"Port {port} cannot be used ({who_has(port) or trouble.strerror}). "
                f"Stop that program, or choose another port: make demo PORT={other}"
            ) from trouble


def who_has(port: int) -> str:
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,)
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()}, process {connection.pid}, listens there"
    return ""


@contextmanager
def the_only_one(file: Path) -> Iterator[None]:
    """One demo per state folder; its process id is kept for `make demo-clean`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            pid = file.read_text().strip()
            raise DemoError(
                f"The demo already runs (process {pid}). Stop it with Ctrl-C in its terminal, or: kill {pid}"
            ) from busy
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ccenter.demo", description="The portal in one command.")
    parser.add_argument("--reload", action="store_true", help="restart what runs our code when it changes")
    parser.add_argument("--port", type=int, default=os.environ.get("PORT") or "8000")
    asked = parser.parse_args()
    parent = os.getppid()
    demo = Demo(port=asked.port, reload=asked.reload)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: demo.stop())
    end_with_parent(parent)
    adopt_orphans()
    try:
        with the_only_one(STATE / "demo.pid"):
            check_port(asked.port)
            demo.run()
    except (DemoError, embedded.EmbeddedError) as trouble:
        say(f"\n{trouble}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
