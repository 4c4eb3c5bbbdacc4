"""A browser that stops reading costs little memory, catches up when it can, and is let go when it cannot."""

from __future__ import annotations

import asyncio
import socket as sockets
from pathlib import Path
from typing import Any

import pytest

from monitoring.bus import BoardWriter, Frame, LinkStatus, PbxBoard
from monitoring.live import room
from monitoring.live.hub import Hub
from monitoring.live.mirror import Mirror
from monitoring.live.outlet import BLOCKED_BYTES, AsgiOutlet
from monitoring.live.stream import KEPT_BYTES, Seat, Stream
from tests.live.boards import board, call, changed, link
from tests.live.conftest import People
from tests.live.site import Page, Site
from tests.live.test_audience import Browser
from tests.live.test_hub import until

pytestmark = pytest.mark.django_db


def memory_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no such process")


async def test_twenty_browsers_that_stop_reading_cost_under_a_megabyte_each_and_then_catch_up(
    site: Site, people: dict[str, People], writer: BoardWriter
) -> None:
    await writer.reset(
        "alpha", "1", "slow", board(call={"1:1.1": call("1:1.1", groups=[])}, link={"1": link("1")})
    )
    await writer.heartbeat("1", LinkStatus(owner="first:1", state="connected", since=1.0))
    session = people["alpha"].sessions["admin"]

    def narrow() -> sockets.socket:
        plain = sockets.socket()
        plain.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 65536)
        plain.connect(("127.0.0.1", site.port))
        return plain

    opened: list[Any] = []
    for _ in range(20):
        # max_queue: after two unread frames the client takes nothing more from its socket.
        opened.append(await site.socket("alpha", session, sock=narrow(), max_queue=1, max_size=None))
    pages = [Page(one) for one in opened]
    for page in pages:
        await page.hello()
    before = memory_kb(site.process.pid)
    async with site.socket("alpha", session) as socket:
        quick = Page(socket)
        await quick.hello()
        for n in range(30):
            await writer.publish("alpha", "1", changed("call", "1:1.1", name=str(n) * 50_000))
            await quick.until(lambda seen, n=n: seen["call"]["1:1.1"]["name"] == str(n) * 50_000)
    extra = (memory_kb(site.process.pid) - before) / 20
    print(f"{extra:.0f} kB more for each of 20 browsers that read nothing of 2.5 MB")
    assert extra < 1024
    for page in pages:
        await page.until(lambda seen: seen["call"]["1:1.1"]["name"] == "29" * 50_000, within=20)
    for one in opened:
        await one.close()


def filled(browsers: int) -> tuple[Mirror, Stream, list[Browser]]:
    mirror = Mirror()
    mirror.replace({"1": PbxBoard("e", 1, 1.0, {("call", "1:1.1"): call("1:1.1", groups=[])})})
    stream = Stream(None, mirror, "s")
    seats = [Browser() for _ in range(browsers)]
    for browser in seats:
        seat = Seat(browser, stream)
        stream.seats.add(seat)
        seat.catch_up()
    return mirror, stream, seats


def test_a_short_pause_is_made_good_by_the_frames_missed_and_a_long_one_by_a_snapshot() -> None:
    mirror, stream, [browser] = filled(1)
    number = 1

    def move(size: int) -> None:
        nonlocal number
        number += 1
        dirty = mirror.apply(
            Frame("1", "e", number, 2.0, [("call", "1:1.1", {"name": "x" * size + str(number)})])
        )
        assert dirty is not None
        stream.push(dirty)

    browser.stop_reading()
    for _ in range(3):
        move(10)
    browser.read_on()
    assert [b'"t":"snapshot"' in text for text in browser.texts] == [True, False, False, False]
    browser.stop_reading()
    for _ in range(10):
        move(KEPT_BYTES // 5)
    browser.read_on()
    assert b'"t":"snapshot"' in browser.texts[-1]
    assert browser.board["call"]["1:1.1"]["name"].endswith(str(number))


def test_frames_are_serialised_once_however_many_browsers_watch() -> None:
    mirror, stream, browsers = filled(50)
    dirty = mirror.apply(Frame("1", "e", 2, 2.0, [("call", "1:1.1", {"name": "once"})]))
    assert dirty is not None
    stream.push(dirty)
    assert len({id(browser.texts[-1]) for browser in browsers}) == 1


async def test_a_browser_that_never_reads_again_is_closed_with_4008(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SLOW_AFTER", 0.2)
    hub = Hub(redis_url)
    stuck, lively = Browser(), Browser()
    await hub.join("alpha", stuck, None, pbxs={"1"})
    await hub.join("alpha", lively, None, pbxs={"1"})
    stuck.stop_reading()
    await until(lambda: stuck.closed == 4008)
    assert lively.closed is None
    await hub.close()


async def test_under_another_server_a_socket_that_waits_is_not_ready_until_it_took_everything() -> None:
    sent: list[str] = []
    gate = asyncio.Event()
    again: list[bool] = []

    async def send(message: dict[str, Any]) -> None:
        await gate.wait()
        sent.append(message["text"])

    outlet = AsgiOutlet(send)
    outlet.on_ready = lambda: again.append(True)
    outlet.write(b"a")
    assert outlet.ready
    outlet.write(b"b" * BLOCKED_BYTES)
    assert not outlet.ready
    gate.set()
    await asyncio.sleep(0.01)
    assert sent == ["a", "b" * BLOCKED_BYTES]
    assert outlet.ready
    assert again == [True]
    outlet.end()
