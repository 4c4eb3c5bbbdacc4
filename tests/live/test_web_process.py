"""A web process is ready for thousands of sockets, and does not stop for garbage while panels move."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARTED = """
import gc, json, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
import ccenter.asgi
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
print(json.dumps({
    "aside": gc.get_freeze_count(), "left": len(gc.get_objects()), "every": gc.get_threshold()[0],
    "files": soft, "allowed": hard,
    "addresses": sorted(name for name in sys.modules if name.startswith("ccenter.urls_")),
}))
"""


def test_code_is_set_aside_from_garbage_and_files_are_as_many_as_allowed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTED], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["aside"] > 50_000
    assert found["left"] < found["aside"] / 20
    assert found["every"] > 700
    assert found["files"] == found["allowed"]
    assert found["addresses"] == ["ccenter.urls_company", "ccenter.urls_public"]
