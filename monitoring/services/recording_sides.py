"""The two sides of a recording in the making, made one file when the PBX that wrote them is not there to do it.

A managed PBX writes what the customer says and what the customer hears into files of their own, and puts them together
at the call's end. Whoever may write into its folder must not make us write elsewhere: no link is followed.
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

SIDES = (".said.sln16", ".heard.sln16")


def join(files: Iterable[Path], *, before: float) -> int:
    """Join those whose last sound was written before that moment (epoch seconds); how many recordings it made."""
    recordings: dict[Path, dict[str, Path]] = defaultdict(dict)
    for file in files:
        for side in SIDES:
            if file.name.endswith(side):
                recordings[file.with_name(file.name.removesuffix(side))][side] = file
    made = 0
    for target, sides in recordings.items():
        ended = max(file.lstat().st_mtime for file in sides.values())
        if ended < before:
            _join(target, sides, ended)
            made += 1
    return made


def _join(target: Path, sides: dict[str, Path], ended: float) -> None:
    """The shorter side, or one that is not there, is silent to the other's end."""
    length = max(file.lstat().st_size for file in sides.values())
    length += length % 2
    making = target.with_name(f".{target.name}")
    making.unlink(missing_ok=True)
    with open(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644), "wb") as whole:
        for number, side in enumerate(SIDES):
            whole.seek(number * length)
            if side in sides:
                with open(os.open(sides[side], os.O_RDONLY | os.O_NOFOLLOW), "rb") as part:
                    shutil.copyfileobj(part, whole)
        whole.truncate(2 * length)
    os.utime(making, (ended, ended))
    making.rename(target)
    for file in sides.values():
        file.unlink(missing_ok=True)
