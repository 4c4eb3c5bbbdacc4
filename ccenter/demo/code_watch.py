"""Notices that the project's code changed, for `make dev`: looks at the files' times, needs no library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

WATCHED = ("*.py", "*.html", "*.mo")
FOLDERS = ("ccenter", "tenants", "monitoring", "billing", "templates")


class CodeWatch:
    """Remembers when each source was last written."""

    def __init__(self, root: Path, *, folders: Sequence[str] = FOLDERS) -> None:
        self.folders = [root / folder for folder in folders]
        self.times = self._look()

    def changed(self) -> list[Path]:
        """Sources written, made or removed since the last question."""
        before, self.times = self.times, self._look()
        names = before.keys() | self.times.keys()
        return sorted(name for name in names if before.get(name) != self.times.get(name))

    def _look(self) -> dict[Path, int]:
        files = (file for folder in self.folders for kind in WATCHED for file in folder.rglob(kind))
        return {file: file.stat().st_mtime_ns for file in files if file.exists()}
