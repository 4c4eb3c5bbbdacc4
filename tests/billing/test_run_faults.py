"""A billing run against what may happen to it: eight at once, its worker killed, its queue gone.

Real workers, a real PostgreSQL, a Redis of its own: one invoice each, and no number is missing afterwards.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from celery import Celery
from django.conf import settings
from django.db import connection, connections

from billing.models import (
    BillingRun,
    Invoice,
    InvoiceLine,
    InvoiceState,
    ItemState,
    RunItem,
    RunState,
    Subscription,
)
from billing.services import runs
from billing.services.acts import Who
from billing.services.invoices import finalise, finalise_many
from billing.services.rating import Outcome, draft
from ccenter.demo import embedded
from tenants.models import Company
from tests.factories.money import at_once, moscow, subscribe

pytestmark = pytest.mark.django_db(transaction=True)
T = TypeVar("T")
JUNE = date(2026, 6, 1)
LATER = moscow(2026, 7, 5)
ANNA = Who("Анна", "platform")
GATE = 4_242  # an advisory lock that the tests hold to keep a worker where it is
# Where a worker is kept: after all it wrote, before it says COMMIT; or within COMMIT itself.
KEPT = """
CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock_shared({gate}); RETURN NULL; END $$;
CREATE {kind} TRIGGER kept AFTER UPDATE ON billing_runitem {when} FOR EACH ROW
    WHEN (NEW.state = 'done') EXECUTE FUNCTION kept();
"""
BEFORE_COMMIT = KEPT.format(gate=GATE, kind="", when="")
IN_COMMIT = KEPT.format(gate=GATE, kind="CONSTRAINT", when="DEFERRABLE INITIALLY DEFERRED")


def until(wanted: Callable[[], object], seconds: float = 60.0, *, what: Callable[[], str] = str) -> None:
    began = time.monotonic()
    while not wanted():
        assert time.monotonic() - began < seconds, f"not within {seconds:g} s: {what()}"
        time.sleep(0.05)


def at_once_in_threads(count: int, work: Callable[[int], T]) -> list[T]:
    """``work(0)`` … ``work(count - 1)``, begun together, each on a connection of its own."""
    together, found, wrong = threading.Barrier(count), {}, []

    def run(number: int) -> None:
        together.wait(30)
        try:
            found[number] = work(number)
        except BaseException as error:
            wrong.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert wrong == []
    return [found[number] for number in range(count)]


@pytest.fixture
def six(alpha: Company, beta: Company) -> list[Subscription]:
    """Six subscriptions with days in June: each company's three, one after another."""
    at_once(alpha, 6, moscow(2026, 6, 10))
    made = []
    for company in (alpha, beta):
        for begin, end in ((1, 9), (9, 20), (20, 30)):
            made.append(subscribe(company, starts_on=date(2026, 6, begin), ends_on=date(2026, 6, end)))
    return made


def one_each(subscriptions: list[Subscription]) -> None:
    """One draft each, whole, with its lines once."""
    rows = Invoice.objects.filter(period_start=JUNE)
    assert sorted(rows.values_list("subscription", flat=True)) == sorted(one.pk for one in subscriptions)
    assert InvoiceLine.objects.count() == len(subscriptions)
    for invoice in rows:
        assert invoice.total == sum(line.amount or 0 for line in invoice.lines.all())


def no_number_missing(run: BillingRun) -> None:
    """All of it is issued, by eight who click at once."""
    drafts = runs.drafts_of(run)

    def issue(number: int) -> int:
        return len(finalise_many(who=ANNA, invoices=drafts, today=date(2026, 7, 5)).refused)

    assert at_once_in_threads(8, issue) == [0] * 8
    issued = Invoice.objects.filter(period_start=JUNE, state=InvoiceState.FINALISED)
    assert sorted(issued.values_list("number", flat=True)) == list(range(1, len(drafts) + 1))


def test_eight_drafts_of_one_month_at_once_are_one(alpha: Company, beta: Company) -> None:
    two = [subscribe(alpha), subscribe(beta)]
    found = at_once_in_threads(8, lambda n: draft(subscription=two[n % 2], month=JUNE, now=LATER).outcome)
    for mine in (found[::2], found[1::2]):
        assert sorted(mine) == [Outcome.MADE, *[Outcome.UNCHANGED] * 3]
    one_each(two)


