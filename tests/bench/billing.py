"""A month billed for a thousand companies of 50,000 calls each, and the sweep in PostgreSQL beside the one in Python.

Two companies have tables; the schemas of the others hold views onto these, so that each is really swept and none
is made for minutes. The run is the product's own: an item each, worked by two processes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psutil

from tests.bench.past import database, without_indexes
from tests.bench.table import Row

ROOT = Path(__file__).resolve().parents[2]
COMPANIES = int(os.environ.get("CCENTER_BENCH_COMPANIES", "1000"))
REAL = ("first", "second")  # companies with tables of their own
CALLS = 50_000  # of the month that is billed
MANY = 500_000  # of the month before, in the first company: for the sweeps beside each other
WORKERS = 2
MONTH, BEFORE = date(2026, 6, 1), date(2026, 5, 1)
NOW = datetime(2026, 7, 5, tzinfo=UTC)
ZONE = "Europe/Moscow"
SHOWN = (
    "call", "leg", "profile", "profileactivity", "policy", "cleaning", "manager",
)  # fmt: skip  # what billing reads of a company
ROUNDS = 3


def rows() -> list[Row]:
    with database():
        prepare()
        return [*sweeps(), *run()]


def prepare() -> None:
    from django.core.management import call_command
    from django.db import connection

    from tenants.scope import company_scope
    from tenants.services import create_company

    call_command("migrate_schemas", shared=True, verbosity=0)
    june, july = (_epoch(date(2026, month, 1)) for month in (6, 7))
    for place, slug in enumerate(REAL):
        create_company(slug=slug, name=slug)
        with company_scope(slug), connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("SELECT setseed(%s)", [0.25 * (place + 1)])
            put_back = without_indexes(cursor)
            if place == 0:
                fill(cursor, MANY, _epoch(BEFORE), june - 86_400)  # none of them reaches June
            fill(cursor, CALLS, june, july)
            for statement in put_back:
                cursor.execute(statement)
            cursor.execute("SET session_replication_role = DEFAULT")
            cursor.execute("VACUUM ANALYZE monitoring_call")
            cursor.execute("VACUUM ANALYZE monitoring_leg")
    share()


def fill(cursor: Any, calls: int, begin: float, until: float) -> None:
    """Calls over the whole time, each with a leg; each fifth was on hold, each third rang in vain somewhere first."""
    values = {"calls": calls, "begin": begin, "step": (until - begin) / calls}
    cursor.execute("SELECT coalesce(max(id), 0) FROM monitoring_call")
    [values["last"]] = cursor.fetchone()
    for statement in (_CALLS, _LEGS, _MISSES):
        cursor.execute(statement, values)


_CALLS = """
INSERT INTO monitoring_call (key, pbx, direction, number, name, line, started, answered, ended, disposition,
    hung_up_by, merged_into, revision, reconciled, customer, groups, wait_seconds, talk_seconds, recorded)
SELECT '1:' || (%(last)s + i), '1', CASE WHEN i %% 20 = 0 THEN 'internal' ELSE 'in' END, '+79160000000', '',
    '78005553535', at, at + interval '15 s', at + make_interval(secs => 15 + talk), 'answered', 'customer', '', 0,
    false, '79160000000', ARRAY[1], 15, talk, false
FROM (
    SELECT i, to_timestamp(%(begin)s + i * %(step)s) AS at, -ln(1 - random()) * 150 AS talk
      FROM generate_series(0, %(calls)s - 1) AS i
) AS made
"""
_LEGS = """
INSERT INTO monitoring_leg (call_id, uniqueid, manager_name, queue_name, rang, answered, ended, outcome, available,
    origin, talk, hold, talk_seconds, hold_seconds, wrap_up_seconds, booked, groups)
SELECT id, key || '-2', 'm' || id %% 200, 'q', started + interval '5 s', answered, ended, 'answered', true, false,
    CASE WHEN id %% 5 = 0 THEN jsonb_build_array(
        jsonb_build_array(a, a + (z - a) / 3), jsonb_build_array(a + (z - a) / 2, z)
    ) ELSE jsonb_build_array(jsonb_build_array(a, z)) END,
    CASE WHEN id %% 5 = 0 THEN jsonb_build_array(jsonb_build_array(a + (z - a) / 3, a + (z - a) / 2))
        ELSE '[]' END,
    talk_seconds, 0, 0, ended, groups
