"""The health of every PBX link, kept by a heartbeat: silence means that its collector is gone.

Ages are measured by Redis's own clock on both sides, so the machines' clocks need not agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import orjson

from monitoring.bus import keys
from monitoring.bus.connections import bus_errors, web_client
from monitoring.domain.wire import LinkState

ORPHAN_AFTER = 3.5
"""Seconds without a heartbeat after which nobody is taken to watch the PBX (seen on panels within 5 s)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStatus:
    """What the collector says of its link. ``error``: plain words; ``next_try``, ``since``: epoch s (UTC)."""

    owner: str
    state: LinkState
    since: float
    lag_ms: int = 0
    epoch: str = ""
    events: int = 0
    quarantined: int = 0
    error: str = ""
    next_try: float | None = None
    simulated: bool = False
    spool_queued: int = 0
    spool_bytes: int = 0
    spool_dropped: int = 0
    spool_error: str = ""


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """A link's last words and their age in seconds. ``state`` is orphaned when the collector fell silent."""

    status: LinkStatus
    age: float

    @property
    def orphaned(self) -> bool:
        return self.age > ORPHAN_AFTER

    @property
    def state(self) -> LinkState:
        return "orphaned" if self.orphaned else self.status.state


_FIELDS = frozenset(field.name for field in fields(LinkStatus))


def packed(status: LinkStatus) -> bytes:
    return orjson.dumps(status)


def unpacked(raw: dict[bytes, bytes], now: tuple[int, int]) -> dict[str, LinkHealth]:
    """``raw``: the LINKS hash; ``now``: Redis TIME."""
    clock = now[0] * 1000 + now[1] / 1000
    found = {}
    for pbx, value in raw.items():
        beat, _, text = value.partition(b"|")
        said: dict[str, Any] = orjson.loads(text)
        # A newer collector may say more than this web process knows.
        status = LinkStatus(**{name: said[name] for name in said.keys() & _FIELDS})
        found[pbx.decode()] = LinkHealth(status, max(0.0, (clock - int(beat)) / 1000))
    return found


def get_links(pbxs: Iterable[str] | None = None) -> dict[str, LinkHealth]:
    """The known links (of these PBXs only, when given); one never watched is missing. Raises BusAway."""
    with bus_errors(), web_client().pipeline(transaction=False) as pipe:
        pipe.hgetall(keys.LINKS)
        pipe.time()
        raw, now = pipe.execute()
    found = unpacked(raw, now)
    return found if pbxs is None else {pbx: found[pbx] for pbx in pbxs if pbx in found}


def ping() -> None:
    """Raises BusAway unless Redis answers."""
    with bus_errors():
        web_client().ping()
