"""Where Asterisk comes from: the machine's own, or a Debian root built beside the project's state.

Debian 12 has no Asterisk package; Debian testing has the LTS we support, and a root of its own harms nobody.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SUITE = "forky"
PACKAGES = ("asterisk", "asterisk-modules", "asterisk-core-sounds-en", "asterisk-core-sounds-ru")
MARK = "lab/.built"
Say = Callable[[str], None]


class NoAsteriskError(RuntimeError):
    """A real Asterisk cannot be had here; the message says what to do, the simulator takes its place."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """How to run Asterisk: ``prefix`` before each command; ``top``: what Asterisk sees as ``/``."""

    prefix: tuple[str, ...]
    top: Path
    lab: Path

    def seen(self, path: Path) -> str:
        """The path as Asterisk sees it."""
        return str(path) if self.top == Path("/") else "/" + str(path.relative_to(self.top))

    def modules(self) -> str:
        found = sorted(self.top.glob("usr/lib/*/asterisk/modules/app_queue.so"))
        found += sorted(self.top.glob("usr/lib/asterisk/modules/app_queue.so"))
        if not found:
            raise NoAsteriskError(f"{self.top} holds no Asterisk modules: remove it and start again")
        return self.seen(found[0].parent)


def mirror() -> str:
    """The Debian mirror apt already uses; nothing about this machine is written down anywhere."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    for site in listed:
        if re.match(r"https?://", site) and not re.search(r"security|backports|snapshot", site):
            return site
    raise NoAsteriskError(
        "apt names no Debian mirror: put one into /etc/apt/sources.list and run apt-get update"
    )


def require_tools() -> None:
    if os.geteuid() != 0:
        raise NoAsteriskError(
            "a real Asterisk needs root to build its Debian root: run as root, or use the simulator"
        )
    if not shutil.which("mmdebstrap"):
        raise NoAsteriskError("mmdebstrap is missing: apt-get install mmdebstrap, or use the simulator")


def own_asterisk() -> bool:
    """Is there an Asterisk 20 or newer with pjsip and queues on this machine's PATH?"""
    if not shutil.which("asterisk"):
        return False
    said = subprocess.run(["asterisk", "-V"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"Asterisk (\d+)", said)
    return bool(version and int(version[1]) >= 20)


def built(root: Path) -> bool:
    return (root / MARK).exists() or (root / "usr/sbin/asterisk").exists()


def build(root: Path, say: Say = print) -> None:
    """Idempotent: half a minute and 350 MB the first time, nothing afterwards."""
    if built(root):
        return
    require_tools()
    fresh = root.with_name(root.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    say(f"building the Asterisk root in {root} (about half a minute, 350 MB)…")
    site, began = mirror(), time.monotonic()
    log = root.with_name(root.name + ".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                "mmdebstrap",
                "--variant=minbase",
                f"--include={','.join(PACKAGES)}",
                '--aptopt=Apt::Install-Recommends "false"',
                '--aptopt=Acquire::Check-Valid-Until "false"',
                SUITE,
                str(fresh),
                f"deb {site} {SUITE} main",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        follow(process, log, say, began)
    if process.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        lines = log.read_text(errors="replace").splitlines()
        trouble = [line for line in lines if line.startswith("E:")] or lines
        raise NoAsteriskError(
            f"mmdebstrap failed ({'; '.join(trouble[-2:])[:300]}). Is the network there? The whole story: {log}"
        )
    (fresh / MARK).parent.mkdir(exist_ok=True)
    (fresh / MARK).write_text(f"{SUITE}\n")
    fresh.rename(root)
    say(f"the Asterisk root is ready after {time.monotonic() - began:.0f} s")


def follow(process: subprocess.Popen[bytes], log: Path, say: Say, began: float) -> None:
    """Say each stage mmdebstrap enters, and that it is alive when it says nothing for long."""
    told, quiet = 0, time.monotonic()
    while process.poll() is None:
        time.sleep(0.3)
        stages = [x for x in log.read_text(errors="replace").splitlines() if x.startswith("I: ")]
        if len(stages) > told or time.monotonic() - quiet > 10:
            stage = stages[-1][3:] if stages else "starting"
            say(f"  {time.monotonic() - began:3.0f} s  {stage}")
            told, quiet = len(stages), time.monotonic()


def runtime(state_dir: Path, say: Say = print) -> Runtime:
    """The Asterisk to use, built when there is none. Raises NoAsteriskError with a sentence for the person."""
    if own_asterisk():
        return Runtime(prefix=(), top=Path("/"), lab=state_dir / "asterisk-lab")
    root = state_dir / "asterisk"
    build(root, say)
    if os.geteuid() != 0:
        raise NoAsteriskError("the Asterisk root is there, but only root may start it; or use the simulator")
    return Runtime(prefix=("chroot", str(root)), top=root, lab=root / "lab")
