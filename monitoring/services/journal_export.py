"""The journal as a file: the calls that are shown, one a line, read by a server-side cursor in small chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from monitoring.models.calls import Call
from monitoring.selectors import journal
from monitoring.selectors.journal_question import BadFilter, Wanted, parse
from monitoring.selectors.journal_rows import is_in_reach, rows
from monitoring.services.errors import NotThere
from monitoring.services.exports import Asked, register
from monitoring.services.tables import Cell, Column

CHUNK = 2_000
COLUMNS = (
    Column(pgettext_lazy("column", "Began"), "moment", 20),
    Column(pgettext_lazy("column", "Ended"), "moment", 20),
    Column(pgettext_lazy("column", "Direction"), width=12),
    Column(pgettext_lazy("column", "Number"), "phone", 20),
    Column(pgettext_lazy("column", "Name"), width=24),
    Column(pgettext_lazy("column", "Line"), width=24),
    Column(pgettext_lazy("column", "Queues"), width=24),
    Column(pgettext_lazy("column", "Who talked"), width=28),
    Column(pgettext_lazy("column", "Who was rung in vain"), width=28),
    Column(pgettext_lazy("column", "Wait, s"), "seconds", 10),
    Column(pgettext_lazy("column", "Talk, s"), "seconds", 10),
    Column(pgettext_lazy("column", "Outcome"), width=18),
    Column(pgettext_lazy("column", "Marks"), width=18),
    Column(pgettext_lazy("column", "Recording"), width=10),
)
OUTCOMES = {
    "answered": pgettext_lazy("call outcome", "Answered"),
    "abandoned": pgettext_lazy("call outcome", "Hung up waiting"),
    "no_answer": pgettext_lazy("call outcome", "No answer"),
    "busy": pgettext_lazy("call outcome", "Busy"),
    "failed": pgettext_lazy("call outcome", "Failed"),
    "interrupted": pgettext_lazy("call outcome", "Cut off"),
    "open": pgettext_lazy("call outcome", "In progress"),
}
DIRECTIONS = {
    "in": pgettext_lazy("call direction", "Incoming"),
    "out": pgettext_lazy("call direction", "Outgoing"),
    "internal": pgettext_lazy("call direction", "Internal"),
}


def lines(asked: Asked) -> Iterator[Sequence[Cell]]:
    wanted, reach = _wanted(asked), journal.reach_of(asked.owner)
    # Memory holds one chunk: the cursor's, and the names that belong to it.
    found = journal.every(wanted, reach).iterator(chunk_size=CHUNK)
    for chunk in _chunks(found):
        for row in rows(chunk):
            call = row.call
            yield (
                call.started,
                call.ended,
                str(DIRECTIONS.get(call.direction, call.direction)),
                row.number,
                call.name,
                row.line,
                ", ".join(row.queues),
                " → ".join(row.talked),
                ", ".join(row.rang),
                round(call.wait_seconds),
                round(call.talk_seconds),
                str(OUTCOMES.get(call.disposition, call.disposition)),
                ", ".join(mark.label for mark in row.marks),
                _("yes") if call.recorded else "",
            )


def _chunks(found: Iterator[Call]) -> Iterator[list[Call]]:
    while chunk := list(islice(found, CHUNK)):
        yield chunk


def count(asked: Asked, limit: int) -> int:
    return journal.every(_wanted(asked), journal.reach_of(asked.owner)).order_by()[:limit].count()


def title(asked: Asked) -> str:
    wanted = _wanted(asked)
    days = f"{wanted.first:%d.%m.%Y}" + (f"–{wanted.last:%d.%m.%Y}" if wanted.last != wanted.first else "")
    return _("Calls %(days)s") % {"days": days}


def _wanted(asked: Asked) -> Wanted:
    try:
        wanted = parse(QueryDict(str(asked.question.get("query", ""))), zone=asked.zone, now=timezone.now())
    except BadFilter as error:
        raise NotThere(str(error)) from error
    reach = journal.reach_of(asked.owner)
    if not is_in_reach(reach, queue=wanted.queue, group=wanted.group, manager=wanted.manager):
        raise NotThere(gettext_lazy("There is no such export."))
    return wanted


register("calls", COLUMNS, lines, title=title, count=count)
