"""The board on the bus: one atomic write a change, numbered, fenced, and whole again after a flush."""

from __future__ import annotations

import asyncio

import pytest
import redis as redis_py

from monitoring.bus import (
    BoardLost,
    BoardReader,
    BoardWriter,
    BusAway,
    Fenced,
    Lease,
    Leases,
    LinkStatus,
    get_links,
    read_board,
)
from tests.live.boards import Said, board, call, changed, gone, link, queue

ALIVE = LinkStatus(owner="first:1", state="connected", since=1.0)


async def test_a_reset_board_is_read_back_whole(writer: BoardWriter, reader: BoardReader) -> None:
    sales = queue("romashka_sales", groups=[1])
    await writer.reset(
        "romashka", "1", "e1", board(5.0, queue={"romashka_sales": sales}, link={"1": link("1")})
    )
    found = (await reader.boards("romashka"))["1"]
    assert (found.epoch.split("~")[0], found.seq, found.at) == ("e1", 1, 5.0)
    assert found.entities == {("queue", "romashka_sales"): sales, ("link", "1"): link("1")}
    assert read_board("romashka") == {"1": found}


async def test_one_companys_board_is_not_in_anothers(writer: BoardWriter, reader: BoardReader) -> None:
    await writer.reset("romashka", "1", "e1", board(call={"1:1.1": call("1:1.1", groups=[1])}))
    await writer.reset("vektor", "1", "e1", board())
    async with reader.subscribe("vektor") as frames:
        await writer.publish("romashka", "1", gone("call", "1:1.1"))
        await writer.publish("vektor", "1", changed("queue", "vektor_main", waiting=1))
        frame = await asyncio.wait_for(anext(frames), 2)
    assert frame.ops == [["queue", "vektor_main", {"waiting": 1}]]
    assert (await reader.boards("vektor"))["1"].entities == {("queue", "vektor_main"): {"waiting": 1}}


async def test_changes_are_numbered_and_leave_whole_entities(
    writer: BoardWriter, reader: BoardReader
) -> None:
    first = call("1:1.1", groups=[1])
    await writer.reset("romashka", "1", "e1", board(call={"1:1.1": first}))
    async with reader.subscribe("romashka") as frames:
        assert (
            await writer.publish("romashka", "1", changed("call", "1:1.1", was=first, state="talking")) == 2
        )
        assert (
            await writer.publish("romashka", "1", changed("call", "1:2.2", **call("1:2.2", groups=[2]))) == 3
        )
        assert await writer.publish("romashka", "1", gone("call", "1:1.1", at=9.0)) == 4
        assert await writer.publish("romashka", "1", Said(9.5, [], {})) == 0
        seen = [await asyncio.wait_for(anext(frames), 2) for _ in range(3)]
    assert [frame.seq for frame in seen] == [2, 3, 4]
    assert seen[0].ops == [["call", "1:1.1", {"state": "talking"}]]
    found = (await reader.boards("romashka"))["1"]
    assert (found.seq, found.at) == (4, 9.0)
    assert found.entities == {("call", "1:2.2"): call("1:2.2", groups=[2])}


async def test_a_board_of_ten_thousand_calls_fits(writer: BoardWriter, reader: BoardReader) -> None:
    calls = {f"1:{n}.0": call(f"1:{n}.0", groups=[n % 7]) for n in range(10_000)}
    await writer.reset("romashka", "1", "e1", board(call=calls))
    assert len((await reader.boards("romashka"))["1"].entities) == 10_000
    everything = Said(2.0, [("call", key, None) for key in calls], {("call", key): None for key in calls})
    assert await writer.publish("romashka", "1", everything) == 2
    assert (await reader.boards("romashka"))["1"].entities == {}


async def test_a_hostile_caller_name_travels_harmlessly(writer: BoardWriter, reader: BoardReader) -> None:
    names = [
        '<img src=x onerror="alert(1)">',
        "line\r\nbreak\0",
        "\u202egnp.exe",
        "half \ud83d pair",
        "x" * 10_000,
    ]
    for name in names:
        await writer.reset("romashka", "1", "e1", board(call={"1:1.1": call("1:1.1", groups=[1], name=name)}))
        found = (await reader.boards("romashka"))["1"].entities["call", "1:1.1"]
        assert found["name"] == name.encode("utf-8", "replace").decode()


