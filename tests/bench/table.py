"""One row of the bench and how it reads: what was measured, its baseline, ours, their ratio, the goal, met or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEAD = ("what", "baseline", "ours", "ratio", "goal", "met?")


@dataclass(frozen=True, kw_only=True)
class Row:
    """``ratio``: times better than the baseline, or, where ``most_ratio`` bounds it, times dearer. ``most``: what ours
    may be. A row without any goal is there to be read, not judged.
    """

    what: str
    ours: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    most: float | None = None
    least_ratio: float | None = None
    most_ratio: float | None = None
    note: str = ""

    @property
    def goal(self) -> str:
        parts = []
        if self.most is not None:
            parts.append(f"≤ {number(self.most)} {self.unit}".strip())
        if self.least_ratio is not None:
            parts.append(f"≥ {self.least_ratio:g}×")
        if self.most_ratio is not None:
            parts.append(f"≤ {self.most_ratio:g}×")
        return ", ".join(parts)

    @property
    def met(self) -> bool | None:
        """None: there is no goal."""
        if not self.goal:
            return None
        slow = self.most is not None and self.ours > self.most
        behind = self.least_ratio is not None and (self.ratio is None or self.ratio < self.least_ratio)
        dear = self.most_ratio is not None and (self.ratio is None or self.ratio > self.most_ratio)
        return not (slow or behind or dear)

    def cells(self) -> tuple[str, ...]:
        measured = "—" if self.baseline is None else f"{number(self.baseline)} {self.unit}"
        ratio = (
            "" if self.ratio is None else f"{self.ratio:.2f}×" if self.ratio < 10 else f"{self.ratio:,.0f}×"
        )
        met = {None: "", True: "yes", False: "NO"}[self.met]
        return (self.what, measured, f"{number(self.ours)} {self.unit}".strip(), ratio, self.goal, met)


def number(value: float) -> str:
    """Three meaningful digits, thousands told apart."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def printed(rows: Iterable[Row]) -> str:
    """For a terminal; the notes of rows stand under them."""
    lines = [HEAD, *(row.cells() for row in rows)]
    wide = [max(len(line[n]) for line in lines) for n in range(len(HEAD))]
    return "\n".join(_aligned(line, wide) for line in lines)


def _aligned(cells: Sequence[str], wide: Sequence[int]) -> str:
    first, *rest = cells
    return "  ".join(
        [f"{first:<{wide[0]}}", *(f"{cell:>{width}}" for cell, width in zip(rest, wide[1:], strict=True))]
    )


def markdown(rows: Iterable[Row]) -> str:
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---:|---:|---:|---|---|"]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    return "\n".join(lines)
