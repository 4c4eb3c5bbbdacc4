"""Where a real Asterisk cannot be had, a sentence says why and what to do, and nothing half-built is left."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ccenter.lab import root
from ccenter.lab.root import NoAsteriskError


def program(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of our own with an apt that names a mirror."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder, "apt-get", "echo http://mirror.example/debian")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return folder


def test_without_root_it_says_so(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NoAsteriskError, match="run as root, or use the simulator"):
        root.build(tmp_path / "asterisk", say=lambda _: None)
    assert not (tmp_path / "asterisk").exists()


def test_without_mmdebstrap_it_names_the_package(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(path))
    with pytest.raises(NoAsteriskError, match="apt-get install mmdebstrap"):
        root.build(tmp_path / "asterisk", say=lambda _: None)


def test_a_failed_build_tells_its_last_error_and_leaves_no_half_root(tmp_path: Path, path: Path) -> None:
    program(
        path,
        "mmdebstrap",
        'mkdir -p "$6"; echo "I: running apt-get update..."; echo "E: no route to host"; exit 1',
    )
    with pytest.raises(NoAsteriskError, match=r"no route to host.*Is the network there"):
        root.build(tmp_path / "asterisk", say=lambda _: None)
    assert [entry.name for entry in tmp_path.glob("asterisk*")] == ["asterisk.log"]


def test_a_build_takes_apts_own_mirror_and_is_done_once(tmp_path: Path, path: Path) -> None:
    program(path, "mmdebstrap", f'echo "$@" >> {tmp_path}/asked; mkdir -p "$6"')
    said: list[str] = []
    root.build(tmp_path / "asterisk", say=said.append)
    root.build(tmp_path / "asterisk", say=said.append)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 1
    assert asked[0].endswith("deb http://mirror.example/debian forky main")
    assert said[0].startswith("building the Asterisk root")
    assert "ready" in said[-1]


def test_without_a_mirror_it_says_where_to_put_one(path: Path) -> None:
    program(path, "apt-get", "echo cdrom:[Debian]/ http://security.example/debian-security")
    with pytest.raises(NoAsteriskError, match=r"sources\.list"):
        root.mirror()


def test_an_old_asterisk_on_the_path_is_not_taken(path: Path) -> None:
    program(path, "asterisk", "echo Asterisk 16.28.0")
    assert not root.own_asterisk()
    program(path, "asterisk", "echo Asterisk 22.10.1")
    assert root.own_asterisk()
    assert subprocess.run(["asterisk", "-V"], check=True, capture_output=True).stdout == b"Asterisk 22.10.1\n"