@pytest.mark.parametrize("name", ["public:x", "Romashka", "a", "romashka\n", "*", "", "romashka_2", "x" * 40])
async def test_an_illegal_company_name_reaches_no_key(
    name: str, writer: BoardWriter, raw: redis_py.Redis
) -> None:
    before = set(raw.keys())
    with pytest.raises(ValueError, match="schema name"):
        await writer.reset(name, "1", "e1", board())
    with pytest.raises(ValueError, match="schema name"):
        read_board(name)
    assert set(raw.keys()) == before


async def test_after_a_flush_the_writer_is_told_and_a_reset_heals(
    writer: BoardWriter, reader: BoardReader, leases: Leases, lease: Lease, raw: redis_py.Redis
) -> None:
    await writer.reset("romashka", "1", "e1", board())
    await writer.reset("vektor", "1", "e1", board())
    assert await writer.heartbeat("1", ALIVE, {"romashka": "e1", "vektor": "e1"}) == []
    raw.flushall()
    assert await writer.heartbeat("1", ALIVE, {"romashka": "e1", "vektor": "e1"}) == ["romashka", "vektor"]
    with pytest.raises(BoardLost, match="romashka on PBX 1"):
        await writer.publish("romashka", "1", changed("queue", "romashka_sales", waiting=1))
    assert await reader.boards("romashka") == {}
    assert await leases.renew(lease)
    await writer.reset("romashka", "1", "e2", board(queue={"romashka_sales": {"waiting": 1}}))
    assert await writer.publish("romashka", "1", changed("queue", "romashka_sales", waiting=2)) == 2
    assert await writer.heartbeat("1", ALIVE, {"romashka": "e2"}) == []


async def test_a_writer_without_the_lease_changes_nothing(
    redis_url: str, writer: BoardWriter, lease: Lease
) -> None:
    await writer.reset("romashka", "1", "e1", board(at=1.0))
    before = read_board("romashka")
    stranger = BoardWriter(redis_url)
    try:
        for deed in (
            stranger.reset("romashka", "1", "e9", board()),
            stranger.heartbeat("1", LinkStatus(owner="stranger", state="down", since=0.0)),
        ):
            with pytest.raises(Fenced):
                await deed
        stranger.hold(Lease("1", "stranger", str(int(lease.token) - 1)))
        with pytest.raises(Fenced):
            await stranger.reset("romashka", "1", "e9", board())
    finally:
        await stranger.close()
    assert read_board("romashka") == before
    assert get_links() == {}


async def test_a_company_that_left_the_pbx_has_no_board_there(
    writer: BoardWriter, reader: BoardReader
) -> None:
    await writer.reset("romashka", "1", "e1", board(queue={"q": {"waiting": 1}}))
    async with reader.subscribe("romashka") as frames:
        await writer.forget("romashka", "1")
        frame = await asyncio.wait_for(anext(frames), 2)
    assert (frame.seq, frame.ops) == (0, None)
    assert await reader.boards("romashka") == {}


async def test_a_dead_redis_is_said_in_the_buss_own_words_and_soon() -> None:
    writer = BoardWriter("redis://127.0.0.1:1/0")
    writer.hold(Lease("1", "first:1", "1"))
    with pytest.raises(BusAway):
        await asyncio.wait_for(writer.reset("romashka", "1", "e1", board()), 5)
    await writer.close()


async def test_silence_makes_a_link_orphaned(
    writer: BoardWriter, reader: BoardReader, raw: redis_py.Redis
) -> None:
    await writer.set_link(
        "1", LinkStatus(owner="first:1", state="stale", since=3.0, lag_ms=70, error="no answer")
    )
    health = (await reader.links())["1"]
    assert (health.state, health.orphaned, health.status.lag_ms) == ("stale", False, 70)
    beat, _, text = raw.hget("cc::links", "1").partition(b"|")  # type: ignore[union-attr]  # the sync client's answer
    raw.hset("cc::links", "1", b"%d|%s" % (int(beat) - 4000, text))
    assert get_links()["1"].state == "orphaned"
    assert get_links()["1"].status.error == "no answer"
    assert get_links(["2"]) == {}
