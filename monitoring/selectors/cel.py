"""The call event log that managed PBXs write (schema ``asterisk``), read as whole journeys of one company's calls.

A PBX's role may only add rows there; this is the one place that reads them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from monitoring.domain.cel import CelRow

JOURNEYS_AT_ONCE = 300
TEXT_LIMIT = 200
_LOOPS = 20

_BEGUN = """
SELECT DISTINCT linkedid FROM asterisk.cel
 WHERE pbx = %(pbx)s AND eventtime BETWEEN %(begin)s AND %(end)s AND accountcode = %(company)s
UNION
SELECT DISTINCT linkedid FROM asterisk.cel WHERE pbx = %(pbx)s AND uniqueid = ANY(%(channels)s)
ORDER BY 1
"""
_NEXT_LINKS = """
SELECT DISTINCT linkedid FROM asterisk.cel
 WHERE pbx = %(pbx)s AND uniqueid IN (
       SELECT uniqueid FROM asterisk.cel WHERE pbx = %(pbx)s AND linkedid = ANY(%(links)s))
"""
_ROWS = """
SELECT eventtime, eventtype, uniqueid, linkedid, accountcode, channame, cid_num, cid_name, exten, context, appname,
       appdata, userdeftype, extra
  FROM asterisk.cel WHERE pbx = %(pbx)s AND linkedid = ANY(%(links)s) ORDER BY eventtime, id
"""


def is_kept(pbx: str) -> bool:
    """Whether this PBX has ever written a row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM asterisk.cel WHERE pbx = %s)", [pbx])
        return bool(cursor.fetchone()[0])


def journeys(
    pbx: str, company: str, begin: float, end: float, channels: Collection[str] = ()
) -> Iterator[list[CelRow]]:
    """Rows of every call of ``company`` with a sign of life in [``begin``, ``end``] (PBX's clock), or one of
    ``channels``: from its first row to its last, some hundred calls at a time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _BEGUN, {"pbx": pbx, "company": company, "begin": begin, "end": end, "channels": sorted(channels)}
        )
        begun = [link for (link,) in cursor.fetchall()]
        done: set[str] = set()
        for place in range(0, len(begun), JOURNEYS_AT_ONCE):
            fresh = set(begun[place : place + JOURNEYS_AT_ONCE]) - done
            if not fresh:
                continue
            links = _all_links(cursor, pbx, fresh)
            done |= links
            cursor.execute(_ROWS, {"pbx": pbx, "links": sorted(links)})
            yield [_row(values) for values in cursor.fetchall()]


def _all_links(cursor: CursorWrapper, pbx: str, links: set[str]) -> set[str]:
    """Also the linkedids that these calls' channels bore before or after: a transfer changes it."""
    for _ in range(_LOOPS):
        cursor.execute(_NEXT_LINKS, {"pbx": pbx, "links": sorted(links)})
        found = {link for (link,) in cursor.fetchall()}
        if found <= links:
            break
        links = links | found
    return links


def _row(values: Sequence[Any]) -> CelRow:
    at, kind, uniqueid, linkedid, company, *rest = values
    channel, number, name, exten, context, app, data, mark, extra = (_text(value) for value in rest)
    return CelRow(
        at, kind, uniqueid, linkedid, company, channel, number[:TEXT_LIMIT], name[:TEXT_LIMIT], exten[:TEXT_LIMIT],
        context, app, data[:TEXT_LIMIT], mark, extra,
    )  # fmt: skip


def _text(value: str) -> str:
    """Asterisk's bytes, whatever they are, come in as LATIN1, so that no caller's name can make a row unwritable."""
    return value.encode("latin-1", "replace").decode("utf-8", "replace")
