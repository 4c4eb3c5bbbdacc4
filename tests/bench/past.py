"""A company with five million calls behind it, filled by SQL: what reports, the journal and removal are measured on.

``python -m tests.bench`` fills it once for all of them; a measurement that is run alone fills and removes its own.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ccenter.demo import embedded

CALLS = 5_000_000
DAYS = 365
END = datetime(2026, 11, 22, tzinfo=UTC)
STEP = DAYS * 86_400 / CALLS  # seconds from one call to the next
BEGIN = END.timestamp() - DAYS * 86_400
MANAGERS, QUEUES, GROUPS, LINES = 300, 20, 10, 40
REPORTED = date(2026, 10, 1), date(2026, 10, 31)
REPORT = (1_790_802_000.0, 1_793_480_400.0)  # that month in Moscow
OLD = 34 * 86_400.0  # how much at the past's beginning has steps too, to be removed
SHARED = "CCENTER_BENCH_PAST"
"""Where a past that several measurements share is kept; who names it removes it."""


@contextmanager
def database(home: Path | None = None) -> Iterator[Path]:
    """A PostgreSQL of its own; without ``home`` it leaves nothing. Yields where it lives."""
    state = home or Path(tempfile.mkdtemp(prefix="ccenter-bench-"))
    state.chmod(0o711)  # PostgreSQL runs as another user and must walk through
    try:
        os.environ |= {
            "CCENTER_STATE": str(state),
            "DATABASE_URL": embedded.postgres(state, throwaway=True),
            "DATABASE_POOL": "0",
            "DJANGO_SETTINGS_MODULE": "ccenter.settings.demo",
        }
        import django

        django.setup()
        from django.db import connection

        connection.settings_dict["CONN_MAX_AGE"] = None
        yield state
        connection.close()
    finally:
        embedded.stop(state)
        if home is None:
            shutil.rmtree(state, ignore_errors=True)


@contextmanager
def company(slug: str) -> Iterator[None]:
    """A database of its own with one company, in whose scope the block runs."""
    with database():
        _create(slug)
        from tenants.scope import company_scope

        with company_scope(slug):
            yield


@contextmanager
def past() -> Iterator[dict[str, int]]:
    """Inside the company with the long past. Yields ids of some of its rows."""
    given = os.environ.get(SHARED)
    with database(Path(given) if given else None) as state:
        from tenants.scope import company_scope

        known = state / "filled.json"
        if not known.exists():
            _create("bench")
            with company_scope("bench"):
                began = time.perf_counter()
                ids = fill()
                print(f"  filled in {time.perf_counter() - began:.0f} s", flush=True)
            known.write_text(json.dumps(ids))
        found: dict[str, int] = json.loads(known.read_text())
        with company_scope("bench"):
            yield found


def _create(slug: str) -> None:
    from django.core.management import call_command

    from tenants.services import create_company

    call_command("migrate_schemas", shared=True, verbosity=0)
    create_company(slug=slug, name="Замер")


def fill() -> dict[str, int]:
    """A year of calls in order of time, each with its leg; a stay in a queue for those that came in, a second one for
    each fifth of them; steps of the oldest month; people's statuses of the month that is reported."""
    from django.db import connection

    from monitoring.models import Group, Manager, Queue, Status
    from tenants.models import Pbx

    pbx = Pbx.objects.create(name="Замер", host="127.0.0.1", username="x")
    groups = Group.objects.bulk_create(Group(title=f"Группа {n}") for n in range(GROUPS))
    managers = Manager.objects.bulk_create(
        Manager(title=f"Сотрудник {n}", extension=str(1000 + n), pbx=pbx, pbx_name=f"bench_{1000 + n}")
        for n in range(MANAGERS + 1)
    )
    queues = Queue.objects.bulk_create(
        Queue(name=f"q{n}", title=f"Очередь {n}", extension=str(3000 + n), pbx=pbx, pbx_name=f"bench_q{n}")
        for n in range(QUEUES)
    )
    values: dict[str, Any] = {
        "calls": CALLS, "begin": BEGIN, "step": STEP, "lines": LINES, "groups": GROUPS, "managers": MANAGERS,
        "queues": QUEUES, "group": groups[0].pk, "manager": managers[0].pk, "queue": queues[0].pk,
        "status": Status.objects.order_by("pk").values_list("pk", flat=True)[0], "month": REPORT[0],
        "old": datetime.fromtimestamp(BEGIN + OLD, UTC), "talks": datetime.fromtimestamp(REPORT[0] - 86_400, UTC),
    }  # fmt: skip
    with connection.cursor() as cursor:
        # Rows made to fit need no foreign keys checked and no sums marked stale.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        put_back = without_indexes(cursor)
        for statement in (
            _CALLS, _LEGS, _VISITS, _STEPS, _STATUSES, *put_back, _MARKS,
        ):  # fmt: skip
            began = time.perf_counter()
            cursor.execute(statement, values if "%(" in statement else None)
            if os.environ.get("CCENTER_BENCH_SAY"):
                print(f"{time.perf_counter() - began:6.1f} s {statement.strip()[:90]}", flush=True)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("DELETE FROM monitoring_stale")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    return {
        "group": groups[3].pk, "manager": managers[7].pk, "idle": managers[MANAGERS].pk, "queue": queues[5].pk,
    }  # fmt: skip


