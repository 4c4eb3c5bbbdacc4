"""Every Redis key and channel of the bus, spelled once; a name that is not legal never becomes part of a key.

Company keys start with the company's schema name. Platform keys have an empty one, which no company can have.
"""

from __future__ import annotations

import re

_COMPANY = re.compile(r"[a-z][a-z0-9]{1,30}\Z")
_PBX = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_ANSWER = re.compile(r"[0-9a-f]{32}\Z")


def _company(slug: str) -> str:
    if not _COMPANY.match(slug):
        raise ValueError(f"not a company's schema name: {slug[:40]!r}")
    return slug


def _pbx(pbx: str) -> str:
    if not _PBX.match(pbx):
        raise ValueError(f"not a PBX key: {pbx[:40]!r}")
    return pbx


def boards(company: str) -> str:
    """Hash: for each PBX with a board, ``<pbx>.epoch``, ``<pbx>.seq`` and ``<pbx>.at``."""
    return f"cc:{_company(company)}:boards"


def board(company: str, pbx: str) -> str:
    """Hash: ``<kind>:<id>`` → the whole entity as JSON."""
    return f"cc:{_company(company)}:board:{_pbx(pbx)}"


def channel(company: str) -> str:
    """Pub/sub channel: one frame per change of any of the company's boards."""
    return f"cc:{_company(company)}:live"


def answer(company: str, command_id: str) -> str:
    """List of at most one element: the answer to a command."""
    if not _ANSWER.match(command_id):
        raise ValueError("not a command's id")
    return f"cc:{_company(company)}:answer:{command_id}"


def lease(pbx: str) -> str:
    """String with a time to live: ``<token>|<owner>``."""
    return f"cc::lease:{_pbx(pbx)}"


def fence(pbx: str) -> str:
    """String: the highest token ever given for this PBX."""
    return f"cc::fence:{_pbx(pbx)}"


def commands(pbx: str) -> str:
    """List: ``<deadline in ms>|<JSON>``."""
    return f"cc::commands:{_pbx(pbx)}"


def bell(pbx: str) -> str:
    """List of at most one element: something waits in ``commands``."""
    return f"cc::bell:{_pbx(pbx)}"


WORKERS = "cc::workers"  # sorted set: owner → until when (ms) it counts as alive
LINKS = "cc::links"  # hash: pbx → <ms of the last heartbeat>|<JSON of LinkStatus>
