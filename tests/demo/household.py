"""A small demo for the tests: a household of programs whose process ids it tells, then waits to be ended."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path

from ccenter.demo.children import Household, Program, adopt_orphans

# Starts a process of its own session, as Celery and SIPp do, then sleeps.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "300"], start_new_session=True)
open(sys.argv[1], "w").write(str(child.pid))
time.sleep(300)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(300)"


def main(folder: Path) -> None:
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    adopt_orphans()
    household = Household(environment={"PATH": "/usr/bin:/bin"}, logs=folder, say=lambda _: None)
    pids = {}
    for name, script in (("parent", PARENT), ("deaf", DEAF)):
        child = household.add(
            Program(name=name, command=[sys.executable, "-c", script, str(folder / "grandchild")])
        )
        assert child.process is not None
        pids[name] = child.process.pid
    (folder / "pids").write_text(json.dumps(pids))
    while not over.wait(0.1):
        household.look()
    household.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
