"""Removes what the demo made: stops it first, unmounts second, deletes last and on one file system only.

Runs with the system's python3: the project's environment is among what it removes.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATE = Path(os.environ.get("CCENTER_STATE") or ROOT / ".state").resolve()
OURS = ("stamps", "venv", "postgres", "redis", "logs")  # a state folder has at least one of these
OCTAL = re.compile(r"\\([0-7]{3})")  # how the kernel writes a space in /proc/mounts
STOP_WITHIN = 25.0  # seconds: the demo gives each of its programs ten


class NotCleanedError(Exception):
    """Deleting would be dangerous; the text says why and what to do."""


def main() -> int:
    try:
        if not STATE.exists():
            print(f"There is nothing to remove: {STATE} does not exist.")
            return 0
        check_is_ours(STATE, project=ROOT)
        stop_processes(STATE)
        unmount(STATE)
        delete(STATE)
        delete_built_files(ROOT)
    except NotCleanedError as trouble:
        print(f"{trouble} Not everything was removed.")
        return 1
    print(f"Removed {STATE} and what was built from the sources.")
    return 0


def check_is_ours(state: Path, *, project: Path) -> None:
    """Refuse to delete a folder that a wrong CCENTER_STATE names by mistake."""
    if state == project or state in project.parents:
        raise NotCleanedError(f"{state} holds the project itself: CCENTER_STATE names the wrong folder.")
    inside = {entry.name for entry in state.iterdir()}
    if inside and not inside.intersection(OURS):
        raise NotCleanedError(f"{state} does not look like a state folder of the demo.")


def stop_processes(state: Path) -> None:
    """End the demo, which ends its own; then embedded servers and every Asterisk that lives in this folder."""
    end(lambda: demo_of(state), patience=STOP_WITHIN)
    left = end(lambda: residents_of(state), patience=STOP_WITHIN)
    if left:
        raise NotCleanedError(f"Processes {sorted(left)} still use {state}; end them, then repeat.")


def end(find: Callable[[], set[int]], *, patience: float) -> set[int]:
    """Ask what is found to end, insist after a while, and return what is there all the same."""
    left: set[int] = set()
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + seconds
        told: set[int] = set()
        while (left := find()) and time.monotonic() < deadline:
            for pid in left - told:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            told |= left
            time.sleep(0.1)
    return left


def demo_of(state: Path) -> set[int]:
    """The running demo of this folder, if there is one."""
    with suppress(OSError, ValueError):
        pid = int((state / "demo.pid").read_text())
        if b"ccenter.demo" in command_of(pid):
            return {pid}
    return set()


def residents_of(state: Path) -> set[int]:
    """Processes that live in the folder: rooted in it, or keeping a server there."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                rooted = Path(os.readlink(entry / "root")).is_relative_to(state)
                words = command_of(int(entry.name))
                keeper = any(word.endswith(b"/keeper.py") for word in words)
                here = any(word.startswith(os.fsencode(state) + b"/") for word in words)
                if rooted or (keeper and here):
                    found.add(int(entry.name))
    return found


def command_of(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


def mounts_under(state: Path, *, table: Path = Path("/proc/mounts")) -> list[Path]:
    """What is mounted in the folder, the deepest first."""
    points = (line.split(" ")[1] for line in table.read_text().splitlines())
    decoded = (Path(OCTAL.sub(lambda found: chr(int(found[1], 8)), point)) for point in points)
    inside = {point for point in decoded if point == state or point.is_relative_to(state)}
    return sorted(inside, key=lambda point: len(point.parts), reverse=True)


def unmount(state: Path) -> None:
    """A /dev bound into an Asterisk root is the machine's own: deleting through it would kill the machine."""
    for point in mounts_under(state):
        subprocess.run(["umount", point], check=False, capture_output=True)
    left = mounts_under(state)
    if left:
        names = ", ".join(map(str, left))
        raise NotCleanedError(f"Still mounted: {names}. Unmount it (umount), then repeat.")


def delete(path: Path) -> None:
    # rm, not shutil: it alone can promise never to cross into another file system.
    done = subprocess.run(["rm", "-rf", "--one-file-system", "--", path], check=False)
    if done.returncode:
        raise NotCleanedError(f"{path} could not be removed completely; rm's reasons are above.")


def delete_built_files(project: Path) -> None:
    for built in (project / "node_modules", project / "static" / "dist"):
        delete(built)
    for app in ("ccenter", "tenants", "monitoring", "billing"):
        for compiled in (project / app).rglob("locale/*/LC_MESSAGES/*.mo"):
            compiled.unlink()


if __name__ == "__main__":
    sys.exit(main())
