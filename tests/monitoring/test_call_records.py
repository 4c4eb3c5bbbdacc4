"""A PBX may add rows of its own to the call event log and do nothing else; rows nobody needs are forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from monitoring.models.policy import Policy
from monitoring.selectors.cel import is_kept, journeys
from monitoring.services import call_records
from tenants.models import Company, Pbx
from tenants.scope import company_scope

pytestmark = pytest.mark.django_db

ROW = (
    "INSERT INTO asterisk.cel (id, pbx, eventtype, eventtime, uniqueid, linkedid, accountcode)"
    " VALUES (DEFAULT, {pbx}, 'CHAN_START', %s, 'u.1', 'u.1', 'alpha')"
)
NOW = 1_795_338_000.5


@pytest.fixture
def pbx(alpha: Company) -> Pbx:
    row = Pbx.objects.create(name="АТС", host="127.0.0.1", username="x", managed=True)
    row.companies.add(alpha)
    return row


@contextmanager
def signed_in_as(pbx: Pbx) -> Iterator[Any]:
    """The PBX's role until the block ends."""
    access = call_records.open_access(pbx=pbx.pk)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'SET LOCAL ROLE "{access.role}"')
        try:
            yield cursor
        finally:
            cursor.execute("RESET ROLE")


def refused(cursor: Any, statement: str, *values: object) -> None:
    with pytest.raises(DatabaseError, match=r"permission denied|row-level security"), transaction.atomic():
        cursor.execute(statement, values)


def test_a_pbx_adds_rows_of_its_own(pbx: Pbx) -> None:
    with signed_in_as(pbx) as cursor:
        cursor.execute(ROW.format(pbx="DEFAULT"), [NOW])
    assert is_kept(str(pbx.pk))
    assert not is_kept(str(pbx.pk + 1))
    (batch,) = journeys(str(pbx.pk), "alpha", NOW - 1, NOW + 1)
    assert [(row.at, row.kind, row.company) for row in batch] == [(NOW, "CHAN_START", "alpha")]
    assert list(journeys(str(pbx.pk), "beta", NOW - 1, NOW + 1)) == []
    assert list(journeys(str(pbx.pk + 1), "alpha", NOW - 1, NOW + 1)) == []


def test_a_pbx_can_do_nothing_else(pbx: Pbx) -> None:
    with signed_in_as(pbx) as cursor:
        refused(cursor, ROW.format(pbx=f"'{pbx.pk + 1}'"), NOW)
        refused(cursor, "SELECT count(*) FROM asterisk.cel")
        refused(cursor, "UPDATE asterisk.cel SET extra = ''")
        refused(cursor, "DELETE FROM asterisk.cel")
        refused(cursor, "TRUNCATE asterisk.cel")
        refused(cursor, "SELECT count(*) FROM alpha.monitoring_call")
        refused(cursor, "SELECT count(*) FROM public.tenants_pbx")
        refused(cursor, "CREATE TABLE asterisk.mine (x int)")
    assert not is_kept(str(pbx.pk))


def test_a_second_opening_keeps_the_role_and_changes_its_password(pbx: Pbx) -> None:
    first, second = (call_records.open_access(pbx=pbx.pk) for _ in range(2))
    assert first.role == second.role
    assert first.password != second.password
    assert first.role.endswith(f"_pbx_{pbx.pk}")


@pytest.mark.django_db(transaction=True)
def test_a_caller_whose_name_is_no_text_at_all_costs_no_row(pbx: Pbx) -> None:
    access = call_records.open_access(pbx=pbx.pk)
    with psycopg.connect(
        host=access.host, port=access.port, dbname=access.database, user=access.role, password=access.password,
        autocommit=True,
    ) as log:  # fmt: skip
        insert = (
            b"INSERT INTO cel (eventtype, eventtime, uniqueid, linkedid, accountcode, cid_name)"
            b" VALUES ('CHAN_START', 5.25, 'u.9', 'u.9', 'alpha', '\xff\xfe \xd0\x90\xd0\xbd\xd0\xbd\xd0\xb0')"
        )
        log.execute(insert)
    (batch,) = journeys(str(pbx.pk), "alpha", 5.0, 6.0)
    assert batch[0].name == "\ufffd\ufffd Анна"


def test_rows_are_kept_as_long_as_the_company_that_keeps_events_longest(pbx: Pbx, beta: Company) -> None:
    pbx.companies.add(beta)
    with company_scope("alpha"):
        Policy.objects.create(keep_events=10)
    with company_scope("beta"):
        Policy.objects.create(keep_events=30)
    now = datetime.fromtimestamp(NOW, UTC)
    with connection.cursor() as cursor:
        for days in (5, 20, 29, 31, 400):
            at = (now - timedelta(days=days)).timestamp()
            cursor.execute(
                "INSERT INTO asterisk.cel (pbx, eventtype, eventtime, uniqueid, linkedid)"
                " VALUES (%s, 'ANSWER', %s, 'u', 'u')",
                [str(pbx.pk), at],
            )
        assert call_records.forget_old(now=now) == 2
        assert call_records.forget_old(now=now) == 0
        cursor.execute("SELECT count(*) FROM asterisk.cel")
        assert cursor.fetchone() == (3,)


def test_the_command_prints_what_the_pbx_needs(pbx: Pbx) -> None:
    said = StringIO()
    call_command("provision_pbx", str(pbx.pk), "--host", "db.example", stdout=said)
    text = said.getvalue()
    for line in (
        "hostname = db.example",
        f"_pbx_{pbx.pk}",
        "schema = asterisk",
        "taskprocessor_overload_trigger",
    ):
        assert line in text


def test_the_command_prints_sql_where_it_may_not_act(pbx: Pbx) -> None:
    said = StringIO()
    call_command("provision_pbx", str(pbx.pk), "--sql", stdout=said)
    assert "GRANT INSERT ON asterisk.cel" in said.getvalue()
    role = call_records.access_of(pbx.pk, "x").role
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [role])
        assert cursor.fetchone() == (0,)


def test_the_command_refuses_a_companys_own_pbx(pbx: Pbx) -> None:
    Pbx.objects.update(managed=False)
    with pytest.raises(CommandError, match="own PBX"):
        call_command("provision_pbx", str(pbx.pk), stdout=StringIO())
    with pytest.raises(CommandError, match="no PBX"):
        call_command("provision_pbx", "999999", stdout=StringIO())
