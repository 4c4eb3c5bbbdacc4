"""The tables of the statistics as files: each page's main table, with the numbers themselves and not their writing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.domain.metrics import METRICS
from monitoring.domain.statistics import BadQuestion
from monitoring.models.reports import ReportPage
from monitoring.selectors import board_rights
from monitoring.selectors.reports import names
from monitoring.selectors.reports.ask import Ask, read
from monitoring.selectors.reports.blocks import Line, Table
from monitoring.selectors.reports.pages import PAGES
from monitoring.selectors.reports.wording import period
from monitoring.selectors.scopes import title_of
from monitoring.services import exports
from monitoring.services.exports import Asked, TooMuch
from monitoring.services.tables import Cell, Column

WITH_TABLE = (ReportPage.QUEUES, ReportPage.MANAGERS, ReportPage.LINES, ReportPage.HOURS)


def _ask(asked: Asked) -> Ask:
    """The page's question with the owner's rights of now. Raises TooMuch, whose words the person sees."""
    zone, groups = asked.zone, board_rights(asked.owner)
    today = datetime.fromtimestamp(timezone.now().timestamp(), ZoneInfo(zone)).date()
    try:
        ask = read(
            dict(parse_qsl(str(asked.question.get("query", "")))), zone=zone, today=today, groups=groups
        )
    except BadQuestion as reason:
        raise TooMuch(_(str(reason))) from reason
    if title_of(ask.scope, groups) is None:
        raise TooMuch(_("There is nothing like that to report on."))
    return ask


def _table(page: str, asked: Asked) -> Table | None:
    blocks = PAGES[page](_ask(asked), "").blocks
    return next((block for block in blocks if isinstance(block, Table)), None)


def _columns(page: str, asked: Asked) -> Sequence[Column]:
    table = _table(page, asked)
    if table is None:
        return [Column(_("No calls in this time"), width=30)]
    kinds = {"count": "number", "ratio": "number", "seconds": "seconds", "share": "share"}
    return [
        Column(table.first, width=30),
        *(
            Column(column.title, kinds[METRICS[column.key].unit], 14)  # type: ignore[arg-type] # values of the map
            for column in table.columns
        ),
    ]


def _rows(page: str, asked: Asked) -> Iterator[Sequence[Cell]]:
    table = _table(page, asked)
    if table is None:
        return
    for line in (*table.rows, *([table.total] if table.total else [])):
        yield _row(line)


def _row(line: Line) -> Sequence[Cell]:
    return [line.title, *(cell.sort for cell in line.cells)]


def _title(page: ReportPage, asked: Asked) -> str:
    try:
        ask = _ask(asked)
    except TooMuch:
        return str(page.label)
    about = names.heading(ask.scope, title_of(ask.scope, ask.groups) or "")
    return " · ".join(part for part in (str(page.label), about, period(ask.first, ask.last)) if part)


def _register(page: ReportPage) -> None:
    exports.register(
        f"statistics.{page.value}",
        lambda asked: _columns(page.value, asked),
        lambda asked: _rows(page.value, asked),
        title=lambda asked: _title(page, asked),
    )


for _page in WITH_TABLE:
    _register(_page)
