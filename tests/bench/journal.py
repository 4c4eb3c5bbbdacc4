"""The journal at five million calls in one schema: first page, filtered pages, any part of a number, export.

It brings its own PostgreSQL, fills it by SQL, measures through the selectors the pages use, and leaves nothing.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccenter.demo import embedded
from tests.bench.table import Row

if TYPE_CHECKING:
    from monitoring.selectors.journal import Reach

CALLS = 5_000_000
DAYS = 365
MANAGERS, QUEUES, GROUPS, LINES = 300, 20, 10, 40
END = datetime(2026, 11, 22, tzinfo=UTC)
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
    state = Path(tempfile.mkdtemp(prefix="ccenter-bench-"))
    state.chmod(0o711)  # PostgreSQL runs as another user and must walk through
    try:
        os.environ |= {
            "CCENTER_STATE": str(state),
            "DATABASE_URL": embedded.postgres(state, throwaway=True),
            "DATABASE_POOL": "0",
            "DJANGO_SETTINGS_MODULE": "ccenter.settings.demo",
        }
        return measure()
    finally:
        embedded.stop(state)
        shutil.rmtree(state, ignore_errors=True)


def measure() -> list[Row]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from monitoring.selectors.journal import Reach
    from tenants.scope import company_scope
    from tenants.services import create_company

    call_command("migrate_schemas", shared=True, verbosity=0)
    create_company(slug="bench", name="Замер")
    connection.settings_dict["CONN_MAX_AGE"] = None
    with company_scope("bench"):
        ids = fill()
        everything = Reach(None)
        first = timed(lambda: page("period=month", everything))
        head = timed(lambda: page("period=month", Reach(frozenset({ids["group"]}))))
        deep = timed(lambda: page("period=month", everything, after=4_000))
        filtered = {
            what: timed(lambda q=q: page(q.format(**ids), everything)) for what, q in FILTERED.items()
        }
        numbers = {
            what: timed(lambda n=n: page(f"{YEAR}&number={n.replace('+', '%2B')}", everything))
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


def fill() -> dict[str, int]:
    """Calls in order of time over a year, a leg each, a stay in a queue for those that came in; marks on a thousand."""
    from django.db import connection

    from monitoring.models import Group, Manager, Queue
    from tenants.models import Pbx

    pbx = Pbx.objects.create(name="АТС", host="127.0.0.1", username="x")
    groups = [Group.objects.create(title=f"Группа {n}") for n in range(GROUPS)]
    managers = Manager.objects.bulk_create(
        Manager(title=f"Менеджер {n}", extension=str(1000 + n), pbx=pbx, pbx_name=f"bench_{1000 + n}")
        for n in range(MANAGERS + 1)
    )
    queues = Queue.objects.bulk_create(
        Queue(name=f"q{n}", title=f"Очередь {n}", extension=str(3000 + n), pbx=pbx, pbx_name=f"bench_q{n}")
        for n in range(QUEUES)
    )
    values: dict[str, Any] = {
        "calls": CALLS, "days": DAYS, "end": END, "lines": LINES, "groups": GROUPS, "managers": MANAGERS,
        "queues": QUEUES, "group": groups[0].pk, "manager": managers[0].pk, "queue": queues[0].pk,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        put_back = without_indexes(cursor)
        for statement in (MAKE_CALLS, MAKE_LEGS, MAKE_VISITS, *put_back, MAKE_MARKS):
            cursor.execute(statement, values if "%(" in statement else None)
        for table in TABLES:
            cursor.execute(f"ANALYZE {table}")
    return {
        "group": groups[3].pk, "manager": managers[7].pk, "idle": managers[MANAGERS].pk, "queue": queues[5].pk,
    }  # fmt: skip


TABLES = ("monitoring_call", "monitoring_leg", "monitoring_queuevisit")


def without_indexes(cursor: Any) -> list[str]:
    """Take indexes and constraints off, for a faster load; the statements that put them back."""
    cursor.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('f', 'u')",
        [list(TABLES)],
    )
    back = []
    for table, name, definition in cursor.fetchall():
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        if definition.startswith("UNIQUE"):
            back.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    cursor.execute(
        "SELECT quote_ident(indexname), indexdef FROM pg_indexes"
        " WHERE schemaname = current_schema() AND tablename = ANY(%s) AND indexname NOT LIKE %s",
        [list(TABLES), "%pkey"],
    )
    for name, definition in cursor.fetchall():
        cursor.execute(f"DROP INDEX {name}")
        back.append(definition)
    return back


MAKE_CALLS = """
INSERT INTO monitoring_call (key, pbx, direction, number, name, line, started, answered, ended, disposition, hung_up_by,
    merged_into, revision, reconciled, customer, groups, wait_seconds, talk_seconds, recorded)
