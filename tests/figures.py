"""What a run measured, printed as one table at its end: promises beside what the real thing did.

A test says ``figure("AMI line cut: signed in again", "1.02 s", "≤ 3 s")``; passing tests' prints nobody would see.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Figure = Callable[[str, str, str], None]
FIGURES = pytest.StashKey[list[tuple[str, str, str]]]()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """``figure(what, measured, promised)``; an empty promise is a figure for information."""
    kept = request.config.stash.setdefault(FIGURES, [])

    def tell(what: str, measured: str, promised: str) -> None:
        kept.append((what, measured, promised))

    return tell


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    figures = config.stash.get(FIGURES, [])
    if not figures:
        return
    terminalreporter.section("measured on the real thing")
    wide = max(len(what) for what, _, _ in figures)
    long = max(len(measured) for _, measured, _ in figures)
    for what, measured, promised in figures:
        terminalreporter.write_line(f"{what:{wide}}  {measured:{long}}  {promised}".rstrip())
