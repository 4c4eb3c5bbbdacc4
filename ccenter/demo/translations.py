"""Compiles translations (.po → .mo) without gettext's programs, which a bare machine does not have.

A room may keep several catalogues (``django.po``, ``journal.po`` …): all of one folder become its ``django.mo``.
Runs as a bare script, so that setting a machine up needs no Django settings.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import polib


def catalogue(folder: Path) -> polib.POFile:
    """Every .po of ``folder`` as one; a word said in two of them is taken from the first by name.

    A malformed file raises OSError naming it.
    """
    sources = sorted(folder.glob("*.po"))
    whole = polib.pofile(str(sources[0]))
    known = {(entry.msgctxt, entry.msgid) for entry in whole}
    for source in sources[1:]:
        for entry in polib.pofile(str(source)):
            if (entry.msgctxt, entry.msgid) not in known:
                known.add((entry.msgctxt, entry.msgid))
                whole.append(entry)
    return whole


def compile_all(sources: Sequence[Path]) -> int:
    """Write the django.mo of every folder of ``sources``; return how many."""
    folders = _folders(sources)
    for folder in folders:
        catalogue(folder).save_as_mofile(str(folder / "django.mo"))
    return len(folders)


def _folders(sources: Iterable[Path]) -> list[Path]:
    return sorted({source.parent for source in sources})


if __name__ == "__main__":
    print(f"{compile_all([Path(name) for name in sys.argv[1:]])} translations compiled")
