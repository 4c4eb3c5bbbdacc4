"""The demo's programs: restarted a bounded number of times, and none outlives the demo."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ccenter.demo import children
from ccenter.demo.children import Child, Program
from ccenter.demo.logs import BoundedLog, readable

ROOT = Path(__file__).resolve().parents[2]


def until(true: object, *, within: float = 10.0) -> None:
    """Wait until the callable says yes; fail the test when it does not in time."""
    assert callable(true)
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def household(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, int]]]:
    """A running household of two programs and a grandchild in a session of its own."""
    script = Path(__file__).with_name("household.py")
    process = subprocess.Popen(
        [sys.executable, script, tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    deaf = tmp_path / "deaf.log"
    until(lambda: deaf.exists() and deaf.read_bytes() and (tmp_path / "grandchild").exists())
    until(lambda: (tmp_path / "grandchild").read_text() and (tmp_path / "pids").exists())
    pids = json.loads((tmp_path / "pids").read_text())
    pids["grandchild"] = int((tmp_path / "grandchild").read_text())
    yield process, pids
    process.kill()
    process.wait()
    for pid in pids.values():
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)


def test_the_end_of_the_demo_is_the_end_of_all_even_of_the_deaf_and_the_detached(
    household: tuple[subprocess.Popen[bytes], dict[str, int]],
) -> None:
    process, pids = household
    process.terminate()
    assert process.wait(children.STOP_WITHIN + 5) == 0
    assert {name for name, pid in pids.items() if not gone(pid)} == set()


def test_a_killed_demo_takes_its_programs_with_it(
    household: tuple[subprocess.Popen[bytes], dict[str, int]],
) -> None:
    process, pids = household
    process.kill()
    until(lambda: gone(pids["parent"]))


def test_a_killed_program_is_started_again_and_says_how_it_died(tmp_path: Path) -> None:
    said: list[str] = []
    program = Program(name="sleeper", command=["sleep", "60"])
    child = Child(program, environment={"PATH": "/usr/bin:/bin"}, logs=tmp_path, say=said.append)
    child.start()
    assert child.process is not None
    first = child.process.pid
    child.process.kill()
    child.process.wait()
    child.look(100.0)
    assert child.process is None
    assert said == [
        f"sleeper was ended by SIGKILL; starting it again in 0.5 s. Its log: {tmp_path / 'sleeper.log'}"
    ]
    child.look(100.4)
    assert child.process is None
    child.look(100.6)
    assert child.alive()
    assert child.process is not None
    assert child.process.pid != first
    child.ask_to_end()
    child.end(time.monotonic() + 5)
    assert not child.alive()


def test_a_program_that_dies_again_and_again_is_given_up_with_advice(tmp_path: Path) -> None:
    said: list[str] = []
    program = Program(name="hopeless", command=["false"])
    child = Child(program, environment={"PATH": "/usr/bin:/bin"}, logs=tmp_path, say=said.append)
    now = 0.0
    while not child.given_up:
        if child.process is None:
            child.start()
        assert child.process is not None
        child.process.wait()
        now += 10
        child.look(now)
        assert len(said) < 20
    assert len(said) == children.RESTARTS + 1
    assert "ended by itself (status 1)" in said[-1]
    assert f"Read {tmp_path / 'hopeless.log'}, then stop the demo (Ctrl-C)" in said[-1]
    child.look(now + 1000)
    assert child.process is None


def test_errors_of_a_program_reach_the_terminal_harmlessly_and_not_as_a_flood(tmp_path: Path) -> None:
    said: list[str] = []
    script = r"printf 'fine\n'; for n in 1 2 3; do printf 'ERROR \033[2Jcaller \342\200\256evil\n'; done"
    program = Program(name="noisy", command=["sh", "-c", script])
    child = Child(program, environment={"PATH": "/usr/bin:/bin"}, logs=tmp_path, say=said.append)
    child.start()
    child.end(time.monotonic() + 5)
    assert said == ["[noisy] ERROR ·[2Jcaller ·evil"]
    assert (tmp_path / "noisy.log").read_bytes().count(b"ERROR") == 3


def test_a_log_never_holds_more_than_twice_its_cap(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "x.log", cap=1000)
    for number in range(500):
        log.write(b"%06d\n" % number)
    log.close()
    sizes = {file.name: file.stat().st_size for file in tmp_path.iterdir()}
    assert set(sizes) == {"x.log", "x.log.1"}
    assert max(sizes.values()) <= 1000
    assert (tmp_path / "x.log").read_bytes().endswith(b"000499\n")


def test_a_readable_line_is_short_and_has_no_control_characters() -> None:
    line = readable("a\x1b[31m\u202e" + "x" * 10_000)
    assert line.startswith("a·[31m·x")
    assert len(line) == 200
