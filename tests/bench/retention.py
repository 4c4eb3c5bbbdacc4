"""How a month of calls goes while facts arrive: in small batches, beside one DELETE for all of it.

It brings its own PostgreSQL and leaves nothing. ``python -m tests.bench.retention 425000 12`` does it at full size:
five million calls in one company.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ccenter.demo import embedded
from tests.bench.table import Row

ROOT = Path(__file__).resolve().parents[2]
MONTH, MONTHS = 40_000, 4  # calls in each
FIRST = datetime(2025, 12, 1, tzinfo=UTC)
QUIET = 8.0  # seconds of facts without any removal
EVERY = 0.05  # seconds from one batch of facts to the next

FILL = """
INSERT INTO monitoring_call (key, pbx, direction, number, name, line, started, answered, ended, disposition, hung_up_by,
  merged_into, revision, reconciled, customer, groups, wait_seconds, talk_seconds, recorded)
SELECT '1:old' || n, '1', 'in', '+7916' || n, 'Иванов', '78005553535', at, at + interval '9 s', at + interval '99 s',
       'answered', 'customer', '', 1, false, '7916' || n, '{1}', 8, 90, false
  FROM (SELECT n, %(first)s::timestamptz + n * %(gap)s * interval '1 s' AS at
          FROM generate_series(%(from)s::int, %(to)s::int) n) made;
INSERT INTO monitoring_leg (call_id, uniqueid, manager_name, queue_name, rang, answered, ended, outcome, available,
  origin, talk, hold, talk_seconds, hold_seconds, groups, wrap_up_seconds, booked)
SELECT id, key, 'bench_101', 'bench_main', started, answered, ended, 'answered', true, false, '[[1,2]]', '[]', 90, 0,
       '{1}', 0, ended FROM monitoring_call WHERE started >= %(since)s;
INSERT INTO monitoring_step (call_id, position, kind, what, at, note)
SELECT id, p, 'queue', 'bench_main', started, '' FROM monitoring_call, generate_series(1, 4) p
 WHERE started >= %(since)s;
INSERT INTO monitoring_queuevisit (pbx, uniqueid, call_key, queue_name, joined, "left", outcome, reason, manager_name,
  wait, position, answer_within, short_abandon, line, groups)
SELECT '1', key, key, 'bench_main', started, answered, 'answered', '', 'bench_101', 9, 1, 20, 5, line, '{1}'
  FROM monitoring_call WHERE started >= %(since)s
