"""A live board as a collector would have left it in Redis, as bad as a test needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import redis

from monitoring.bus import BoardWriter, Leases, LinkStatus, keys
from monitoring.domain.wire import LinkState
from tests.live.boards import board, call, link
from tests.profiles.conftest import House

NOW = 1_800_000_000.0
TODAY = {
    "offered": 0, "answered": 0, "answered_within": 0, "abandoned": 0, "short_abandoned": 0, "flow_out": 0,
    "wait_answered": 0.0,
}  # fmt: skip


def manager(key: str, groups: list[int], **fields: Any) -> dict[str, Any]:
    return {
        "key": key, "title": f"Имя {key}", "extension": key[-3:], "groups": groups, "queues": [], "status": None,
        "status_since": None, "paused": False, "pause_reason": "", "registration": "registered",
        "activity": "free", "activity_since": None, "calls": [], "missed_in_row": 0, "flags": [], "today": {},
        "wrap_until": None,
        **fields,
    }  # fmt: skip


def tell(
    url: str,
    house: House,
    *,
    waiting: int = 0,
    waited: float = 1.0,
    today: Mapping[str, float] | None = None,
    state: LinkState = "connected",
    heard: bool = True,
    now: float = NOW,
) -> None:
    """``waiting`` callers in the queue of Sales, ``waited`` seconds each; Анна in Sales, Борис in Support."""
    sales, support = [house.staff.sales.pk], [house.staff.support.pk]
    name, pbx = f"{house.slug}_sales", str(house.staff.pbx.pk)
    rows = board(
        at=now,
        call={
            f"{pbx}:{n}": call(f"{pbx}:{n}", groups=sales, queue=name, joined=now - waited, state="waiting")
            for n in range(waiting)
        },
        queue={
            name: {
                "key": name, "title": "Продажи", "groups": sales, "answer_within": 20.0, "short_abandon": 5.0,
                "managers": [], "waiting": waiting, "earliest": None, "today": {**TODAY, **(today or {})},
            },
            f"{house.slug}_support": {
                "key": f"{house.slug}_support", "title": "Поддержка", "groups": support, "answer_within": 20.0,
                "short_abandon": 5.0, "managers": [], "waiting": 0, "earliest": None, "today": dict(TODAY),
            },
        },
        manager={
            f"{house.slug}_101": manager(f"{house.slug}_101", sales, queues=[name]),
            f"{house.slug}_102": manager(f"{house.slug}_102", support),
        },
        link={pbx: link(pbx, state=state)},
    )  # fmt: skip
    with redis.Redis.from_url(url) as client:  # other tests' PBXs are no longer the company's
        client.delete(keys.boards(house.slug), keys.LINKS)
    asyncio.run(_write(url, house.slug, pbx, rows, state, heard=heard))


async def _write(url: str, slug: str, pbx: str, rows: Any, state: LinkState, *, heard: bool) -> None:
    leases, writer = Leases(url, f"{slug}:1"), BoardWriter(url)
    lease = await leases.acquire(pbx)
    assert lease is not None
    writer.hold(lease)
    await writer.reset(slug, pbx, "e1", rows)
    if heard:
        await writer.heartbeat(pbx, LinkStatus(owner=f"{slug}:1", state=state, since=1.0))
    await leases.release(lease)
    await leases.close()
    await writer.close()
