"""What a report is made of: tables, charts, heat maps, bars. Pages, print and PDF draw the same blocks.

Drawings are told in numbers: the same for the browser's canvas, an SVG on paper and the table for screen readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from monitoring.domain.limits import Grade

Look = Literal["calm", "good", "lost", "away", "line"]


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    title: str
    meaning: str
    norm: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """``sort``: what the column is ordered by, None last. ``explain``: query of "how was this counted", "" = none."""

    text: str
    sort: float | None
    grade: Grade = "none"
    word: str = ""
    explain: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """``query``: the address that opens this row's own page."""

    title: str
    cells: tuple[Cell, ...]
    query: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """``export``: the kind by which it can be had as a file, "" when it cannot."""

    title: str
    first: str
    columns: tuple[Column, ...]
    rows: tuple[Line, ...]
    total: Line | None = None
    note: str = ""
    ordered: str = ""
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Series:
    """``line``: drawn as a line by the share axis (0…1), else stacked columns of counts."""

    title: str
    look: Look
    values: tuple[float | None, ...]
    texts: tuple[str, ...]
    line: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """A rectangle of the drawing."""

    x: float
    y: float
    width: float
    height: float
    look: Look
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A word of the drawing's axes."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """In units of a 960 × 260 paper."""

    columns: tuple[Shape, ...]
    paths: tuple[tuple[str, str], ...]
    dots: tuple[tuple[float, float], ...]
    below: tuple[Mark, ...]
    left: tuple[Mark, ...]
    right: tuple[Mark, ...]
    grid: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """``norm``: a limit of the line, drawn across."""

    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    drawing: Drawing
    note: str = ""
    norm: float | None = None
    kind: str = "chart"

    def data(self) -> dict[str, object]:
        """What the browser's chart is given."""
        return {
            "labels": self.labels,
            "norm": self.norm,
            "series": [
                {
                    "title": one.title,
                    "look": one.look,
                    "values": one.values,
                    "texts": one.texts,
                    "line": one.line,
                }
                for one in self.series
            ],
        }

    def table(self) -> list[tuple[str, list[str]]]:
        return [(label, [one.texts[place] for one in self.series]) for place, label in enumerate(self.labels)]


@dataclass(frozen=True, slots=True)
class HeatCell:
    """``level``: 0 (nothing) to 5; ``text`` is said aloud and on hover."""

    level: int
    text: str
    explain: str
    shown: str


@dataclass(frozen=True, slots=True)
class Heat:
    title: str
    hours: tuple[int, ...]
    rows: tuple[tuple[str, tuple[HeatCell, ...]], ...]
    legend: tuple[tuple[int, str], ...]
    note: str = ""
    kind: str = "heat"


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar, in thousandths of its length. ``place``: which pattern of the legend it has."""

    x: float
    width: float
    place: int
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    title: str
    query: str
    segments: tuple[Segment, ...]
    total: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Stacked bars of the same length, for shares. ``legend``: (tone, words)."""

    title: str
    legend: tuple[tuple[str, str], ...]
    bars: tuple[Bar, ...]
    note: str = ""
    kind: str = "bars"


