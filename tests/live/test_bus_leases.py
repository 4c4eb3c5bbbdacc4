"""Leases: one owner per PBX at a time, whatever pauses, flushes or races come between."""

from __future__ import annotations

import asyncio

import pytest
import redis as redis_py

from monitoring.bus import BoardWriter, Fenced, Lease, Leases, read_board
from tests.live.boards import board, changed


async def test_only_one_of_many_gets_a_pbx(redis_url: str) -> None:
    workers = [Leases(redis_url, f"worker:{n}") for n in range(20)]
    won = [lease for lease in await asyncio.gather(*(worker.acquire("7") for worker in workers)) if lease]
    assert len(won) == 1
    assert await workers[0].owners(["7", "8"]) == {"7": won[0].owner}
    for worker in workers:
        await worker.close()


async def test_a_silent_owners_pbx_is_free_after_its_time_and_the_token_grows(
    leases: Leases, others: Leases
) -> None:
    short = await others.acquire("1")
    assert short is not None
    assert await leases.acquire("1") is None
    await asyncio.sleep(0.2)
    taken = await leases.acquire("1")
    assert taken is not None
    assert int(taken.token) > int(short.token)
    assert not await others.renew(short)


async def test_a_renewed_lease_stays(leases: Leases, others: Leases) -> None:
    held = await others.acquire("1")
    assert held is not None
    for _ in range(4):
        await asyncio.sleep(0.08)
        assert await others.renew(held)
    assert await leases.acquire("1") is None


async def test_a_late_owner_gets_its_lease_back_only_when_nobody_had_it_since(
    leases: Leases, others: Leases
) -> None:
    held = await others.acquire("1")
    assert held is not None
    await asyncio.sleep(0.2)
    assert await others.renew(held)
    await asyncio.sleep(0.2)
    taken = await leases.acquire("1")
    assert taken is not None
    await leases.release(taken)
    assert not await others.renew(held)


async def test_giving_back_anothers_lease_does_nothing(leases: Leases, lease: Lease, others: Leases) -> None:
    await others.release(Lease("1", "second:2", lease.token))
    assert await leases.owners(["1"]) == {"1": "first:1"}
    await leases.release(lease)
    assert await others.acquire("1") is not None


async def test_a_paused_owner_that_wakes_up_writes_nothing(
    redis_url: str, leases: Leases, others: Leases
) -> None:
    held = await others.acquire("1")
    assert held is not None
    paused, owner = BoardWriter(redis_url), BoardWriter(redis_url)
    paused.hold(held)
    await paused.reset("romashka", "1", "old", board())
    await asyncio.sleep(0.2)
    taken = await leases.acquire("1")
    assert taken is not None
    owner.hold(taken)
    # Between the take-over and the new owner's first write the old one is refused already.
    with pytest.raises(Fenced):
        await paused.publish("romashka", "1", changed("queue", "romashka_sales", waiting=9))
    await owner.reset("romashka", "1", "new", board())
    with pytest.raises(Fenced):
        await paused.reset("romashka", "1", "older", board())
    assert {pbx: found.epoch.split("~")[0] for pbx, found in read_board("romashka").items()} == {"1": "new"}
    await leases.release(taken)
    # Nobody holds it now, yet the old token stays behind the new one.
    with pytest.raises(Fenced):
        await paused.reset("romashka", "1", "older", board())
    await paused.close()
    await owner.close()


async def test_tokens_grow_over_a_flush(
    raw: redis_py.Redis, leases: Leases, others: Leases, lease: Lease
) -> None:
    raw.flushall()
    taken = await others.acquire("1")
    assert taken is not None
    assert int(taken.token) > int(lease.token)
    assert not await leases.renew(lease)


async def test_live_workers_are_known_to_each_other(leases: Leases, others: Leases) -> None:
    assert await leases.announce() == ["first:1"]
    assert await others.announce() == ["first:1", "second:2"]
    await asyncio.sleep(0.2)
    assert await leases.announce() == ["first:1"]
    await others.announce()
    await others.leave()
    assert await leases.announce() == ["first:1"]
