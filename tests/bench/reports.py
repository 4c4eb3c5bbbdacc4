"""A month's report of a company with five million calls: from the kept sums, against plain SQL over raw rows.

Rows are made inside PostgreSQL; the sums by the product's own builder. Same server, same run, medians in turns.
"""

from __future__ import annotations

import os
import shutil
import statistics as middle
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from ccenter.demo import embedded
from tests.bench.table import Row

CALLS = 5_000_000
DAYS = 365
QUEUES, LINES, MANAGERS, GROUPS = 20, 5, 100, 6
ROUNDS = 7
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
MONTH = (1_790_802_000.0, 1_793_480_400.0)  # that month in Moscow
YEAR_BEGIN = MONTH[1] - DAYS * 86_400


@contextmanager
def company(slug: str = "bench") -> Iterator[None]:
    """A PostgreSQL of its own with one company, in whose scope the block runs."""
    state = Path(tempfile.mkdtemp(prefix="ccenter-bench-"))
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
        from django.core.management import call_command
        from django.db import connection

        from tenants.scope import company_scope
        from tenants.services import create_company

        call_command("migrate_schemas", shared=True, verbosity=0)
        create_company(slug=slug, name="Замер")
        connection.settings_dict["CONN_MAX_AGE"] = None
        with company_scope(slug):
            yield
    finally:
        embedded.stop(state)
        shutil.rmtree(state, ignore_errors=True)


def rows() -> list[Row]:
    with company():
        fill(CALLS)
        return measure()


def fill(calls: int) -> None:
    """A year of ``calls`` calls, each with its queue visit and leg, spread over it in order of time."""
    from django.db import connection

    from monitoring.models import Group, Manager, Queue, Status
    from tenants.models import Pbx

    pbx = Pbx.objects.create(name="Замер", host="127.0.0.1", username="x")
    groups = Group.objects.bulk_create(Group(title=f"Группа {n}") for n in range(GROUPS))
    Queue.objects.bulk_create(
        Queue(name=f"q{n}", title=f"Очередь {n}", extension=f"8{n:02}", pbx=pbx, pbx_name=f"bench_q{n}")
        for n in range(QUEUES)
    )
    Manager.objects.bulk_create(
        Manager(title=f"Сотрудник {n}", extension=f"{100 + n}", pbx=pbx, pbx_name=f"bench_{100 + n}")
        for n in range(MANAGERS)
    )
    places = {
        "calls": calls, "begin": YEAR_BEGIN, "step": DAYS * 86_400 / calls, "queues": QUEUES, "lines": LINES,
        "managers": MANAGERS, "groups": [group.pk for group in groups], "amount": GROUPS,
        "queue": Queue.objects.order_by("pk").values_list("pk", flat=True)[0],
        "manager": Manager.objects.order_by("pk").values_list("pk", flat=True)[0],
        "status": Status.objects.order_by("pk").values_list("pk", flat=True)[0],
        "month": (MONTH[0] - YEAR_BEGIN) / (DAYS * 86_400 / calls),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "SET session_replication_role = replica"
        )  # rows made in order need no foreign keys checked
        dropped = _without_indexes(cursor)
        for statement in (_CALLS, _VISITS, _LEGS, _STATUSES):
            cursor.execute(statement, places)
        for definition in dropped:
            cursor.execute(definition)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("DELETE FROM monitoring_stale")
        cursor.execute("ANALYZE")


def _without_indexes(cursor: Any) -> list[str]:
    """Drop what only slows loading; returns how to make it again."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename IN "
        "('monitoring_call', 'monitoring_queuevisit', 'monitoring_leg') AND indexname NOT IN "
        "(SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace)"
    )
    found = cursor.fetchall()
    for name, _definition in found:
        cursor.execute(f'DROP INDEX "{name}"')
    return [definition for _name, definition in found]


# Office hours get most calls; every tenth is abandoned, every twentieth leaves for elsewhere.
_CALLS = """
INSERT INTO monitoring_call (key, pbx, direction, number, name, line, started, answered, ended, disposition,
  hung_up_by, merged_into, revision, reconciled, customer, groups, wait_seconds, talk_seconds, recorded)
