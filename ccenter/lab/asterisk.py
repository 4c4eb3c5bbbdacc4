"""One named Asterisk: its files, its ports, its life. Several live side by side, each in a directory of its own.

The process is ours from fork to end and nothing is mounted (Asterisk needs neither /proc nor more of /dev than
the root brings), so a kill -9 leaves nothing behind but files, and the next start begins from those.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
import wave
import zlib
from pathlib import Path

import psutil

from ccenter.lab.plan import PbxPlan
from ccenter.lab.ports import PBX_HOST, Ports, all_free, choose, is_free
from ccenter.lab.render import configuration
from ccenter.lab.root import Runtime

BOOT_SECONDS = 30.0


class AsteriskError(RuntimeError):
    """Asterisk did not do what was asked; the message holds its own last words."""


class Instance:
    """``name``: its directory under the lab. ``ports``: chosen at the first start and kept in ``instance.json``.

    While it is down and somebody else has taken one of its ports it gets new ones, unless ``attach``: then it is
    looked at as it was configured, by those who call it or stop it.
    """

    def __init__(
        self, runtime: Runtime, name: str, *, ports: Ports | None = None, attach: bool = False
    ) -> None:
        self.runtime = runtime
        self.name = name
        self.home = runtime.lab / name
        known = self.remembered()
        if known and not (attach or self.pid() or all_free(known)):
            known = None
        begin = zlib.crc32(str(runtime.lab).encode()) % 12_000
        self.ports = ports or known or choose(taken=self.others(), begin=begin)
        self.child: subprocess.Popen[bytes] | None = None

    def remembered(self) -> Ports | None:
        try:
            return Ports(**json.loads((self.home / "instance.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def others(self) -> set[int]:
        """Ports the lab's other instances hold, also while they are down."""
        files = [f for f in self.runtime.lab.glob("*/instance.json") if f.parent != self.home]
        return {port for file in files for port in json.loads(file.read_text()).values()}

    def plan(self) -> PbxPlan:
        """What it was last configured from."""
        try:
            return PbxPlan.from_json((self.home / "plan.json").read_text(encoding="utf-8"))
        except OSError:
            raise AsteriskError(f"there is no instance {self.name!r}: start it first") from None

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def recordings(self) -> Path:
        """Complete recordings, a folder a company; beside it ``writing`` holds those of live calls."""
        return self.home / "spool/monitor"

    @property
    def queue_log(self) -> Path:
        return self.log / "queue_log"

    @property
    def witness(self) -> Path:
        return self.log / "cel-custom" / "witness.csv"

    def configure(self, plan: PbxPlan) -> None:
        """Write everything Asterisk reads. A running instance takes it after ``reload``."""
        recordings = [f"spool/{stage}/{c.slug}" for stage in ("writing", "monitor") for c in plan.companies]
        for name in ("etc", "log/cel-custom", "run", "spool", *recordings, "lib", "moh"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        base = self.runtime.seen(self.home)
        files = configuration(plan, ports=self.ports, base=base, modules=self.runtime.modules())
        for name, text in files.items():
            (self.home / "etc" / name).write_text(text)
        secret_file(self.home / "plan.json", plan.to_json())
        write_music(self.home / "moh" / "soft.wav")
        (self.home / "instance.json").write_text(json.dumps(self.ports.as_dict()))

    def start(self, plan: PbxPlan | None = None, *, fresh_logs: bool = False) -> None:
        """Returns when Asterisk says FullyBooted; a second start of a running instance only writes and reloads."""
        if plan is not None:
            self.configure(plan)
        if self.pid():
            self.command("core reload")
            return
        if fresh_logs:
            for file in (self.queue_log, self.witness):
                file.unlink(missing_ok=True)
        for file in (self.home / "run").glob("*"):
            file.unlink()
        if not is_free(self.ports.ami, socket.SOCK_STREAM):
            raise AsteriskError(
                f"port {self.ports.ami} is busy: stop its owner or choose another port for AMI"
            )
        with (self.log / "console").open("wb") as console:
            process = subprocess.Popen(
                [*self.runtime.prefix, *self.program(), "-f", "-n"],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.child = process
        (self.home / "pid").write_text(str(process.pid))
        self.await_boot(process)

    def program(self) -> list[str]:
        return ["asterisk", "-C", self.runtime.seen(self.home / "etc/asterisk.conf")]

    def await_boot(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            if (self.home / "run/asterisk.ctl").exists():
                said = self.command("core waitfullybooted")
                if "fully booted" in said.lower() and answers(self.ports.ami):
                    return
            time.sleep(0.05)
        last = (self.log / "console").read_text(errors="replace")[-800:]
        self.kill()
        raise AsteriskError(
            f"Asterisk {self.name!r} did not boot in {BOOT_SECONDS:.0f} s. Its last words: {last}"
        )

    def pid(self) -> int:
        """The running process, 0 when there is none; a recycled number is not mistaken for ours."""
        try:
            pid = int((self.home / "pid").read_text())
            process = psutil.Process(pid)
            line = " ".join(process.cmdline())
        except (OSError, ValueError, psutil.Error):
            return 0
        alive = process.status() != psutil.STATUS_ZOMBIE
        return pid if alive and self.runtime.seen(self.home / "etc/asterisk.conf") in line else 0

    def command(self, text: str) -> str:
        """What Asterisk's console answers."""
        done = subprocess.run(
            [*self.runtime.prefix, *self.program(), "-rx", text], capture_output=True, check=False, timeout=20
        )
        return done.stdout.decode(errors="replace")

    def stop(self) -> None:
        """Ask, then insist. Nothing is left running."""
        if pid := self.pid():
            os.kill(pid, signal.SIGTERM)
            if not gone(pid, 8):
                os.kill(pid, signal.SIGKILL)
                gone(pid, 5)
        self.buried()

    def kill(self) -> None:
        """kill -9: what a crash looks like from outside."""
        if pid := self.pid():
            os.kill(pid, signal.SIGKILL)
            gone(pid, 5)
        self.buried()

    def buried(self) -> None:
        """Read the dead child's status, so that neither a zombie nor Python's warning of one is left."""
        (self.home / "pid").unlink(missing_ok=True)
        if self.child is not None:
            self.child.wait(5)
            self.child = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def secret_file(path: Path, text: str) -> None:
    """Readable by us alone: a plan holds the phones' passwords."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def gone(pid: int, seconds: float) -> bool:
    try:
        psutil.Process(pid).wait(seconds)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def answers(port: int) -> bool:
    try:
        with socket.create_connection((PBX_HOST, port), timeout=1) as ami:
            return ami.recv(64).startswith(b"Asterisk Call Manager")
    except OSError:
        return False


def write_music(path: Path) -> None:
    """Music on hold: eight seconds of a soft chord, because the root brings none."""
    if path.exists():
        return
    rate, seconds = 8000, 8
    chord = (220.0, 277.18, 329.63)
    samples = (
        int(
            1800
            * math.sin(math.pi * n / (rate * seconds))
            * sum(math.sin(2 * math.pi * f * n / rate) for f in chord)
        )
        for n in range(rate * seconds)
    )
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
