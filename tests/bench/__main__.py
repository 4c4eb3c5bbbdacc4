"""``python -m tests.bench [NAME…]``: every measurement, each in a process of its own, as one table.

A goal that is missed is said, not an error: the exit code is 0. Nothing is written without ``--write``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from tests.bench.past import SHARED
from tests.bench.report import Machine, write
from tests.bench.table import Row, printed

ROOT = Path(__file__).resolve().parents[2]
# In the order of an event's way; what each measures stands in its module.
NAMES = (
    "parse", "growth", "fanout", "audience", "dom", "storm", "ingest", "tenancy", "journal", "reports", "rollups",
    "retention", "billing",
)  # fmt: skip
BUSY = 1.5
LONGEST = 1_800.0  # seconds of one measurement; the first of those with a long past fills it


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of: {', '.join(NAMES)}; all when none is given"
    )
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    unknown = set(given.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if given.alone:
        print(json.dumps([asdict(row) for row in import_module(f"tests.bench.{given.names[0]}").rows()]))
        return
    with shared_past():
        bench(given.names or NAMES, to_page=given.write)


@contextmanager
def shared_past() -> Iterator[None]:
    """Several measurements stand on the same five million calls: they are filled once."""
    home = tempfile.mkdtemp(prefix="ccenter-bench-")
    os.environ[SHARED] = home
    try:
        yield
    finally:
        shutil.rmtree(home, ignore_errors=True)


def bench(names: tuple[str, ...] | list[str], *, to_page: bool) -> None:
    machine = Machine.here()
    print(machine)
    if machine.load > BUSY:
        print(
            f"! Something else is running (load {machine.load:.1f}): these figures say little. Ratios say more."
        )
    began, found, failed = time.monotonic(), dict[str, list[Row]](), list[str]()
    for name in names:
        print(f"… {name}", end="", flush=True, file=sys.stderr)
        this = time.monotonic()
        measured = _alone(name)
        print(f" {time.monotonic() - this:.0f} s", file=sys.stderr)
        if measured is None:
            failed.append(name)
        else:
            found[name] = measured
    every = [row for rows in found.values() for row in rows]
    print(printed(every))
    for row in every:
        if row.note:
            print(f"  {row.what}: {row.note}")
    missed = [row.what for row in every if row.met is False]
    judged = sum(row.met is not None for row in every)
    print(f"{judged - len(missed)} of {judged} goals met in {time.monotonic() - began:.0f} s.")
    for what in missed:
        print(f"  missed: {what}")
    for name in failed:
        print(f"  not measured: {name} (it failed, see above)")
    if to_page and not failed:
        write(found, machine)
    sys.exit(bool(failed))


def _alone(name: str) -> list[Row] | None:
    """In a process of its own: no measurement meets what another left in memory, settings or caches."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench", "--alone", name],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
            timeout=LONGEST, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"{name} took longer than {LONGEST:.0f} s and was ended.", file=sys.stderr)
        return None
    if done.returncode:
        return None
    return [Row(**row) for row in json.loads(done.stdout.splitlines()[-1])]


if __name__ == "__main__":
    main()