def test_eight_workers_at_one_run_make_one_invoice_each(six: list[Subscription]) -> None:
    run = runs.start(who=ANNA, month=JUNE, now=LATER)
    items = list(run.items.values_list("pk", flat=True))
    at_once_in_threads(8, lambda _: [runs.work(item_id=item_id, now=LATER) for item_id in items])
    run.refresh_from_db()
    assert run.state == RunState.DONE
    assert set(run.items.values_list("state", "outcome")) == {(ItemState.DONE, Outcome.MADE)}
    one_each(six)
    no_number_missing(run)


def test_eight_clicks_at_once_are_one_run(six: list[Subscription]) -> None:
    found = at_once_in_threads(8, lambda _: runs.start(who=ANNA, month=JUNE, now=LATER).pk)
    assert len(set(found)) == 1
    assert RunItem.objects.count() == len(six)


def test_an_item_that_takes_long_keeps_no_other_worker_waiting(
    six: list[Subscription], database_url: str
) -> None:
    run = runs.start(who=ANNA, month=JUNE, now=LATER)
    first, *others = runs.waiting_items(run)
    base = f"{database_url.rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    with psycopg.connect(base) as busy:
        busy.execute("SELECT FROM billing_runitem WHERE id = %s FOR UPDATE", [first])
        assert runs.work(item_id=first, now=LATER) is None
        assert all(runs.work(item_id=item_id, now=LATER) for item_id in others)
    assert runs.waiting_items(run) == [first], "its worker has died"
    assert runs.work(item_id=first, now=LATER) is not None
    one_each(six)


def test_drafting_and_issuing_at_once_never_changes_what_is_issued(alpha: Company, beta: Company) -> None:
    two = [subscribe(alpha), subscribe(beta)]
    made = [draft(subscription=one, month=JUNE, now=LATER).invoice for one in two]
    at_once(alpha, 6, moscow(2026, 6, 10))

    def act(number: int) -> None:
        invoice = made[number % 2]
        assert invoice is not None
        if number < 2:
            finalise(who=ANNA, invoice=invoice, today=date(2026, 7, 5))
        else:
            draft(subscription=two[number % 2], month=JUNE, now=LATER)

    at_once_in_threads(8, act)
    for invoice in Invoice.objects.all():
        assert invoice.state == InvoiceState.FINALISED
        assert invoice.total == sum(line.amount or 0 for line in invoice.lines.all())
    assert sorted(Invoice.objects.values_list("number", flat=True)) == [1, 2]


