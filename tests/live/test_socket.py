"""The live board over a real Daphne and a real Redis: what a browser gets, and what it never gets."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
import redis as redis_py
import websockets
from django.db import connection
from websockets.exceptions import ConnectionClosed

from monitoring.bus import BoardWriter, Lease, Leases, LinkStatus
from tenants.scope import company_scope
from tests.live.boards import board, call, changed, gone, link, manager
from tests.live.conftest import People
from tests.live.site import MOST_SOCKETS, Page, Site

pytestmark = pytest.mark.django_db

ALIVE = LinkStatus(owner="first:1", state="connected", since=1.0)


def two_groups(people: People) -> Any:
    """A board with something of each group, and nothing they share."""
    one, two, slug = people.one.pk, people.two.pk, people.company
    return board(
        call={
            "1:1.1": call("1:1.1", groups=[one], name="Клиент первой"),
            "1:2.2": call("1:2.2", groups=[two]),
        },
        manager={
            f"{slug}_101": manager(f"{slug}_101", groups=[one]),
            f"{slug}_102": manager(f"{slug}_102", groups=[two]),
        },
        link={"1": link("1")},
    )


@pytest.fixture
async def live(writer: BoardWriter, people: dict[str, People], site: Site) -> BoardWriter:
    """Both companies' boards are there, their collector is alive, and the web process has taken that in."""
    await writer.heartbeat("1", ALIVE)
    for slug, theirs in people.items():
        await writer.reset(slug, "1", "e1", two_groups(theirs))
        async with site.socket(slug, theirs.sessions["admin"]) as socket:
            page = Page(socket)
            await page.hello()
            there = {"1:1.1": "Клиент первой", "1:2.2": ""}
            await page.until(
                lambda seen, there=there: (
                    {key: row["name"] for key, row in seen["call"].items()} == there
                    and seen["link"]["1"]["state"] == "connected"
                )
            )
    return writer


async def closed_with(socket: Any, *, within: float = 5.0) -> int:
    async def listen() -> None:
        while True:
            await socket.recv()

    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(listen(), within)
    return closed.value.rcvd.code if closed.value.rcvd else 1006


async def test_an_admin_sees_the_whole_company_and_every_change(
    site: Site, people: dict[str, People], live: BoardWriter
) -> None:
    async with site.socket("alpha", people["alpha"].sessions["admin"]) as socket:
        page = Page(socket)
        await page.hello()
        assert page.board["call"].keys() == {"1:1.1", "1:2.2"}
        assert page.board["link"]["1"]["state"] == "connected"
        await live.publish("alpha", "1", changed("call", "1:1.1", state="talking"))
        frame = await page.next("changes")
        assert frame["ops"] == [["call", "1:1.1", {"state": "talking"}]]
        await live.publish("alpha", "1", gone("call", "1:2.2"))
        await page.until(lambda seen: seen["call"].keys() == {"1:1.1"})


async def test_a_supervisor_gets_not_one_byte_of_another_group_or_company(
    site: Site, people: dict[str, People], live: BoardWriter
) -> None:
    async with site.socket("alpha", people["alpha"].sessions["one"]) as socket:
        page = Page(socket)
        await page.hello()
        for n in range(10):
            await live.publish("alpha", "1", changed("call", "1:2.2", position=n, name="Чужой"))
            await live.publish("alpha", "1", changed("manager", "alpha_102", title="Чужой"))
            await live.publish("beta", "1", changed("call", "1:1.1", name="Чужой"))
        await live.publish("alpha", "1", changed("call", "1:1.1", name="Свой"))
        await page.until(lambda seen: seen["call"]["1:1.1"]["name"] == "Свой")
        everything = json.dumps(page.heard, ensure_ascii=False)
        for foreign in ("1:2.2", "alpha_102", "Чужой", "beta"):
            assert foreign not in everything
        assert page.seq == 2  # what others see leaves no hole in the numbers


