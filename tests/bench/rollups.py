"""A hundred companies' sums on one worker: nothing to do, a half-hour that is over, a day, facts that come late.

A hundred real schemas with the tables the sums are built from; each with its own people, statuses and calls.
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime

from tests.bench.past import company
from tests.bench.table import Row

COMPANIES = 100
BEAT = 20.0  # seconds between two looks at a company, as in ccenter.celery
CALLS = 300  # a company and half-hour: about 17 a second of all companies together
MANAGERS, QUEUES = 20, 4
BEGIN = 1_793_394_000.0  # a midnight in Moscow
DAY = 86_400.0
TABLES = (
    "group", "manager", "queue", "status", "call", "leg", "queuevisit", "statusinterval", "autointerval", "lostcall",
    "built", "stale", "visitsums", "callsums", "legsums", "peoplesums", "lostsums",
)  # fmt: skip


def rows() -> list[Row]:
    with company("first"):
        from tenants.scope import public_scope

        with public_scope():
            slugs = clone()
            return measure(slugs)


def clone() -> list[str]:
    """Schemas with copies of the first company's tables, filled."""
    from django.db import connection

    from tenants import lookup
    from tenants.models import Company

    slugs = [f"c{n}" for n in range(COMPANIES)]
    with connection.cursor() as cursor:
        for slug in slugs:
            cursor.execute(f"CREATE SCHEMA {slug}")
            for table in TABLES:
                cursor.execute(
                    f"CREATE TABLE {slug}.monitoring_{table} (LIKE first.monitoring_{table} INCLUDING ALL)"
                )
            cursor.execute(f"INSERT INTO {slug}.monitoring_status TABLE first.monitoring_status")
            cursor.execute(f"SET search_path = {slug}")
            for statement in _ROWS:
                cursor.execute(statement)
            cursor.execute("SET search_path = public")
        cursor.execute("ANALYZE")
    Company.objects.bulk_create(Company(schema_name=slug, name=slug) for slug in slugs)
    lookup.forget()
    return slugs


_PLACES = {
    "managers": MANAGERS, "queues": QUEUES, "calls": CALLS * 49, "begin": BEGIN, "step": 1800 / CALLS,
}  # fmt: skip
_ROWS = tuple(
    statement.format(**_PLACES)
    for statement in (
        """
INSERT INTO monitoring_manager (title, extension, pbx_id, pbx_name, interfaces)
SELECT 'm' || n, 100 + n, 1, 'm_' || n, '{{}}' FROM generate_series(1, {managers}) n
""",
        """
INSERT INTO monitoring_statusinterval (manager_id, status_id, started, ended, source, groups)
SELECT m.id, 1 + h % 3, to_timestamp({begin} + h * 2400), to_timestamp({begin} + (h + 1) * 2400), 'portal',
       ARRAY[1 + (m.id % 3)::int] FROM monitoring_manager m, generate_series(0, 40) h
""",
        """
INSERT INTO monitoring_call (key, pbx, direction, number, name, line, started, answered, ended, disposition,
  hung_up_by, merged_into, revision, reconciled, customer, groups, wait_seconds, talk_seconds, recorded)
SELECT '1:' || n, '1', 'in', '+7495' || n, '', '7800555000' || n % 3, to_timestamp({begin} + n * {step}), NULL,
       to_timestamp({begin} + n * {step} + 200), 'answered', 'customer', '', 1, false, '7495' || n,
       ARRAY[1 + n % 3], 10, 100, false FROM generate_series(0, {calls} - 1) n
""",
        """
INSERT INTO monitoring_queuevisit (pbx, uniqueid, call_key, queue_id, queue_name, joined, "left", outcome, reason,
  manager_name, wait, position, answer_within, short_abandon, line, groups)
SELECT '1', n::text, '1:' || n, 1 + n % {queues}, 'q' || n % {queues}, to_timestamp({begin} + n * {step}),
       to_timestamp({begin} + n * {step} + n % 60), 'answered', '', '', n % 60, 1, 20, 5, '7800555000' || n % 3,
       ARRAY[1 + n % 3] FROM generate_series(0, {calls} - 1) n
""",
        """
INSERT INTO monitoring_leg (call_id, uniqueid, manager_id, manager_name, queue_name, rang, answered, ended, outcome,
  available, origin, talk, hold, talk_seconds, hold_seconds, groups, wrap_up_seconds, booked)
SELECT c.id, 'x' || c.id, m.id, m.pbx_name, '', c.started, c.started, c.ended, 'answered', true, false,
       jsonb_build_array(jsonb_build_array(date_part('epoch', c.started) + 10, date_part('epoch', c.started) + 190)),
       '[]', 180, 0, c.groups, 0, c.ended
  FROM monitoring_call c JOIN (SELECT m.*, row_number() OVER (ORDER BY id) - 1 AS place FROM monitoring_manager m) m
    ON m.place = c.id % {managers}
""",
    )
)


def measure(slugs: list[str]) -> list[Row]:
    """One worker goes from company to company, as Celery hands them out."""
    from monitoring.models.rollups import Built
    from monitoring.services import rollups
    from tenants.scope import company_scope

    def each(now: float) -> tuple[float, list[float], int]:
        began, taken, built = time.perf_counter(), list[float](), 0
        for slug in slugs:
            this = time.perf_counter()
            with company_scope(slug):
                done = rollups.build(now=now)
            taken.append(time.perf_counter() - this)
            built += done.half_hours
        return time.perf_counter() - began, taken, built

    for slug in slugs:
        with company_scope(slug):
            Built.objects.create(until=datetime.fromtimestamp(BEGIN, UTC), zone="Europe/Moscow")
    past, _, built = each(BEGIN + DAY - 1800)
    nothing, _, none = each(BEGIN + DAY - 1700)
    day, _, last = each(BEGIN + DAY + 5)
    over, taken, fresh = each(BEGIN + DAY + 1805)
    assert (none, last, fresh) == (0, COMPANIES, COMPANIES)
    for slug in slugs:
        with company_scope(slug):
            rollups.mark([(BEGIN + 40_000.0, BEGIN + 40_000.0)])
    late, _, again = each(BEGIN + DAY + 1825)
    assert again == COMPANIES
    whole = f"{COMPANIES} companies of {MANAGERS} managers, {CALLS} calls a half-hour each"
    return [
        Row(what="the half-hour that is over, of 100 companies, on one worker", unit="s", ours=over, most=BEAT,
            note=f"{whole}; median of a company {statistics.median(taken) * 1000:.0f} ms"),
        Row(what="the same at midnight, with the day", unit="s", ours=day, most=BEAT),
        Row(what="late facts of one half-hour in each of them, its day too", unit="s", ours=late, most=BEAT),
        Row(what="a look at 100 companies that finds nothing to do", unit="s", ours=nothing, most=BEAT / 4),
        Row(what="building one half-hour, of many in turn", unit="ms", ours=past / built * 1000,
            note=f"{built:,} half-hours in {past:.0f} s"),
    ]  # fmt: skip
