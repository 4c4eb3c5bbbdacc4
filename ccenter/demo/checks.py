"""`make test`: every check in the order in which a mistake shows soonest; the first that fails ends the run.

Each step prints its time, so that a slow one is seen; pytest comes last, twice, and ends with the figures measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ccenter.demo import bootstrap

ROOT = bootstrap.ROOT
TOOLS = Path(sys.executable).parent
# Those with a whole PBX or browser of their own measure time: they have the machine to themselves.
ALONE = "real or browser or alone"
RUNS = (
    ("tests, a file to whichever core is free", ("-m", f"not ({ALONE})", "-n", "2", "--dist", "loadfile")),
    ("tests on the whole portal, one after another", ("-m", ALONE)),
)
SOURCES = ("ccenter", "tenants", "monitoring", "billing", "tests", "manage.py")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One step: what it is called, what is run, and what a person does when it fails."""

    title: str
    command: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)


def checks() -> list[Check]:
    """All steps but pytest, the quick ones first."""
    return [
        Check(title="ruff", command=[TOOLS / "ruff", "check", "--quiet", *SOURCES]),
        Check(title="import contracts", command=[TOOLS / "lint-imports", "--no-cache"]),
        Check(
            title="migrations are up to date",
            command=[sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
        ),
        Check(title="JavaScript tests", command=bootstrap.npm("test"), environment=bootstrap.node_path()),
        Check(title="mypy", command=[TOOLS / "mypy"]),
    ]


def run(check: Check) -> bool:
    """True when it passed; its output is shown only when it did not."""
    print(f"… {check.title}", flush=True)
    began = time.monotonic()
    done = subprocess.run(
        [str(word) for word in check.command],
        cwd=ROOT,
        env={**os.environ, **check.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    took = time.monotonic() - began
    if done.returncode:
        sys.stdout.buffer.write(done.stdout)
        print(f"✗ {check.title} ({took:.1f} s)", flush=True)
        return False
    print(f"✓ {check.title} ({took:.1f} s)", flush=True)
    return True


def main() -> int:
    # The package names the demo's settings for its programs as soon as it is imported; here the tests' count.
    os.environ["DJANGO_SETTINGS_MODULE"] = "ccenter.settings.test"
    for check in checks():
        if not run(check):
            print(f"Stopped at: {check.title}. The tests were not run.")
            return 1
    for title, options in RUNS:
        print(f"… {title}", flush=True)
        command = [sys.executable, "-m", "pytest", *options, *sys.argv[1:]]
        if failed := subprocess.run(command, cwd=ROOT, check=False).returncode:
            return failed
    return 0


if __name__ == "__main__":
    sys.exit(main())