@dataclass(frozen=True, slots=True)
class Bin:
    """``within``: up to the threshold of the service level. Heights and tops in hundredths of the drawing."""

    label: str
    short: str
    answered: int
    lost: int
    answered_height: float
    lost_height: float
    within: bool

    @property
    def answered_top(self) -> float:
        return round(100 - self.answered_height, 1)

    @property
    def lost_top(self) -> float:
        """Lost ones stand on the answered ones."""
        return round(100 - self.answered_height - self.lost_height, 1)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Waits by length; heights in hundredths of the tallest bin."""

    title: str
    bins: tuple[Bin, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Histograms:
    title: str
    parts: tuple[Histogram, ...]
    note: str = ""
    kind: str = "histograms"


Block = Table | Chart | Heat | Bars | Histograms

WIDTH, HEIGHT = 960.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 46.0, 12.0, 28.0


def chart(
    title: str, labels: Sequence[str], series: Sequence[Series], *, note: str = "", norm: float | None = None
) -> Chart:
    return Chart(title, tuple(labels), tuple(series), _draw(labels, series), note, norm)


def _draw(labels: Sequence[str], series: Sequence[Series]) -> Drawing:
    stacked = [one for one in series if not one.line]
    sums = [sum(one.values[place] or 0 for one in stacked) for place in range(len(labels))]
    top = ceiling(max(sums, default=0))
    inner, tall = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    step = inner / max(1, len(labels))
    width = min(step * 0.72, 56)
    columns: list[Shape] = []
    for place in range(len(labels)):
        floor = HEIGHT - _BOTTOM
        for one in stacked:
            value = one.values[place] or 0
            height = value / top * tall
            if height > 0:
                floor -= height
                x = _LEFT + step * place + (step - width) / 2
                said = f"{labels[place]}: {one.title} {one.texts[place]}"
                columns.append(Shape(_r(x), _r(floor), _r(width), _r(height), one.look, said))
    paths, dots = [], list[tuple[float, float]]()
    for one in series:
        if one.line:
            spots = [
                (_r(_LEFT + step * (place + 0.5)), _r(HEIGHT - _BOTTOM - value * tall))
                if value is not None
                else None
                for place, value in enumerate(one.values)
            ]
            paths.append((_path(spots), one.title))
            dots += [spot for spot in spots if spot is not None]
    every = max(1, -(-len(labels) // 12))
    below = tuple(
        Mark(_r(_LEFT + step * (place + 0.5)), HEIGHT - 8, labels[place])
        for place in range(0, len(labels), every)
    )
    grid = tuple(_r(_TOP + tall * part / 4) for part in range(5))
    left = tuple(Mark(_LEFT - 6, y + 4, _short(top * (4 - place) / 4)) for place, y in enumerate(grid))
    right = (
        tuple(Mark(WIDTH - _RIGHT + 6, y + 4, f"{100 - 25 * place} %") for place, y in enumerate(grid))
        if paths
        else ()
    )
    return Drawing(tuple(columns), tuple(paths), tuple(dots), below, left, right, grid)


def _path(spots: Sequence[tuple[float, float] | None]) -> str:
    """Broken where there is no value."""
    said, pen = [], "M"
    for spot in spots:
        if spot is None:
            pen = "M"
            continue
        said.append(f"{pen}{spot[0]} {spot[1]}")
        pen = "L"
    return " ".join(said)


def ceiling(most: float) -> float:
    """A round number not below ``most`` that four lines divide well."""
    step = 4.0
    while step < most:
        for times in (1, 2, 3, 5):
            if step * times >= most:
                return step * times
        step *= 10
    return step


def sparkline(values: Sequence[float | None]) -> str:
    """Points of a polyline on a paper of 100 × 24; "" for fewer than three values."""
    known = [value for value in values if value is not None]
    if len(known) < 3:
        return ""
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    step = 100 / max(1, len(values) - 1)
    return " ".join(
        f"{_r(place * step)},{_r(22 - (value - low) / span * 20)}"
        for place, value in enumerate(values)
        if value is not None
    )


def _short(value: float) -> str:
    return f"{value:g}" if value < 10_000 else f"{value / 1000:g}k"


def _r(value: float) -> float:
    return round(value, 1)


@dataclass(slots=True)
class Stack:
    """Collects segments of one bar of thousand units."""

    total: float
    segments: list[Segment] = field(default_factory=list)
    x: float = 0.0

    def put(self, value: float, place: int, text: str) -> None:
        if value > 0 and self.total > 0:
            width = value / self.total * 1000
            self.segments.append(Segment(_r(self.x), _r(width), place, text))
            self.x += width
