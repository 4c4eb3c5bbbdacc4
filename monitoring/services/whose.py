"""Who and what the PBX's names mean now: people, queues and lines with the groups they belong to.

Asked once a batch, so that rows are written with everything they need and none is joined for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.db import connection


class Known(NamedTuple):
    """A row of the portal's: its id and the ids of its groups, in order."""

    pk: int | None
    groups: tuple[int, ...]


UNKNOWN = Known(None, ())

# Links to archived groups stay out: nobody heads those any more.
_GROUPS = """
SELECT o.{name}, o.id, array(SELECT g.group_id FROM monitoring_{table}_groups g
                               JOIN monitoring_group live ON live.id = g.group_id AND live.archived_at IS NULL
                              WHERE g.{table}_id = o.id ORDER BY 1)
  FROM monitoring_{table} o WHERE o.archived_at IS NULL AND o.{name} = ANY(%s)
"""
_GONE_MANAGERS = """
SELECT pbx_name, id, '{}'::int4[] FROM monitoring_manager
 WHERE archived_at IS NOT NULL AND pbx_name = ANY(%s) ORDER BY archived_at
"""
_MANAGERS = _GROUPS.format(table="manager", name="pbx_name")
_QUEUES = _GROUPS.format(table="queue", name="pbx_name")
_LINES = _GROUPS.format(table="line", name="number")


def managers(names: Collection[str]) -> Mapping[str, Known]:
    """By name on the PBX; who is not there is nobody the portal knows."""
    return _known(_MANAGERS, names)


def gone_managers(names: Collection[str]) -> Mapping[str, Known]:
    """By name on the PBX: who had it last, of those who are archived."""
    return _known(_GONE_MANAGERS, names)


def queues(names: Collection[str]) -> Mapping[str, Known]:
    """By name on the PBX."""
    return _known(_QUEUES, names)


def lines(numbers: Collection[str]) -> Mapping[str, Known]:
    """By number."""
    return _known(_LINES, numbers)


def _known(question: str, names: Collection[str]) -> dict[str, Known]:
    asked = [name for name in names if name]
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(question, [asked])
        return {name: Known(pk, tuple(groups)) for name, pk, groups in cursor.fetchall()}