SELECT '1:' || n, '1', 'in', '+7495' || n, '', '7800555000' || n %% %(lines)s, at, at, at + interval '200 s',
       CASE WHEN n %% 10 = 0 THEN 'abandoned' ELSE 'answered' END, 'customer', '', 1, false, '7495' || n,
       ARRAY[(%(groups)s::int[])[1 + n %% %(queues)s %% %(amount)s]], n %% 60, 180, false
  FROM (SELECT n, to_timestamp(%(begin)s + n * %(step)s) AS at FROM generate_series(0, %(calls)s - 1) n) c
"""
_VISITS = """
INSERT INTO monitoring_queuevisit (pbx, uniqueid, call_key, queue_id, queue_name, joined, "left", outcome, reason,
  manager_name, wait, position, answer_within, short_abandon, line, groups)
SELECT '1', n::text, '1:' || n, %(queue)s + n %% %(queues)s, 'bench_q' || n %% %(queues)s, at,
       at + make_interval(secs => n %% 60),
       CASE WHEN n %% 10 = 0 THEN 'abandoned' WHEN n %% 20 = 1 THEN 'flow-out' ELSE 'answered' END, '', '',
       n %% 60, 1, 20, 5, '7800555000' || n %% %(lines)s,
       ARRAY[(%(groups)s::int[])[1 + n %% %(queues)s %% %(amount)s]]
  FROM (SELECT n, to_timestamp(%(begin)s + n * %(step)s) AS at FROM generate_series(0, %(calls)s - 1) n) c
"""
# Legs and statuses of the month that is asked for: nothing reads the others.
_LEGS = """
INSERT INTO monitoring_leg (call_id, uniqueid, manager_id, manager_name, queue_name, rang, answered, ended, outcome,
  available, origin, talk, hold, talk_seconds, hold_seconds, groups, wrap_up_seconds, booked)
SELECT c.id, n || '-2', %(manager)s + n %% %(managers)s, 'bench_' || 100 + n %% %(managers)s,
       'bench_q' || n %% %(queues)s, c.started, c.started, c.ended,
       CASE WHEN n %% 10 = 0 THEN 'missed' ELSE 'answered' END, true, false,
       CASE WHEN n %% 10 = 0 THEN '[]'::jsonb ELSE jsonb_build_array(jsonb_build_array(
         date_part('epoch', c.started) + 10, date_part('epoch', c.started) + 190)) END, '[]',
       CASE WHEN n %% 10 = 0 THEN 0 ELSE 180 END, 0, c.groups, 0, c.ended
  FROM (SELECT c.*, substr(c.key, 3)::int AS n FROM monitoring_call c WHERE c.id > (SELECT min(id) FROM monitoring_call)
         + %(month)s - 2000) c
"""
_STATUSES = """
INSERT INTO monitoring_statusinterval (manager_id, status_id, started, ended, source, groups)
SELECT %(manager)s + m, %(status)s + h %% 3, to_timestamp(%(begin)s + %(month)s * %(step)s + h * 3600),
       to_timestamp(%(begin)s + %(month)s * %(step)s + (h + 1) * 3600), 'portal',
       ARRAY[(%(groups)s::int[])[1 + m %% %(amount)s]]
  FROM generate_series(0, %(managers)s - 1) m, generate_series(0, 31 * 24) h