SELECT '1:' || i, '1', CASE WHEN r < 0.7 THEN 'in' ELSE 'out' END, '+' || customer, 'Клиент',
    '7495' || lpad((i * 31 %% %(lines)s)::text, 7, '0'), at, CASE WHEN d < 0.85 THEN at + interval '15 s' END,
    at + interval '15 s' + make_interval(secs => talk),
    CASE WHEN d < 0.85 THEN 'answered' WHEN d < 0.95 THEN 'abandoned' ELSE 'no_answer' END, 'customer', '',
    extract(epoch FROM at), false, customer, ARRAY[%(group)s + (i * 13 %% %(groups)s)]::int[],
    CASE WHEN r < 0.7 THEN wait ELSE 0 END, CASE WHEN d < 0.85 THEN talk ELSE 0 END, r < 0.5
FROM (
    SELECT i, random() AS r, random() AS d, -ln(1 - random()) * 25 AS wait, -ln(1 - random()) * 150 AS talk,
        %(end)s::timestamptz - (1 - i::float8 / %(calls)s) * make_interval(days => %(days)s) AS at,
        CASE WHEN i %% 10 < 7 THEN '79' || lpad((abs(hashint8(i %% 400000)::bigint) %% 1000000000)::text, 9, '0')
            ELSE '7495' || lpad((abs(hashint8(i %% 200000 + 7)::bigint) %% 10000000)::text, 7, '0') END AS customer
    FROM generate_series(1, %(calls)s) AS i
) AS made
"""
MAKE_LEGS = """
INSERT INTO monitoring_leg (call_id, uniqueid, manager_id, manager_name, queue_name, rang, answered, ended, outcome,
    available, origin, talk, hold, talk_seconds, hold_seconds, wrap_up_seconds, booked, groups)
SELECT id, key || '-2', %(manager)s + id * 17 %% %(managers)s, 'bench', '', started + interval '5 s', answered, ended,
    CASE WHEN talk_seconds > 0 THEN 'answered' ELSE 'missed' END, true, false, '[]', '[]', talk_seconds, 0, 0, ended,
    groups
FROM monitoring_call ORDER BY id
"""
MAKE_VISITS = """
INSERT INTO monitoring_queuevisit (pbx, uniqueid, call_key, queue_id, queue_name, joined, "left", outcome, reason,
    manager_name, wait, position, answer_within, short_abandon, line, groups)
SELECT '1', key, key, %(queue)s + id * 19 %% %(queues)s, 'bench', started + interval '2 s', started + interval '15 s',
    CASE WHEN disposition = 'answered' THEN 'answered' ELSE 'abandoned' END, '', '', wait_seconds, 1, 20, 5, line,
    groups
FROM monitoring_call WHERE direction = 'in' ORDER BY id
"""
MAKE_MARKS = """
INSERT INTO monitoring_callmark (call_id, mark_id, at)
SELECT id, (SELECT min(id) FROM monitoring_mark), started FROM monitoring_call WHERE id %% 5003 = 0 AND %(calls)s > 0
"""
