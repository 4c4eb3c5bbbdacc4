"""docs/performance.md: the figures of one run, the machine, the command that makes them, and what they mean."""

from __future__ import annotations

import os
import platform
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
    """Replace the figures between the page's marks; the words around them are people's."""
    page = PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    parts = [f"Measured on {datetime.now(UTC):%Y-%m-%d} by `make bench`: {machine}.\n"]
    for name, rows in found.items():
        parts.append(f"### {TITLES[name]}\n\n{markdown(rows)}\n")
        notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
        if notes:
            parts.append("\n".join(notes) + "\n")
    missed = [row.what for rows in found.values() for row in rows if row.met is False]
    parts.append("Missed in this run: " + ("; ".join(missed) if missed else "nothing") + ".\n")
    PAGE.write_text(f"{head}{BEGIN}\n{chr(10).join(parts)}{END}{tail}")


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
}