TABLES = ("monitoring_call", "monitoring_leg", "monitoring_queuevisit", "monitoring_step")


def without_indexes(cursor: Any) -> list[str]:
    """Take indexes and constraints off, for a faster load; the statements that put them back."""
    cursor.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = ANY(%s::regclass[]) AND contype = 'u'",
        [list(TABLES)],
    )
    back = []
    for table, name, definition in cursor.fetchall():
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
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


_CALLS = """
INSERT INTO monitoring_call (key, pbx, direction, number, name, line, started, answered, ended, disposition, hung_up_by,
    merged_into, revision, reconciled, customer, groups, wait_seconds, talk_seconds, recorded)
SELECT '1:' || i, '1', CASE WHEN i %% 6 > 0 THEN 'in' ELSE 'out' END, '+' || customer, 'Клиент',
    '7495' || lpad((i * 31 %% %(lines)s)::text, 7, '0'), at, CASE WHEN d < 0.85 THEN at + interval '15 s' END,
    at + interval '15 s' + make_interval(secs => talk),
    CASE WHEN d < 0.85 THEN 'answered' WHEN d < 0.95 THEN 'abandoned' ELSE 'no_answer' END, 'customer', '',
    extract(epoch FROM at), false, customer, ARRAY[%(group)s + (i * 19 %% %(groups)s)]::int[],
    CASE WHEN i %% 6 > 0 THEN wait ELSE 0 END, CASE WHEN d < 0.85 THEN talk ELSE 0 END, i %% 2 = 0
FROM (
    SELECT i, random() AS d, -ln(1 - random()) * 25 AS wait, -ln(1 - random()) * 150 AS talk,
        to_timestamp(%(begin)s + i * %(step)s) AS at,
        CASE WHEN i %% 10 < 7 THEN '79' || lpad((abs(hashint8(i %% 400000)::bigint) %% 1000000000)::text, 9, '0')
            ELSE '7495' || lpad((abs(hashint8(i %% 200000 + 7)::bigint) %% 10000000)::text, 7, '0') END AS customer
    FROM generate_series(0, %(calls)s - 1) AS i
) AS made
"""
# Talk is kept where the sums of people's time are built.
_LEGS = """
INSERT INTO monitoring_leg (call_id, uniqueid, manager_id, manager_name, queue_name, rang, answered, ended, outcome,
    available, origin, talk, hold, talk_seconds, hold_seconds, wrap_up_seconds, booked, groups)
SELECT id, key || '-2', %(manager)s + id * 17 %% %(managers)s, 'bench', 'bench_q' || id * 19 %% %(queues)s,
    started + interval '5 s', answered, ended, CASE WHEN talk_seconds > 0 THEN 'answered' ELSE 'missed' END, true,
    false, CASE WHEN started < %(talks)s OR talk_seconds = 0 THEN '[]'::jsonb ELSE jsonb_build_array(
        jsonb_build_array(date_part('epoch', answered), date_part('epoch', ended))) END, '[]', talk_seconds, 0, 0,
    ended, groups
FROM monitoring_call ORDER BY id
"""
# In order of time, as they come in life: a heap out of order would slow plain SQL, and flatter us.
_VISITS = """
INSERT INTO monitoring_queuevisit (pbx, uniqueid, call_key, queue_id, queue_name, joined, "left", outcome, reason,
    manager_name, wait, position, answer_within, short_abandon, line, groups)
SELECT '1', key, key, %(queue)s + id * 19 %% %(queues)s, 'bench_q' || id * 19 %% %(queues)s + stay,
    started + interval '2 s' * stay, started + interval '15 s' * stay,
    CASE WHEN stay < stays THEN 'flow-out' WHEN disposition = 'answered' THEN 'answered' ELSE 'abandoned' END,
    '', '', wait_seconds, 1, 20, 5, line, groups
FROM (SELECT *, CASE WHEN id %% 5 = 0 THEN 2 ELSE 1 END AS stays FROM monitoring_call WHERE direction = 'in'
      ORDER BY id) c CROSS JOIN LATERAL generate_series(1, stays) AS stay
"""
_STEPS = """
INSERT INTO monitoring_step (call_id, position, kind, what, at, note)
SELECT id, p, 'queue', 'bench', started, '' FROM monitoring_call, generate_series(1, 4) p WHERE started < %(old)s
"""
_STATUSES = """
INSERT INTO monitoring_statusinterval (manager_id, status_id, started, ended, source, groups)
SELECT %(manager)s + m, %(status)s + h %% 3, to_timestamp(%(month)s + h * 3600),
    to_timestamp(%(month)s + (h + 1) * 3600), 'portal', ARRAY[%(group)s + m %% %(groups)s]
FROM generate_series(0, %(managers)s - 1) m, generate_series(0, 31 * 24) h
"""
_MARKS = """
INSERT INTO monitoring_callmark (call_id, mark_id, at)
SELECT id, (SELECT min(id) FROM monitoring_mark), started FROM monitoring_call WHERE id %% 5003 = 0 AND %(calls)s > 0
"""