def test_two_months_drafted_at_once_make_up_for_a_late_call_once(alpha: Company, beta: Company) -> None:
    noon = moscow(2026, 6, 10)
    one, other = subscribe(alpha), subscribe(beta)
    at_once(alpha, 5, noon)
    for subscription in (one, other):
        made = draft(subscription=subscription, month=JUNE, now=LATER).invoice
        assert made is not None
        finalise(who=ANNA, invoice=made, today=date(2026, 7, 5))
    at_once(alpha, 6, noon)
    months = (date(2026, 7, 1), date(2026, 8, 1))
    at_once_in_threads(
        8, lambda n: draft(subscription=(one, other)[n % 2], month=months[n // 2 % 2], now=moscow(2026, 9, 2))
    )
    (line,) = InvoiceLine.objects.filter(kind="correction")
    assert line.invoice.company == alpha


class Workers:
    """Celery workers as the portal starts them, on the test's database and a Redis of their own."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.redis_url = embedded.redis(folder / "queue")
        base = database_url.rpartition("/")[0]
        self.database_url = f"{base}/{connection.settings_dict['NAME']}"
        self.environment = {
            **os.environ, "CCENTER_STATE": str(folder), "DJANGO_SETTINGS_MODULE": "ccenter.settings.demo",
            "DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url, "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        self.programs: list[subprocess.Popen[bytes]] = []

    def begin(self) -> subprocess.Popen[bytes]:
        name = f"worker{len(self.programs)}"
        words = [
            "celery", "-A", "ccenter", "worker", "-Q", "tasks", "--pool", "solo", "-n", f"{name}@%h", "--loglevel",
            "INFO", "--without-mingle", "--without-gossip", "--without-heartbeat",
        ]  # fmt: skip
        with (self.folder / f"{name}.log").open("wb") as log:
            program = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", *words],
                cwd=settings.BASE_DIR, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.programs.append(program)
        return program

    def ask(self, task: str, *args: object) -> None:
        """Queue a task as any program of the portal would."""
        with Celery("asking", broker=self.redis_url, set_as_current=False) as app:
            app.send_task(task, args, queue="tasks", exchange="tasks", routing_key="tasks", retry=False)

    def lose_queue(self) -> None:
        embedded.stop(self.folder / "queue")

    def find_queue(self) -> None:
        assert embedded.redis(self.folder / "queue") == self.redis_url

    def log(self) -> str:
        return "\n".join(log.read_text(errors="replace")[-1500:] for log in self.folder.glob("*.log"))

    def end(self) -> None:
        for program in self.programs:
            if program.poll() is None:
                program.kill()
            program.wait(10)
        embedded.stop(self.folder / "queue")

    def at_gate(self) -> int:
        """How many sessions wait there."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted",
                [GATE],
            )
            return int(cursor.fetchone()[0])


@pytest.fixture
def workers(db: None, database_url: str) -> Iterator[Workers]:
    folder = Path(tempfile.mkdtemp(prefix="ccenter-runs-"))
    folder.chmod(0o711)
    made = Workers(folder, database_url)
    try:
        yield made
    finally:
        made.end()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def gate(workers: Workers, trigger: str) -> Iterator[psycopg.Connection[Any]]:
    """Whoever does an item stays at ``trigger`` until the block ends."""
    with psycopg.connect(workers.database_url, autocommit=True) as held:
        held.execute(trigger)
        held.execute("SELECT pg_advisory_lock(%s)", [GATE])
        yield held
        held.execute("SELECT pg_advisory_unlock(%s)", [GATE])


def swept(run: BillingRun, workers: Workers) -> None:
    """The timetable sweeps every minute until the run is done; here its minutes are seconds."""
    began = time.monotonic()
    while not is_done(run):
        assert time.monotonic() - began < 90, workers.log()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE billing_billingrun SET asked_at = asked_at - interval '1 year'")
            cursor.execute("UPDATE billing_runitem SET settled_at = settled_at - interval '1 year'")
        workers.ask("billing.sweep_runs")
        time.sleep(2.0)


def is_done(run: BillingRun) -> bool:
    run.refresh_from_db()
    return run.state == RunState.DONE


def started() -> BillingRun:
    """Begun where no broker is told: the tests queue its tasks themselves."""
    return runs.start(who=ANNA, month=JUNE, now=LATER)


@pytest.fixture(autouse=True)
def _nobody_hands_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_hand_out_later", lambda run: None)


@pytest.mark.parametrize(("place", "written"), [(BEFORE_COMMIT, 0), (IN_COMMIT, 1)], ids=["before", "within"])
def test_a_worker_killed_at_its_commit_leaves_one_invoice_each(
    six: list[Subscription], workers: Workers, place: str, written: int
) -> None:
    run = started()
    with gate(workers, place):
        first = workers.begin()
        workers.ask("billing.hand_out", run.pk)
        until(lambda: workers.at_gate(), what=workers.log)
        first.kill()
        first.wait(10)
        assert Invoice.objects.count() == 0, "nothing is seen before the commit"
    # What PostgreSQL had not been told to commit it forgets; what it had been told, it does.
    until(lambda: not workers.at_gate())
    until(lambda: Invoice.objects.count() == written)
    with psycopg.connect(workers.database_url, autocommit=True) as held:
        held.execute("DROP FUNCTION kept() CASCADE")
    assert run.items.filter(state=ItemState.DONE).count() == written, "invoice and progress are one"
    workers.begin()
    swept(run, workers)
    one_each(six)
    assert {item.outcome for item in run.items.all()} == {Outcome.MADE}
    no_number_missing(run)


def test_a_queue_that_is_lost_in_the_middle_loses_no_invoice_and_doubles_none(
    six: list[Subscription], workers: Workers
) -> None:
    run = started()
    with gate(workers, BEFORE_COMMIT):
        workers.begin()
        workers.ask("billing.hand_out", run.pk)
        until(lambda: workers.at_gate(), what=workers.log)
        workers.lose_queue()
    until(lambda: Invoice.objects.count() >= 1, what=workers.log)
    time.sleep(1.0)
    done = run.items.filter(state=ItemState.DONE).count()
    assert 1 <= done < len(six), "what was queued is gone"
    assert not is_done(run)
    workers.find_queue()
    swept(run, workers)
    one_each(six)
    no_number_missing(run)


def test_two_workers_share_a_run(six: list[Subscription], workers: Workers) -> None:
    run = started()
    workers.begin()
    workers.begin()
    for _ in range(3):
        workers.ask("billing.hand_out", run.pk)  # three times the same
    until(lambda: is_done(run), what=workers.log)
    one_each(six)
    no_number_missing(run)