FROM (
    SELECT *, date_part('epoch', answered) AS a, date_part('epoch', ended) AS z FROM monitoring_call
     WHERE id > %(last)s
) AS called ORDER BY id
"""
_MISSES = """
INSERT INTO monitoring_leg (call_id, uniqueid, manager_name, queue_name, rang, ended, outcome, available, origin, talk,
    hold, talk_seconds, hold_seconds, wrap_up_seconds, booked, groups)
SELECT id, key || '-3', 'm0', 'q', started, answered, 'missed', true, false, '[]', '[]', 0, 0, 0, answered, groups
  FROM monitoring_call WHERE id > %(last)s AND id %% 3 = 0
"""


def share() -> None:
    """A thousand companies that take the plan by calls; all but the real ones look into those two's tables."""
    from django.db import connection

    from billing.models import Account, PlanVersion, Seller, Subscription
    from billing.models import Phase as TakenPlan
    from tenants import lookup
    from tenants.models import Company

    slugs = [f"c{n}" for n in range(COMPANIES - len(REAL))]
    with connection.cursor() as cursor:
        for place, slug in enumerate(slugs):
            source = REAL[place % len(REAL)]
            views = " ".join(
                f"CREATE VIEW {slug}.monitoring_{table} AS SELECT * FROM {source}.monitoring_{table};"  # noqa: S608
                for table in SHOWN
            )
            cursor.execute(f"CREATE SCHEMA {slug}; {views}")
    Company.objects.bulk_create(Company(schema_name=slug, name=slug) for slug in slugs)
    lookup.forget()
    seller = Seller.objects.create(legal_name="Замер", inn="7736050003")
    version = PlanVersion.objects.get(plan__code="per_concurrency")
    companies = list(Company.objects.order_by("pk"))
    Account.objects.bulk_create(Account(company=company, legal_name=company.name) for company in companies)
    taken = Subscription.objects.bulk_create(
        Subscription(company=company, seller=seller, time_zone=ZONE, starts_on=MONTH) for company in companies
    )
    TakenPlan.objects.bulk_create(
        TakenPlan(subscription=one, version=version, starts_on=MONTH) for one in taken
    )


def sweeps() -> Iterator[Row]:
    """The same answer by both ways, in turns. Python reads plain rows, as fast as the driver gives them."""
    from billing.domain.concurrency import peak
    from billing.domain.periods import month_of
    from monitoring import facade

    for month, calls in ((MONTH, CALLS), (BEFORE, MANY)):
        period = month_of(month, ZONE)
        ours, python = list[float](), list[float]()
        reading = 0.0
        for _ in range(ROUNDS):
            began = time.perf_counter()
            found = facade.busiest("first", period.begin, period.until)
            ours.append(time.perf_counter() - began)
            began = time.perf_counter()
            told = read(period.begin, period.until)
            reading = time.perf_counter() - began
            expected = peak(told, period.begin, period.until)
            python.append(time.perf_counter() - began)
            assert (found.count, found.at, found.keys) == (expected.count, expected.at, expected.keys)
            del told
        sql, memory = statistics.median(ours), statistics.median(python)
        sql, memory = statistics.median(ours), statistics.median(python)
        yield Row(
            what=f"peak of a month of {calls:,} calls: in PostgreSQL, beside Python", unit="s",
            baseline=memory, ours=sql, ratio=memory / sql, least_ratio=5,
            note=f"{found.count} at once; Python reads for {reading:.2f} s, the rest is its sweep",
        )  # fmt: skip
    began = time.perf_counter()
    facade.calls_mark("first", *_window(), now=NOW)
    yield Row(
        what="the mark of a month of 50,000 calls, by which a later change is noticed", unit="ms",
        ours=(time.perf_counter() - began) * 1000,
    )  # fmt: skip


def read(begin: datetime, until: datetime) -> list[tuple[str, list[tuple[datetime, datetime]]]]:
    """Each leg's intervals under its call's key; these calls have all ended."""
    from django.db import connection

    from tenants.scope import company_scope

    with company_scope("first"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, talk || hold FROM monitoring_call AS call JOIN monitoring_leg AS leg ON leg.call_id = call.id"
            " WHERE started >= %s - interval '7 days' AND started < %s AND call.ended > %s"
            " AND direction <> 'internal' AND merged_into = ''",
            [begin, until, begin],
        )
        return [
            (
                key,
                [
                    (datetime.fromtimestamp(a, UTC), datetime.fromtimestamp(z, UTC))
                    for a, z in json.loads(spans)
                ],
            )
            for key, spans in cursor
        ]