async def test_a_call_that_comes_to_my_group_appears_and_one_that_leaves_it_disappears(
    site: Site, people: dict[str, People], live: BoardWriter
) -> None:
    theirs = people["alpha"]
    async with site.socket("alpha", theirs.sessions["one"]) as socket:
        page = Page(socket)
        await page.hello()
        await live.publish("alpha", "1", changed("call", "1:2.2", groups=[theirs.one.pk, theirs.two.pk]))
        await page.until(lambda seen: "1:2.2" in seen["call"])
        assert page.board["call"]["1:2.2"]["number"] == "+79160000000"
        await live.publish("alpha", "1", changed("call", "1:2.2", groups=[theirs.two.pk]))
        await page.until(lambda seen: "1:2.2" not in seen["call"])


async def test_a_burst_is_one_frame_a_tick_and_the_first_change_does_not_wait(
    site: Site, people: dict[str, People], live: BoardWriter
) -> None:
    async with site.socket("alpha", people["alpha"].sessions["admin"]) as socket:
        page = Page(socket)
        await page.hello()
        page.heard.clear()
        await asyncio.sleep(0.1)
        for n in range(50):
            await live.publish("alpha", "1", changed("call", "1:1.1", position=n))
        await page.until(lambda seen: seen["call"]["1:1.1"]["position"] == 49)
        said = [
            op[2]["position"]
            for frame in page.heard
            if frame["t"] == "changes"
            for op in frame["ops"]
            if "position" in (op[2] or {})
        ]
        assert said[0] < 5
        assert len(said) < 25


async def test_a_reconnecting_browser_goes_on_from_where_it_was(
    site: Site, people: dict[str, People], live: BoardWriter
) -> None:
    session = people["alpha"].sessions["admin"]
    async with site.socket("alpha", session) as socket:
        page = Page(socket)
        await page.hello()
    for n in range(3):
        await live.publish("alpha", "1", changed("call", "1:1.1", position=n))
        await asyncio.sleep(0.06)
    async with site.socket("alpha", session) as socket:
        page.socket = socket
        page.heard.clear()
        await page.hello({"epoch": page.epoch, "seq": page.seq})
        await page.until(lambda seen: seen["call"]["1:1.1"].get("position") == 2)
        assert {frame["t"] for frame in page.heard} == {"changes"}
    async with site.socket("alpha", session) as socket:
        page = Page(socket)
        await page.hello({"epoch": "somebody else's", "seq": 3})
        assert page.heard[0]["t"] == "snapshot"


async def test_a_resync_brings_the_board_as_it_is(
    site: Site, people: dict[str, People], live: BoardWriter
) -> None:
    async with site.socket("alpha", people["alpha"].sessions["admin"]) as socket:
        page = Page(socket)
        await page.hello()
        page.board["call"].clear()
        await page.say(t="resync")
        await page.say(t="ping", id=1)
        await page.next("snapshot")
        await page.next("pong")
        assert page.board["call"].keys() == {"1:1.1", "1:2.2"}


async def test_a_ping_is_answered_with_the_servers_clock(
    site: Site, people: dict[str, People], live: BoardWriter
) -> None:
    async with site.socket("alpha", people["alpha"].sessions["one"]) as socket:
        page = Page(socket)
        await page.hello()
        await page.say(t="ping", id=7)
        pong = await page.next("pong")
        assert pong["id"] == 7
        assert abs(pong["now"] - time.time()) < 5


@pytest.mark.parametrize(
    "said",
    ["", "{", "[]", '{"t":"hello"}{"t":"hello"}', '{"t":"dance"}', '{"t":"ping","id":-1}', '{"t":"ping","id":true}',
     '{"t":"resync","x":1}', '{"t":"hello","have":{"epoch":1,"seq":1}}', "9" * 1000, b'{"t":"resync"}'],
)  # fmt: skip
async def test_junk_closes_the_socket(
    said: str | bytes, site: Site, people: dict[str, People], live: BoardWriter
) -> None:
    async with site.socket("alpha", people["alpha"].sessions["admin"]) as socket:
        await Page(socket).hello()
        await socket.send(said)
        assert await closed_with(socket) == 4400


