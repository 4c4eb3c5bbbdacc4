"""The journal at five million calls in one schema: first page, filtered pages, any part of a number, export.

It measures through the selectors the pages use.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.past import CALLS, END, past
from tests.bench.table import Row

if TYPE_CHECKING:
    from monitoring.selectors.journal import Reach

GOAL = 100.0  # milliseconds a page
REPEATS = 7
EXPORTED = 60_000

# What is asked, in the journal's own words; {…} are ids of the rows made here.
YEAR = "from=2025-11-22&to=2026-11-22"
FILTERED = {
    "a week, outgoing": "direction=out",
    "a month, abandoned": "period=month&outcome=abandoned",
    "a year, one line of forty": f"{YEAR}&line=74950000007",
    "a year, a line nobody calls": f"{YEAR}&line=74959999999",
    "a year, one queue of twenty": f"{YEAR}&queue={{queue}}",
    "a year, one manager of 300": f"{YEAR}&manager={{manager}}",
    "a year, a manager who took no call": f"{YEAR}&manager={{idle}}",
    "a year, one group of ten": f"{YEAR}&group={{group}}",
    "a year, waited five minutes": f"{YEAR}&min_wait=300",
    "a year, talked half an hour": f"{YEAR}&min_talk=1800",
    "a year, marked": f"{YEAR}&marked=1",
}
NUMBERS = {
    "three digits": "495",
    "the code of all mobiles": "+7 9",
    "four digits in the middle": "4951",
    "seven digits nobody has": "555 12 34",
    "a whole number, typed with 8": "8 (495) 000-12-34",
    "the last four digits": "12-34",
}


def rows() -> list[Row]:
    with past() as ids:
        return measure(ids)


def measure(ids: dict[str, int]) -> list[Row]:
    from monitoring.selectors.journal import Reach

    everything = Reach(None)
    first = timed(lambda: page("period=month", everything))
    head = timed(lambda: page("period=month", Reach(frozenset({ids["group"]}))))
    deep = timed(lambda: page("period=month", everything, after=4_000))
    filtered = {what: timed(partial(page, q.format(**ids), everything)) for what, q in FILTERED.items()}
    numbers = {
        what: timed(partial(page, f"{YEAR}&number={n.replace('+', '%2B')}", everything))
        for what, n in NUMBERS.items()
    }
    speed, grown = export()
    return [
        millis("the journal's first page", first, f"{CALLS:,} calls in the schema, a month asked for"),
        millis("the same for a supervisor of one group in ten", head),
        millis("a page 4,000 calls further down", deep),
        millis("a filtered page, the slowest of them", max(filtered.values()), told(filtered)),
        millis("calls by part of a number in a year, the slowest", max(numbers.values()), told(numbers)),
        Row(what="export of the journal to CSV", ours=speed, unit="rows/s"),
        Row(
            what="memory an export takes, whatever its length", ours=grown, unit="MB", most=64,
            note=f"growth of the process while {EXPORTED:,} rows were written after the first 5,000",
        ),
    ]  # fmt: skip


def millis(what: str, seconds: float, note: str = "") -> Row:
    return Row(what=what, ours=seconds * 1000, unit="ms", most=GOAL, note=note)


def told(times: dict[str, float]) -> str:
    return "; ".join(f"{what} {seconds * 1000:.0f} ms" for what, seconds in times.items())


def timed(ask: Callable[[], object]) -> float:
    """Median seconds, the first asking left out: it warms the database's memory."""
    ask()
    taken = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def page(query: str, reach: Reach, after: int = 0) -> object:
    """What the page's view does between the address and the template."""
    from django.http import QueryDict

    from monitoring.models import Call
    from monitoring.selectors import journal
    from monitoring.selectors.journal_question import parse
    from monitoring.selectors.journal_rows import rows as rows_of

    wanted = parse(QueryDict(query), zone="Europe/Moscow", now=END)
    place = journal.Place.of(Call.objects.order_by("-started")[after]) if after else None
    return rows_of(journal.page(wanted, reach, after=place).calls)


def export() -> tuple[float, float]:
    """(rows a second, MB grown). The rows go through the file's writer as an export's do."""
    from itertools import islice

    from monitoring.models.exports import Form
    from monitoring.services import journal_export
    from monitoring.services.exports import Asked
    from monitoring.services.tables import writer
    from tenants.people.models import Role, User

    asked = Asked(
        User(role=Role.ADMIN, is_active=True), {"query": "from=2026-09-01&to=2026-11-22"}, "Europe/Moscow"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.csv"
        with writer(Form.CSV, path, journal_export.COLUMNS, zone=asked.zone, language="ru") as write:
            lines = iter(journal_export.lines(asked))
            for row in islice(lines, 5_000):
                write(row)
            before, began = peak(), time.perf_counter()
            for row in islice(lines, EXPORTED):
                write(row)
            return EXPORTED / (time.perf_counter() - began), peak() - before


def peak() -> float:
    """MB of memory this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
