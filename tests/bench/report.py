"""docs/performance.md: the figures of one run, the machine, the command that makes them, and what they mean."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.table import Row, markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


@dataclass(frozen=True)
class Machine:
    """What the figures were made on. ``load``: the minute's average when the run began."""

    processor: str
    cores: int
    python: str
    load: float

    @classmethod
    def here(cls) -> Machine:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        return cls(
            names[0] if names else platform.machine(),
            len(os.sched_getaffinity(0)),
            platform.python_version(),
            os.getloadavg()[0],
        )

    def __str__(self) -> str:
        return (
            f"{self.processor}, {self.cores} cores, Python {self.python}, load {self.load:.1f} at the start"
        )


def write(found: dict[str, list[Row]], machine: Machine) -> None:
    """Replace the figures between the page's marks; the words around them are people's.

    What was not measured this time keeps its figures; what was says when, unless everything was.
    """
    page = PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    figures, _, tail = rest.partition(END)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    first = f"Measured on {today} by `make bench`: {machine}."
    sections = {} if len(found) == len(TITLES) else _sections(figures)
    if sections:
        first, again = figures.strip().partition("\n")[0], f"Measured again on {today}: {machine}.\n\n"
    else:
        again = ""
    for name, rows in found.items():
        notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
        sections[TITLES[name]] = f"{again}{markdown(rows)}\n" + (
            "\n" + "\n".join(notes) + "\n" if notes else ""
        )
    body = "\n".join(f"### {title}\n\n{sections[title]}" for title in TITLES.values() if title in sections)
    missed = [row.strip() for row in MISSED.findall(body)]
    said = "; ".join(missed) if missed else "nothing"
    PAGE.write_text(f"{head}{BEGIN}\n{first}\n\n{body}\nMissed in this run: {said}.\n{END}{tail}")


def _sections(figures: str) -> dict[str, str]:
    """Title → what stands below it."""
    body = figures.partition("\nMissed in this run:")[0]
    found = (part.partition("\n\n") for part in body.split("### ")[1:])
    return {title.strip(): text.strip() + "\n" for title, _, text in found}


MISSED = re.compile(r"^\| ([^|]+) \|.*\| NO \|$", re.M)
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
TITLES = {
    "parse": "From the PBX's bytes to the board",
    "growth": "How the board grows",
    "fanout": "From the board to the sockets",
    "audience": "What is done once for all",
    "dom": "In a real browser",
    "storm": "Everybody comes back at once",
    "ingest": "Into the database",
    "tenancy": "What companies cost",
    "journal": "Calls that were",
    "reports": "Reports of the past",
    "rollups": "Adding up the past",
    "retention": "What is too old goes",
    "billing": "A month is billed",
}
