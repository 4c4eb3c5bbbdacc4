"""A month's course as a drawing: a column a day, and the bound of the tier as a line across."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.selectors.course import Course

WIDTH, HEIGHT, LEFT, BELOW, ABOVE = 960, 180, 40, 24, 14


@dataclass(frozen=True, slots=True)
class Column:
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    blocks: list[Column]
    grid: list[Mark]
    below: list[Mark]
    bound: Mark | None


def drawing(course: Course, *, bound: int | None) -> Drawing:
    """``bound``: of the tier or of the included profiles; None draws no line."""
    top = max(course.most, bound or 0, 4)
    step = max(1, -(-top // 4))
    top = step * -(-top // step)
    high = HEIGHT - BELOW - ABOVE
    room = (WIDTH - LEFT) / course.month.days

    def height(count: int) -> float:
        return round(HEIGHT - BELOW - high * count / top, 1)

    blocks, below = [], []
    for place, day in enumerate(course.month.each_day()):
        x = round(LEFT + place * room, 1)
        if day.day == 1 or day.day % 5 == 0:
            below.append(Mark(round(x + room / 2, 1), HEIGHT - 7, str(day.day)))
        most = course.days[place].most if place < len(course.days) else 0
        if most:
            y = height(most)
            title = f"{date_format(day, 'j E')}: {most}"
            blocks.append(
                Column(
                    round(x + room * 0.15, 1), y, round(room * 0.7, 1), round(HEIGHT - BELOW - y, 1), title
                )
            )
    grid = [Mark(LEFT, height(count), str(count)) for count in range(0, top + 1, step)]
    line = Mark(LEFT, height(bound), _("bound: %(count)s") % {"count": bound}) if bound else None
    return Drawing(blocks, grid, below, line)