"""

# What one would write first: the same counts, straight from the rows.
_PLAIN = """
SELECT {key} count(*), count(*) FILTER (WHERE outcome = 'answered'),
       count(*) FILTER (WHERE outcome = 'answered' AND wait <= answer_within),
       count(*) FILTER (WHERE outcome = 'abandoned'),
       count(*) FILTER (WHERE outcome = 'abandoned' AND wait < short_abandon),
       count(*) FILTER (WHERE outcome = 'flow-out'), sum(wait) FILTER (WHERE outcome = 'answered'),
       sum(wait) FILTER (WHERE outcome = 'abandoned')
  FROM monitoring_queuevisit
 WHERE "left" >= to_timestamp(%s) AND "left" < to_timestamp(%s) AND outcome IN ('answered', 'abandoned', 'flow-out')
 {group}
"""
_BY_HALF_HOUR = _PLAIN.format(
    key="queue_id, date_bin('30 minutes', \"left\", 'epoch'),", group="GROUP BY 1, 2 ORDER BY 1, 2"
)


def measure() -> list[Row]:
    from django.db import connection

    from monitoring.domain.metrics import METRICS
    from monitoring.domain.statistics import Question, Scope
    from monitoring.models.rollups import Built
    from monitoring.selectors.statistics import answer
    from monitoring.services import rollups
    from tenants.models import Company

    zone = Company.objects.values_list("time_zone", flat=True).get(schema_name="bench")
    from datetime import UTC, datetime

    Built.objects.create(until=datetime.fromtimestamp(MONTH[0], UTC), zone=zone)
    began = time.perf_counter()
    built = rollups.build(now=MONTH[1] + 1800, seconds=250)
    building = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE monitoring_visitsums")
        cursor.execute("VACUUM ANALYZE monitoring_queuevisit")
        cursor.execute("SELECT count(*) FROM monitoring_call")
        (kept,) = cursor.fetchone()

    figures = [METRICS[key] for key in ("offered", "service_level", "abandonment", "queue_wait", "flow_out")]
    fine = Question(Scope(), FIRST, LAST, zone, "half_hour", "queue")
    whole = Question(Scope(), FIRST, LAST, zone)

    def plain(statement: str) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement, MONTH)
            return list(cursor.fetchall())

    [totals] = plain(_PLAIN.format(key="", group=""))
    told = answer(whole, metrics=figures)
    assert (told.source, told.total["offered"]) == ("rollup", totals[0]), "the same figures, or none at all"
    every = answer(fine, metrics=figures)
    assert sum(row.counts["offered"] for row in every.rows) == totals[0]
    seconds = compare(
        {
            "half-hours": lambda: plain(_BY_HALF_HOUR),
            "totals": lambda: plain(_PLAIN.format(key="", group="")),
            "our half-hours": lambda: answer(fine, metrics=figures),
            "our totals": lambda: answer(whole, metrics=figures),
            "everything": lambda: answer(whole),
        }
    )
    size = f"{kept:,} calls in one schema, {totals[0]:,} in the month, {len(every.rows):,} cells"
    return [
        _row("a month's report, queue × half-hour, from the kept sums (baseline: plain SQL over rows)",
             seconds["half-hours"], seconds["our half-hours"], 5, size),
        _row("a month's totals from the kept sums (baseline: plain SQL over rows)",
             seconds["totals"], seconds["our totals"], 50, ""),
        Row(what="a month's totals of every raw count there is", unit="ms", ours=seconds["everything"] * 1000),
        Row(what="building a half-hour of that company", unit="ms", ours=building / built.half_hours * 1000,
            note=f"{built.half_hours:,} half-hours and {built.days} days in {building:.0f} s"),
    ]  # fmt: skip


def compare(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Medians in seconds; the ways take turns, so that all meet the same machine."""
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _round in range(ROUNDS):
        for way, work in ways.items():
            began = time.perf_counter()
            work()
            taken[way].append(time.perf_counter() - began)
    return {way: middle.median(each) for way, each in taken.items()}


def _row(what: str, baseline: float, ours: float, goal: float, note: str) -> Row:
    return Row(
        what=what, unit="ms", baseline=baseline * 1000, ours=ours * 1000, ratio=baseline / ours, least_ratio=goal,
        note=note,
    )  # fmt: skip
