"""The place where managed PBXs write their call event log: who may write there, and when rows are forgotten.

A PBX signs in as a role of its own, named after the database and the PBX. It may add rows that bear its own key, and
nothing else: neither read, nor change, nor name another PBX (row level security of ``asterisk.cel``).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from psycopg import sql

from monitoring.selectors.policy import policy
from tenants.models import Pbx
from tenants.scope import ScopeError, company_scope, public_scope

BATCH_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Access:
    """What a PBX's cel_pgsql.conf needs."""

    host: str
    port: int
    database: str
    role: str
    password: str


def open_access(*, pbx: int, password: str = "") -> Access:
    """Give the PBX a role that may write its log, or a new password for the one it has.

    Raises django.db.Error where the portal's own role may not create roles: then a superuser runs ``statements``.
    """
    access = access_of(pbx, password or new_password())
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements(access):
            cursor.execute(statement.as_string(cursor.connection))
    return access


def new_password() -> str:
    return secrets.token_urlsafe(24)


def access_of(pbx: int, password: str) -> Access:
    """How this PBX signs in; changes nothing."""
    settings = connection.settings_dict
    name = str(settings["NAME"])
    return Access(
        host=str(settings["HOST"] or "127.0.0.1"),
        port=int(settings["PORT"] or 5432),
        database=name,
        role=f"{name[:40]}_pbx_{pbx}",
        password=password,
    )


def statements(access: Access) -> list[sql.Composed]:
    """SQL that makes the role what it must be; may be run again and again."""
    role, password = sql.Identifier(access.role), sql.Literal(access.password)
    return [
        sql.SQL(
            "DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        ).format(role=role),
        sql.SQL("ALTER ROLE {role} LOGIN PASSWORD {password} CONNECTION LIMIT 4").format(
            role=role, password=password
        ),
        # cel_pgsql names no schema in its INSERT. LATIN1 lets every byte in: a caller whose name is no UTF-8 must not
        # cost us the row.
        sql.SQL("ALTER ROLE {role} SET search_path = asterisk").format(role=role),
        sql.SQL("ALTER ROLE {role} SET client_encoding = 'LATIN1'").format(role=role),
        sql.SQL("GRANT CONNECT ON DATABASE {database} TO {role}").format(
            database=sql.Identifier(access.database), role=role
        ),
        sql.SQL("GRANT USAGE ON SCHEMA asterisk TO {role}").format(role=role),
        sql.SQL("GRANT INSERT ON asterisk.cel TO {role}").format(role=role),
    ]


def forget_old(*, now: datetime) -> int:
    """Delete rows older than the longest time any company of their PBX keeps events; how many. Public scope."""
    forgotten = 0
    for pbx, days in _keep_days().items():
        before = (now - timedelta(days=days)).timestamp()
        while deleted := _forget_some(pbx, before):
            forgotten += deleted
    return forgotten


def _forget_some(pbx: str, before: float) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM asterisk.cel WHERE ctid = ANY(ARRAY("
            " SELECT ctid FROM asterisk.cel WHERE pbx = %s AND eventtime < %s LIMIT %s))",
            [pbx, before, BATCH_ROWS],
        )
        return int(cursor.rowcount)


def _keep_days() -> dict[str, int]:
    """PBX → days, for every PBX that has written anything; one without companies keeps what a company would."""
    with public_scope():
        with connection.cursor() as cursor:
            cursor.execute("SELECT DISTINCT pbx FROM asterisk.cel")
            written = [pbx for (pbx,) in cursor.fetchall()]
        companies: dict[str, list[str]] = {pbx: [] for pbx in written}
        for pbx in Pbx.objects.filter(pk__in=written).prefetch_related("companies"):
            companies[str(pbx.pk)] = [company.slug for company in pbx.companies.all()]
    return {pbx: max(map(_days_of, slugs), default=365) for pbx, slugs in companies.items()}


def _days_of(slug: str) -> int:
    try:
        with company_scope(slug):
            return int(policy().keep_events)
    except ScopeError:
        return 0
