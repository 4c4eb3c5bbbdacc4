"""Compiles translations (.po → .mo) without gettext's programs, which a bare machine does not have.

Runs as a bare script, so that setting a machine up needs no Django settings.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import polib


def compile_all(sources: Sequence[Path]) -> int:
    """Write a .mo beside each .po; return how many. A malformed file raises OSError naming it."""
    for source in sources:
        polib.pofile(str(source)).save_as_mofile(str(source.with_suffix(".mo")))
    return len(sources)


if __name__ == "__main__":
    print(f"{compile_all([Path(name) for name in sys.argv[1:]])} translations compiled")
