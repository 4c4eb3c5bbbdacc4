"""How a month of a company with five million calls goes while facts arrive: in small batches, beside one DELETE."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.past import BEGIN, CALLS, OLD, past
from tests.bench.table import Row

ROOT = Path(__file__).resolve().parents[2]
MONTH = 31 * 86_400.0  # what goes in batches; what is old beyond it goes by one DELETE
QUIET = 8.0  # seconds of facts without any removal
EVERY = 0.05  # seconds from one batch of facts to the next


def rows() -> list[Row]:
    with past():
        return measure()


def measure() -> list[Row]:
    from django.db import connection

    from monitoring.models import Call
    from monitoring.services.retention import drop_calls

    first, then = (datetime.fromtimestamp(BEGIN + seconds, UTC) for seconds in (MONTH, OLD))
    quiet = latencies(lambda: time.sleep(QUIET))
    month, old = (Call.objects.filter(started__lt=end).count() for end in (first, then))

    def in_batches() -> None:
        while True:
            began = time.perf_counter()
            if not drop_calls(first):
                return
            time.sleep((time.perf_counter() - began) * 0.5)

    def at_once() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            for part in ("leg", "step", "callmark"):
                old = "(SELECT id FROM monitoring_call WHERE started < %(end)s)"
                gone = f"DELETE FROM monitoring_{part} WHERE call_id IN {old}"  # noqa: S608 - our own names
                cursor.execute(gone, {"end": then})
            cursor.execute('DELETE FROM monitoring_queuevisit WHERE "left" < %(end)s', {"end": then})
            cursor.execute("DELETE FROM monitoring_call WHERE started < %(end)s", {"end": then})
            cursor.execute("COMMIT")

    batches, beside = timed(in_batches)
    single, blocked = timed(at_once)
    connection.close()
    return [
        Row(
            what="a month of five million calls, with legs, steps and visits, removed in batches while facts arrive",
            unit="s", ours=batches, note=f"{month:,} calls of {CALLS:,}, {month / batches:,.0f} a second",
        ),
        Row(
            what="a thousand of these calls, beside one DELETE of three days", unit="ms",
            baseline=single / (old - month) * 1e6, ours=batches / month * 1e6,
            note=f"the DELETE took {single:.1f} s for {old - month:,} calls; ours rests a third of its time",
        ),
        Row(what="a batch of facts meanwhile, p50, beside a quiet database", unit="ms",
            baseline=p(quiet, 50), ours=p(beside, 50)),
        Row(
            what="a batch of facts meanwhile, p99, beside a quiet database", unit="ms",
            baseline=p(quiet, 99), ours=p(beside, 99), most=250.0,
            note=f"during one DELETE: p50 {p(blocked, 50):.0f} ms, p99 {p(blocked, 99):.0f} ms",
        ),
    ]  # fmt: skip


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
        [sys.executable, "-W", "ignore", "-m", "tests.bench.retention"],
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

    def listen() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=listen, daemon=True).start()
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
    tell()
