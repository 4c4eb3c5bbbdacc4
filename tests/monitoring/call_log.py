"""Recorded call event logs put where a PBX writes them, under the tests' companies and a PBX of theirs."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from monitoring.domain.cel import CelRow
from monitoring.domain.facts import Fact
from monitoring.pbx.replay import blocks_of, companies_in, events_of
from tests.domain import recorded_cel
from tests.domain.streams import Told

COMPANIES = {"romashka": "alpha", "vektor": "beta"}


def rows(name: str) -> list[CelRow]:
    return [CelRow(row.at, *(_renamed(text) for text in row[1:])) for row in recorded_cel.rows(name)]


def heard(name: str) -> Told:
    """What a collector that heard all of it told of the same calls."""
    blocks = blocks_of(
        _renamed((recorded_cel.FOLDER / f"{name}.filtered.ami").read_text("utf-8", "replace")).encode()
    )
    return Told(events_of(blocks), companies_in(blocks))


def facts_of(told: Told, pbx: str) -> list[Fact]:
    """For ``ingest.store``: calls and visits as that PBX's collector would tell them."""
    calls = [call._replace(key=call.key.replace("t:", f"{pbx}:", 1)) for call in told.calls.values()]
    visits = [visit._replace(call=visit.call.replace("t:", f"{pbx}:", 1)) for visit in told.visits.values()]
    return [*calls, *visits]


def write(pbx: str, log: Sequence[CelRow]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO asterisk.cel (pbx, eventtime, eventtype, uniqueid, linkedid, accountcode, channame, cid_num,"
            " cid_name, exten, context, appname, appdata, userdeftype, extra)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [(pbx, row.at, *map(_as_latin1, row[1:])) for row in log],
        )


def _renamed(text: str) -> str:
    for recorded, company in COMPANIES.items():
        text = text.replace(recorded, company)
    return text


def _as_latin1(text: str) -> str:
    """As PostgreSQL keeps what came in as LATIN1."""
    return text.encode().decode("latin-1")