async def test_a_huge_frame_and_a_flood_close_the_socket(
    site: Site, people: dict[str, People], live: BoardWriter
) -> None:
    async with site.socket("alpha", people["alpha"].sessions["admin"]) as socket:
        await Page(socket).hello()
        with suppress(ConnectionClosed):
            await socket.send("x" * 2_000_000)
        assert await closed_with(socket) in (1006, 1009)  # cut off while it is still being sent
    async with site.socket("alpha", people["alpha"].sessions["admin"]) as socket:
        await Page(socket).hello()
        for n in range(100):
            await socket.send(json.dumps({"t": "ping", "id": n}))
        assert await closed_with(socket) == 4400


async def refused(connecting: Any) -> int:
    with pytest.raises(websockets.InvalidStatus) as refusal:
        async with connecting:
            pass
    return int(refusal.value.response.status_code)


async def test_foreign_pages_strangers_and_managers_are_refused_at_the_door(
    site: Site, people: dict[str, People], live: BoardWriter
) -> None:
    admin = people["alpha"].sessions["admin"]
    port = site.port
    foreign = ["http://evil.example", f"http://beta.localhost:{port}", "null", None, f"https://alpha.localhost:{port}",
               f"http://alpha.localhost:{port + 1}", f"http://localhost:{port}"]  # fmt: skip
    for origin in foreign:
        assert await refused(site.socket("alpha", admin, origin=origin)) == 403, origin
    assert await refused(site.socket("beta", admin)) == 403, "alpha's session at beta's host"
    assert await refused(site.socket("alpha", "")) == 403
    assert await refused(site.socket("alpha", "guessed" * 5)) == 403
    assert await refused(site.socket("nobody", admin)) == 403
    assert await refused(site.socket("alpha", people["alpha"].sessions["manager"])) == 403
    assert await refused(site.socket("alpha", admin, path="/ws/other/")) == 403
    assert await refused(site.socket("alpha", admin, path="/")) == 403


async def test_a_person_who_loses_the_right_loses_the_socket_within_five_seconds(
    site: Site, people: dict[str, People], live: BoardWriter, django_db_blocker: Any
) -> None:
    theirs = people["alpha"]

    def change(name: str, **fields: Any) -> None:
        with django_db_blocker.unblock(), company_scope("alpha"):
            type(theirs.users[name]).objects.filter(pk=theirs.users[name].pk).update(**fields)
        connection.close()  # this thread's own

    for fields, back in (
        ({"is_active": False}, {"is_active": True}),
        ({"role": "manager"}, {"role": "supervisor"}),
    ):
        async with (
            site.socket("alpha", theirs.sessions["one"]) as losing,
            site.socket("alpha", theirs.sessions["two"]) as staying,
        ):
            await Page(losing).hello()
            page = Page(staying)
            await page.hello()
            began = time.perf_counter()
            await asyncio.to_thread(change, "one", **fields)
            assert await closed_with(losing, within=6) == 4403
            took = time.perf_counter() - began
            print(f"closed {took:.2f} s after {fields}")
            assert took <= 5
            await live.publish("alpha", "1", changed("call", "1:2.2", name=str(fields)))
            await page.until(lambda seen, name=str(fields): seen["call"]["1:2.2"]["name"] == name)
        await asyncio.to_thread(change, "one", **back)


async def test_one_person_has_so_many_sockets_and_no_more_until_one_is_closed(
    site: Site, people: dict[str, People], live: BoardWriter
) -> None:
    own, colleague = people["alpha"].sessions["one"], people["alpha"].sessions["two"]

    async def put_out(company: str, session: str) -> int | None:
        """The code with which one more socket is closed, None when it gets the board."""
        async with site.socket(company, session) as socket:
            try:
                await Page(socket).hello()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd is not None else 0
            return None

    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(site.socket("alpha", own)) for _ in range(MOST_SOCKETS)]
        for _ in range(3):  # also those who have not said hello yet are counted, and a refusal takes no place
            assert await put_out("alpha", own) == 4429
        assert await put_out("alpha", colleague) is None
        assert await put_out("beta", people["beta"].sessions["one"]) is None
        page = Page(sockets[0])
        await page.hello()
        await sockets[1].close()
        async with asyncio.timeout(5):
            while await put_out("alpha", own) is not None:
                pass


