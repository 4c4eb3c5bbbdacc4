"""``manage.py provision_pbx KEY``: the lines by which a managed Asterisk writes its call event log to the portal.

With them a window in which no collector listened is filled afterwards; without them the portal says that it has a hole.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, connection

from monitoring.services import call_records
from tenants.models import Pbx
from tenants.scope import public_scope

FILES = """; cel.conf
[general]
enable = yes
apps = dial,queue,park,parkedcall,chanspy
events = CHAN_START,CHAN_END,ANSWER,HANGUP,BRIDGE_ENTER,BRIDGE_EXIT,APP_START,APP_END,PARK_START,PARK_END
events = BLINDTRANSFER,ATTENDEDTRANSFER,PICKUP,LINKEDID_END,USER_DEFINED,STREAM_BEGIN,STREAM_END

; cel_pgsql.conf
[global]
show_user_defined = yes
hostname = {access.host}
port = {access.port}
dbname = {access.database}
user = {access.role}
password = {access.password}
schema = asterisk
table = cel

; pjsip.conf, [global]: a database that is slow must not make Asterisk refuse calls
taskprocessor_overload_trigger = pjsip_only

; every endpoint: accountcode = <short name of its company>; the dialplan stamps CHANNEL(accountcode) likewise
"""


class Command(BaseCommand):
    help = (
        "Let a managed PBX write its call event log into the portal's PostgreSQL; prints its configuration."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pbx", type=int, help="the PBX's number, as in the platform's list of PBXs")
        parser.add_argument("--host", default="", help="name or address of PostgreSQL as the PBX sees it")
        parser.add_argument(
            "--sql", action="store_true", help="change nothing; print the SQL for a superuser to run"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with public_scope():
            row = Pbx.objects.filter(pk=options["pbx"]).first()
            if row is None:
                raise CommandError(f"There is no PBX {options['pbx']}.")
            if not row.managed:
                raise CommandError(f"{row.name} is a company's own PBX: it keeps its log to itself.")
            access = self._access(row.pk, only_sql=options["sql"])
        if options["host"]:
            access = call_records.Access(
                options["host"], access.port, access.database, access.role, access.password
            )
        self.stdout.write(FILES.format(access=access))

    def _access(self, pbx: int, *, only_sql: bool) -> call_records.Access:
        if only_sql:
            access = call_records.access_of(pbx, call_records.new_password())
            with connection.cursor() as cursor:
                for statement in call_records.statements(access):
                    self.stdout.write(f"{statement.as_string(cursor.connection)};")
            return access
        try:
            return call_records.open_access(pbx=pbx)
        except Error as error:
            raise CommandError(
                f"The portal's role may not create roles ({error}). Run again with --sql and give that to a superuser."
            ) from error
