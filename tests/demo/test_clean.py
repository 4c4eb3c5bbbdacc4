"""`make demo-clean`: removes what the demo made and nothing else, whatever stands in its way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccenter.demo import clean, embedded


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / ".state"
    (folder / "stamps").mkdir(parents=True)
    return folder


@pytest.fixture
def mounted(state: Path) -> Iterator[Path]:
    """A foreign folder bound into the state folder, as /dev may be bound into an Asterisk root."""
    foreign = state.parent.parent / "foreign"
    foreign.mkdir()
    (foreign / "precious").write_text("do not delete")
    inside = state / "asterisk" / "dev x"  # a space, which the kernel's table writes in octal
    inside.mkdir(parents=True)
    done = subprocess.run(["mount", "--bind", foreign, inside], capture_output=True, check=False)
    if done.returncode:
        pytest.fail("bind mounts are impossible here: run the tests as root")
    yield foreign
    subprocess.run(["umount", inside], capture_output=True, check=False)


def test_a_mounted_folder_is_unmounted_and_what_is_in_it_survives(state: Path, mounted: Path) -> None:
    assert clean.mounts_under(state) == [state / "asterisk" / "dev x"]
    clean.unmount(state)
    clean.delete(state)
    assert not state.exists()
    assert (mounted / "precious").read_text() == "do not delete"


def test_what_cannot_be_unmounted_stops_the_removal(
    state: Path, mounted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody stands in the mounted folder: umount says busy."""
    inside = state / "asterisk" / "dev x"
    squatter = subprocess.Popen(["sleep", "60"], cwd=inside)
    monkeypatch.setattr(clean, "STATE", state)
    monkeypatch.setattr(clean, "ROOT", state.parent)
    try:
        assert clean.main() == 1
    finally:
        squatter.kill()
        squatter.wait()
    assert (mounted / "precious").exists()
    assert (state / "stamps").exists()


@pytest.mark.parametrize("wrong", ["project", "parent", "strangers"])
def test_a_wrong_folder_is_refused_and_left_alone(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "home" / "project"
    strangers = tmp_path / "strangers"
    for folder in (project, strangers):
        folder.mkdir(parents=True)
        (folder / "letter").write_text("mine")
    named = {"project": project, "parent": project.parent, "strangers": strangers}[wrong]
    monkeypatch.setattr(clean, "STATE", named)
    monkeypatch.setattr(clean, "ROOT", project)
    assert clean.main() == 1
    assert (project / "letter").exists()
    assert (strangers / "letter").exists()
    assert (
        "CCENTER_STATE names the wrong folder" in (said := capsys.readouterr().out)
        or "does not look like" in said
    )


def test_nothing_to_remove_is_said_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(clean, "STATE", tmp_path / "never")
    assert clean.main() == 0
    assert "nothing to remove" in capsys.readouterr().out


def test_a_running_server_of_the_folder_is_ended_first_and_others_are_not(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    embedded.redis(state)
    embedded.redis(tmp_path / "other")
    try:
        clean.stop_processes(state)
        assert not embedded._redis(state).runs()
        assert embedded._redis(tmp_path / "other").runs()
    finally:
        embedded.stop(state)
        embedded.stop(tmp_path / "other")


def test_a_process_rooted_in_the_folder_is_found(state: Path) -> None:
    """As an Asterisk in its own root is."""
    pid = os.fork()
    if pid == 0:
        os.chroot(state)
        signal.pause()
    deadline = time.monotonic() + 5
    while pid not in clean.residents_of(state):
        assert time.monotonic() < deadline, "the rooted process was not found"
        time.sleep(0.02)
    status: list[int] = []
    waiting = threading.Thread(target=lambda: status.append(os.waitpid(pid, 0)[1]))
    waiting.start()  # somebody must take note of its end, as its parent would
    clean.stop_processes(state)
    waiting.join()
    assert status == [int(signal.SIGTERM)]


def test_it_runs_without_the_projects_environment(tmp_path: Path) -> None:
    """Its environment is among what it removes: the system's python3 must do."""
    script = Path(clean.__file__)
    environment = {"CCENTER_STATE": str(tmp_path / "never"), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-I", "-S", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "nothing to remove" in done.stdout
