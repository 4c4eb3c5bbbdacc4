"""The demo as a person runs it: a real Asterisk, real calls, every program; and nothing left when it ends."""

from __future__ import annotations

import http.client
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import psutil
import pytest

from ccenter.demo import clean, embedded
from ccenter.settings.base import STATE_DIR

ROOT = Path(__file__).resolve().parents[2]
UP_WITHIN = 150.0  # seconds; generous, because the tests' machine may be busy
DOWN_WITHIN = 40.0
pytestmark = pytest.mark.real


@dataclass
class Running:
    """A demo in a process of its own; `said` is what it printed so far."""

    process: subprocess.Popen[str]
    state: Path
    port: int
    said: list[str] = field(default_factory=list)
    fresh: queue.Queue[str] = field(default_factory=queue.Queue)

    def listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.fresh.put(line)

    def await_words(self, words: str, *, within: float) -> str:
        """The first new line that holds the words."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            try:
                line = self.fresh.get(timeout=0.2)
            except queue.Empty:
                if self.process.poll() is not None:
                    break
                continue
            self.said.append(line)
            if words in line:
                return line
        pytest.fail(f"{words!r} was never said. It said: {''.join(self.said[-30:])}")

    def status_of(self, path: str, host: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": f"{host}:{self.port}"})
            return connection.getresponse().status
        finally:
            connection.close()

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def program(self, *words: str) -> psutil.Process:
        return next(p for p in self.descendants() if set(words) <= set(told(p)))


def told(process: psutil.Process) -> list[str]:
    """Its command; nothing when it has just ended, as calls do all the time."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@pytest.fixture
def state() -> Iterator[Path]:
    """A state folder of its own that borrows the Asterisk root, which takes long to build."""
    folder = Path(tempfile.mkdtemp(prefix="ccenter-demo-"))
    folder.chmod(0o711)
    (folder / "asterisk").symlink_to(STATE_DIR / "asterisk")
    yield folder
    embedded.stop(folder)
    for instance in (STATE_DIR / "asterisk" / "lab").glob("demo-*"):
        shutil.rmtree(instance)
    shutil.rmtree(folder)


@pytest.fixture
def start(state: Path) -> Iterator[Callable[[], Running]]:
    started: list[Running] = []

    def begin() -> Running:
        port = embedded.free_port()
        environment = {**os.environ, "CCENTER_STATE": str(state)}
        for name in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"):
            environment.pop(name, None)
        process = subprocess.Popen(
            [sys.executable, "-m", "ccenter.demo", "--port", str(port)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environment,
        )  # fmt: skip
        running = Running(process, state, port)
        Thread(target=running.listen, daemon=True).start()
        started.append(running)
        return running

    yield begin
    for running in started:
        if running.process.poll() is None:
            running.process.terminate()
            running.process.wait(DOWN_WITHIN)


def wait_until_gone(processes: list[psutil.Process]) -> list[str]:
    """Commands of those still there after a while."""
    _, alive = psutil.wait_procs(processes, timeout=DOWN_WITHIN)
    return [" ".join(told(process)) for process in alive]


def test_it_comes_up_heals_and_ends_without_a_trace(start: Callable[[], Running], state: Path) -> None:
    demo = start()
    began = time.monotonic()
    demo.await_words("The portal is up", within=UP_WITHIN)
    print(f"demo, first start without installing: {time.monotonic() - began:.1f} s")
    demo.await_words("make demo-clean", within=5)
    said = "".join(demo.said)
    assert "SIMULATED" not in said
    for host in ("localhost", "romashka.localhost", "vektor.localhost"):
        assert f"http://{host}:{demo.port}/" in said
        assert demo.status_of("/healthz", host) == 200
    assert demo.status_of("/", "stranger.localhost") == 404

    demo.program("celery", "collect").kill()
    demo.await_words("collector was ended by SIGKILL; starting it again", within=10)
    demo.program("celery", "tasks").kill()
    demo.await_words("tasks was ended by SIGKILL; starting it again", within=10)

    everything = demo.descendants()
    assert any("asterisk" in told(process)[:1] for process in everything)
    demo.process.send_signal(signal.SIGINT)
    demo.await_words("nothing of the demo runs any more", within=DOWN_WITHIN)
    assert demo.process.wait(5) == 0
    assert wait_until_gone(everything) == []
    assert clean.mounts_under(state) == []

    again = start()
    began = time.monotonic()
    again.await_words("The portal is up", within=UP_WITHIN)
    print(f"demo, next start: {time.monotonic() - began:.1f} s")
    everything = again.descendants()
    again.process.kill()
    again.process.wait()
    assert wait_until_gone(everything) == []
