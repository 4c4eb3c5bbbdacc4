"""Hubs in one and several processes: the same board everywhere, also while Redis comes and goes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import orjson
import pytest
import redis as redis_py

from ccenter.demo import embedded
from monitoring.bus import BoardLost, BoardWriter, Leases, LinkStatus
from monitoring.live.hub import Hub, hub_here
from tests.live.boards import board, call, changed, gone, link
from tests.live.test_audience import Browser

ALIVE = LinkStatus(owner="first:1", state="connected", since=1.0)


@pytest.fixture
async def hubs(redis_url: str) -> AsyncIterator[list[Hub]]:
    hubs = [Hub(redis_url), Hub(redis_url)]
    yield hubs
    for hub in hubs:
        await hub.close()


async def until(statement: Callable[[], bool], *, within: float = 5.0) -> float:
    """Seconds until the statement was true."""
    began = time.perf_counter()
    while not statement():
        assert time.perf_counter() - began < within
        await asyncio.sleep(0.005)
    return time.perf_counter() - began


async def test_two_processes_show_the_same_board(hubs: list[Hub], writer: BoardWriter) -> None:
    await writer.reset(
        "romashka", "1", "e1", board(call={"1:1.1": call("1:1.1", groups=[1])}, link={"1": link("1")})
    )
    await writer.heartbeat("1", ALIVE)
    browsers = [Browser(), Browser(), Browser()]
    await hubs[0].join("romashka", browsers[0], None, pbxs={"1"})
    await hubs[1].join("romashka", browsers[1], None, pbxs={"1"})
    await hubs[1].join("vektor", browsers[2], None, pbxs={"1"})
    for n in range(2, 30):
        await writer.publish("romashka", "1", changed("call", f"1:{n}.0", **call(f"1:{n}.0", groups=[n % 3])))
        await writer.publish("romashka", "1", gone("call", f"1:{n - 2}.0"))
    await until(
        lambda: all(browser.board["call"].keys() == {"1:1.1", "1:28.0", "1:29.0"} for browser in browsers[:2])
    )
    assert browsers[0].board == browsers[1].board
    assert browsers[2].board["call"] == {}


async def test_many_enter_while_the_board_moves_and_all_end_equal(
    hubs: list[Hub], writer: BoardWriter
) -> None:
    await writer.reset(
        "romashka", "1", "e1", board(call={"1:1.1": call("1:1.1", groups=[1])}, link={"1": link("1")})
    )
    browsers = [Browser() for _ in range(60)]

    async def enter() -> None:
        for n, browser in enumerate(browsers):
            await hubs[n % 2].join("romashka", browser, frozenset({1}) if n % 3 else None, pbxs={"1"})
            await asyncio.sleep(0.003)

    async def move() -> None:
        for n in range(100):
            await writer.publish("romashka", "1", changed("call", "1:1.1", position=n, groups=[1 + n % 2]))
            await asyncio.sleep(0.002)
        await writer.publish("romashka", "1", changed("call", "1:1.1", position="last", groups=[1]))

    await asyncio.gather(enter(), move())
    await until(
        lambda: all(browser.board["call"].get("1:1.1", {}).get("position") == "last" for browser in browsers)
    )


async def test_a_company_nobody_watches_costs_nothing(
    hubs: list[Hub], writer: BoardWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.live.room.LINGER", 0.1)
    hub = hubs[0]
    seat = await hub.join("romashka", Browser(), None, pbxs={"1"})
    assert "romashka" in hub.rooms
    hub.leave("romashka", seat)
    await until(lambda: not hub.rooms, within=5)


async def test_a_pbx_nobody_ever_collected_is_shown_as_orphaned(hubs: list[Hub]) -> None:
    browser = Browser()
    await hubs[0].join("romashka", browser, frozenset(), pbxs={"1", "2"})
    assert {pbx: row["state"] for pbx, row in browser.board["link"].items()} == {
        "1": "orphaned",
        "2": "orphaned",
    }


async def test_a_restarted_redis_is_found_again_and_the_board_with_it(
    redis_home: Path, hubs: list[Hub]
) -> None:
    url = hubs[0]._reader._url
    browser = Browser()
    leases, writer = Leases(url, "first:1"), BoardWriter(url)
    lease = await leases.acquire("1")
    assert lease is not None
    writer.hold(lease)
    await writer.reset(
        "romashka", "1", "e1", board(call={"1:1.1": call("1:1.1", groups=[])}, link={"1": link("1")})
    )
    await writer.heartbeat("1", ALIVE)
    await hubs[0].join("romashka", browser, None, pbxs={"1"})
    await until(lambda: browser.board["link"]["1"]["state"] == "connected")
    await asyncio.to_thread(embedded.stop, redis_home)
    took = await until(lambda: browser.board["link"]["1"]["state"] == "orphaned", within=10)
    print(f"orphaned {took:.2f} s after Redis went")
    assert browser.board["call"].keys() == {"1:1.1"}  # what was known stays in sight
    assert await asyncio.to_thread(embedded.redis, redis_home) == url
    began = time.perf_counter()
    assert await leases.renew(lease)
    with pytest.raises(BoardLost):
        await writer.publish("romashka", "1", changed("call", "1:1.1", name="x"))
    await writer.heartbeat("1", ALIVE)
    await writer.reset(
        "romashka", "1", "e1", board(call={"1:2.2": call("1:2.2", groups=[])}, link={"1": link("1")})
    )
    await until(
        lambda: (
            browser.board["call"].keys() == {"1:2.2"} and browser.board["link"]["1"]["state"] == "connected"
        ),
        within=10,
    )
    print(f"right again {time.perf_counter() - began:.2f} s after Redis came back")
    await leases.close()
    await writer.close()


async def test_a_frame_nobody_can_read_does_not_freeze_the_board(
    hubs: list[Hub], writer: BoardWriter, raw: redis_py.Redis
) -> None:
    await writer.reset("romashka", "1", "e1", board(call={"1:1.1": call("1:1.1", groups=[])}))
    browser = Browser()
    await hubs[0].join("romashka", browser, None, pbxs={"1"})
    raw.publish("cc:romashka:live", b"\xff not a frame")
    await asyncio.sleep(0.05)
    await writer.publish("romashka", "1", changed("call", "1:1.1", name="after"))
    await until(lambda: browser.board["call"]["1:1.1"]["name"] == "after")


async def test_there_is_one_hub_in_a_loop(redis_url: str) -> None:
    assert hub_here() is hub_here()
    await hub_here().close()


async def test_a_snapshot_is_kept_for_a_storm_and_never_old(hubs: list[Hub], writer: BoardWriter) -> None:
    await writer.reset("romashka", "1", "e1", board(call={"1:1.1": call("1:1.1", groups=[])}))
    browsers = [Browser() for _ in range(10)]
    for browser in browsers[:5]:
        await hubs[0].join("romashka", browser, None, pbxs={"1"})
    await writer.publish("romashka", "1", changed("call", "1:1.1", name="new"))
    await until(lambda: browsers[0].board["call"]["1:1.1"]["name"] == "new")
    for browser in browsers[5:]:
        await hubs[0].join("romashka", browser, None, pbxs={"1"})
    bodies = {text.split(b",", 2)[2] for browser in browsers for text in browser.texts[:1]}
    assert len(bodies) == 1
    assert {browser.board["call"]["1:1.1"]["name"] for browser in browsers} == {"new"}
    assert orjson.loads(browsers[9].texts[0])["now"] >= orjson.loads(browsers[0].texts[0])["now"]