"""


def rows() -> list[Row]:
    return run(MONTH, MONTHS)


def run(month: int, months: int) -> list[Row]:
    state = Path(tempfile.mkdtemp(prefix="ccenter-bench-"))
    state.chmod(0o711)  # PostgreSQL runs as another user and must walk through
    try:
        os.environ |= {
            "CCENTER_STATE": str(state),
            "DATABASE_URL": embedded.postgres(state, throwaway=True),
            "DATABASE_POOL": "0",
            "DJANGO_SETTINGS_MODULE": "ccenter.settings.demo",
        }
        return measure(month, months)
    finally:
        embedded.stop(state)
        shutil.rmtree(state, ignore_errors=True)


def measure(month: int, months: int) -> list[Row]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from monitoring.services.retention import drop_calls
    from tenants.scope import company_scope
    from tenants.services import create_company

    call_command("migrate_schemas", shared=True, verbosity=0)
    create_company(slug="bench", name="Замер")
    with company_scope("bench"):
        fill(month, months)
        quiet = latencies(lambda: time.sleep(QUIET))
        ends = [FIRST + timedelta(days=30 * n) for n in range(1, months + 1)]

        def in_batches() -> None:
            while True:
                began = time.perf_counter()
                if not drop_calls(ends[0]):
                    return
                time.sleep((time.perf_counter() - began) * 0.5)

        def at_once() -> None:
            with connection.cursor() as cursor:
                cursor.execute("BEGIN")
                for part in ("leg", "step"):
                    old = "(SELECT id FROM monitoring_call WHERE started < %(end)s)"
                    gone = f"DELETE FROM monitoring_{part} WHERE call_id IN {old}"  # noqa: S608 - our own names
                    cursor.execute(gone, {"end": ends[1]})
                cursor.execute('DELETE FROM monitoring_queuevisit WHERE "left" < %(end)s', {"end": ends[1]})
                cursor.execute("DELETE FROM monitoring_call WHERE started < %(end)s", {"end": ends[1]})
                cursor.execute("COMMIT")

        batches, beside = timed(in_batches)
        single, blocked = timed(at_once)
        connection.close()
    size = f"{month:,} calls of {month * months:,}"
    return [
        Row(
            what=f"a month ({size}) removed in batches while facts arrive, beside one DELETE",
            unit="s", baseline=single, ours=batches,
        ),
        Row(what="a batch of facts meanwhile, p50, beside a quiet database", unit="ms",
            baseline=p(quiet, 50), ours=p(beside, 50)),
        Row(
            what="a batch of facts meanwhile, p99, beside a quiet database", unit="ms",
            baseline=p(quiet, 99), ours=p(beside, 99), most=250.0,
            note=f"during one DELETE: p50 {p(blocked, 50):.0f} ms, p99 {p(blocked, 99):.0f} ms",
        ),
    ]  # fmt: skip


def fill(month: int, months: int) -> None:
    from django.db import connection

    gap = 30 * 86_400 / month
    with connection.cursor() as cursor:
        for number in range(months):
            since = FIRST + timedelta(days=30 * number)
            values = {
                "first": FIRST,
                "gap": gap,
                "from": month * number,
                "to": month * (number + 1) - 1,
                "since": since,
            }
            for statement in FILL.split(";"):
                cursor.execute(statement, values)
        cursor.execute("VACUUM ANALYZE")


def timed(work: Callable[[], None]) -> tuple[float, list[float]]:
    took: list[float] = []

    def clocked() -> None:
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)

    found = latencies(clocked)
    return took[0], found


def latencies(work: Callable[[], None]) -> list[float]:
    """Milliseconds of each batch of facts stored while ``work`` runs, by a process of its own as a collector is."""
    teller = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.bench.retention", "tell"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert teller.stdin is not None
    assert teller.stdout is not None
    teller.stdout.readline()  # it is ready
    try:
        work()
    finally:
        teller.stdin.close()
        told = teller.stdout.read()
        teller.wait()
    found: list[float] = json.loads(told)
    return found


def tell() -> None:
    """Store a call with its visit every 50 ms until the other side has heard enough."""
    import django

    django.setup()
    from monitoring.domain.facts import CallFact, LegFact, StepFact, VisitFact
    from monitoring.services import ingest
    from tenants.scope import company_scope

    found: list[float] = []
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    with company_scope("bench"):
        while not over.is_set():
            at, began = time.time(), time.perf_counter()
            key = f"1:{at:.6f}"
            leg = LegFact(
                key, "bench_101", "bench_main", at, at + 5, at + 65, "answered", ((at + 5, at + 65),), ()
            )
            steps = tuple(StepFact("queue", "bench_main", at + n, at + n + 1) for n in range(4))
            call = CallFact(
                key, "in", "+79161234567", "Иванов", "78005553535", at, at + 5, at + 65, "answered", "customer",
                (leg,), steps, None, at + 65,
            )  # fmt: skip
            visit = VisitFact(key, key, "bench_main", at, at + 5, "answered", "", "bench_101", 5, 1, 20, 5)
            ingest.store("1", [call, visit])
            took = time.perf_counter() - began
            if not found:
                print("ready", flush=True)
            found.append(took * 1000)
            time.sleep(max(0.0, EVERY - took))
    print(json.dumps(found[1:]))  # the first one opened the connection


def p(found: list[float], share: int) -> float:
    return statistics.quantiles(found, n=100)[share - 1] if len(found) > 1 else found[0]


if __name__ == "__main__":
    if sys.argv[1:] == ["tell"]:
        tell()
    else:
        for row in run(int(sys.argv[1]), int(sys.argv[2])):
            print(row)