def run() -> list[Row]:
    from celery import current_app
    from django.db import connection
    from django.db.models import Count

    from billing.models import Invoice
    from billing.services import runs
    from billing.services.acts import TIMETABLE

    current_app.conf.update(broker_url="memory://localhost/")  # items are handed to the workers below
    began = time.perf_counter()
    this = runs.start(who=TIMETABLE, month=MONTH, now=NOW)
    items = runs.waiting_items(this)
    assert len(items) == COMPANIES
    starting = time.perf_counter() - began
    with workers() as told:
        began = time.perf_counter()
        for place, worker in enumerate(told):
            assert worker.stdin is not None
            worker.stdin.write(json.dumps(items[place::WORKERS]) + "\n")
            worker.stdin.flush()
        answers = [json.loads(worker.stdout.readline()) for worker in told if worker.stdout is not None]
        took = time.perf_counter() - began
    this.refresh_from_db()
    totals = list(Invoice.objects.values_list("total").annotate(count=Count("pk")).order_by("total"))
    assert (this.state, sum(count for _, count in totals)) == ("done", COMPANIES), (this.state, totals)
    each = sorted(second for answer in answers for second in answer["took"])
    queries = [count for answer in answers for count in answer["queries"]]
    connection.close()
    billed = ", ".join(f"{count} × {total} ₽" for total, count in totals)
    whole = f"{COMPANIES:,} companies × {CALLS:,} calls rated in one run"
    return [
        Row(
            what=f"{whole}, {WORKERS} workers", unit="s", ours=took,
            note=f"drafts of {billed}; the run itself was made in {starting * 1000:.0f} ms",
        ),
        Row(
            what="a company of them, p50", unit="ms", ours=statistics.median(each) * 1000,
            note=f"the slowest {each[-1] * 1000:,.0f} ms; mark, sweep, rating and the draft's rows",
        ),
        Row(
            what="queries a company", unit="", ours=statistics.median(queries), most=60,
            note=f"{min(queries)} to {max(queries)}, each of a company's own preceded by its search path",
        ),
        Row(
            what="memory a worker grows by over the run, at its peak", unit="MB",
            ours=max(0.0, *(answer["peak"] - answer["before"] for answer in answers)), most=50,
            note=f"the whole worker at its peak: {max(answer['peak'] for answer in answers):.0f} MB",
        ),
    ]  # fmt: skip


@contextmanager
def workers() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that have everything loaded and wait for their items."""
    found = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.bench.billing"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(WORKERS)
    ]  # fmt: skip
    try:
        for worker in found:
            assert worker.stdout is not None
            worker.stdout.readline()
        yield found
    finally:
        for worker in found:
            worker.kill()
            worker.wait()


def work() -> None:
    """A worker: ready, then one list of items, then what they took."""
    import django

    django.setup()
    from django.db import connection

    from billing.services import runs

    connection.settings_dict["CONN_MAX_AGE"] = None
    asked = 0

    def counting(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        nonlocal asked
        asked += 1
        return execute(sql, params, many, context)

    took, queries = list[float](), list[int]()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    before = psutil.Process().memory_info().rss / 1e6
    print("ready", flush=True)
    for item in json.loads(sys.stdin.readline()):
        began, asked = time.perf_counter(), 0
        with connection.execute_wrapper(counting):
            done = runs.work(item_id=item, now=NOW)
        assert done is not None
        assert done.state == "done", done.error
        took.append(time.perf_counter() - began)
        queries.append(asked)
    # Of this program alone: what getrusage says begins with the memory of the process that forked us.
    peak = next(
        int(line.split()[1]) / 1e3
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )
    print(json.dumps({"took": took, "queries": queries, "before": before, "peak": peak}), flush=True)


def _window() -> tuple[datetime, datetime]:
    from billing.domain.periods import month_of

    period = month_of(MONTH, ZONE)
    return period.begin, period.until


def _epoch(day: date) -> float:
    from billing.domain.periods import midnight

    return midnight(day, ZONE).timestamp()


if __name__ == "__main__":
    work()