async def test_a_supervisor_who_heads_another_group_now_sees_that_one(
    site: Site, people: dict[str, People], live: BoardWriter, django_db_blocker: Any
) -> None:
    theirs = people["alpha"]

    def head(*groups: Any) -> None:
        with django_db_blocker.unblock(), company_scope("alpha"):
            theirs.users["two"].supervisor.groups.set(groups)
        connection.close()  # this thread's own

    async with site.socket("alpha", theirs.sessions["two"]) as socket:
        page = Page(socket)
        await page.hello()
        assert page.board["call"].keys() == {"1:2.2"}
        await asyncio.to_thread(head, theirs.one)
        await page.next("notice", within=6)
        await page.next("snapshot")
        assert page.board["call"].keys() == {"1:1.1"}
        await live.publish("alpha", "1", changed("call", "1:1.1", name="Теперь своя"))
        await page.until(lambda seen: seen["call"]["1:1.1"]["name"] == "Теперь своя")
        assert "1:2.2" not in page.board["call"]
    await asyncio.to_thread(head, theirs.two)


async def test_a_silent_collector_is_seen_within_five_seconds_and_its_return_too(
    site: Site, people: dict[str, People], live: BoardWriter
) -> None:
    async with site.socket("alpha", people["alpha"].sessions["one"]) as socket:
        page = Page(socket)
        await page.hello()
        await page.until(lambda seen: seen["link"]["1"]["state"] == "connected")
        await live.heartbeat("1", ALIVE)
        took = await page.until(lambda seen: seen["link"]["1"]["state"] == "orphaned", within=6)
        print(f"orphaned after {took:.2f} s")
        assert took <= 5
        await live.heartbeat("1", ALIVE)
        await page.until(lambda seen: seen["link"]["1"]["state"] == "connected", within=2)


async def test_after_a_flush_the_panels_are_right_again(
    site: Site,
    people: dict[str, People],
    live: BoardWriter,
    leases: Leases,
    lease: Lease,
    raw: redis_py.Redis,
) -> None:
    async with site.socket("alpha", people["alpha"].sessions["admin"]) as socket:
        page = Page(socket)
        await page.hello()
        raw.flushall()
        began = time.perf_counter()
        assert await leases.renew(lease)
        assert await live.heartbeat("1", ALIVE, {"alpha": "e1"}) == ["alpha"]
        await live.reset(
            "alpha", "1", "e1", board(call={"1:9.9": call("1:9.9", groups=[])}, link={"1": link("1")})
        )
        await page.until(lambda seen: seen["call"].keys() == {"1:9.9"})
        print(f"right again {time.perf_counter() - began:.2f} s after the flush")
        await live.publish("alpha", "1", changed("call", "1:9.9", name="после"))
        await page.until(lambda seen: seen["call"]["1:9.9"]["name"] == "после")


async def test_a_frame_that_never_came_is_noticed(
    site: Site, people: dict[str, People], live: BoardWriter, raw: redis_py.Redis
) -> None:
    async with site.socket("alpha", people["alpha"].sessions["admin"]) as socket:
        page = Page(socket)
        await page.hello()
        # The board moves on in Redis and nobody is told, as when a subscription dies unseen.
        raw.hset("cc:alpha:board:1", "call:1:1.1", json.dumps(call("1:1.1", groups=[], name="тихо")))
        raw.hincrby("cc:alpha:boards", "1.seq", 1)
        took = await page.until(lambda seen: seen["call"]["1:1.1"]["name"] == "тихо")
        print(f"a lost frame noticed after {took:.2f} s")
        assert took <= 5


async def test_two_hundred_browsers_at_once_all_get_the_board(
    site: Site, people: dict[str, People], live: BoardWriter
) -> None:
    sessions = [people["alpha"].sessions[name] for name in ("admin", "one", "two")]

    async def come(n: int) -> float:
        began = time.perf_counter()
        async with site.socket("alpha", sessions[n % 3], open_timeout=20) as socket:
            page = Page(socket)
            await page.hello()
            assert "link" in page.board
        return time.perf_counter() - began

    took = sorted(await asyncio.gather(*(come(n) for n in range(200))))
    print(f"200 browsers: p50 {took[100]:.2f} s, slowest {took[-1]:.2f} s")
    assert took[-1] < 15
