"""The simulator speaks AMI as Asterisk does, and its calls hang together."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from ccenter.lab import sample
from ccenter.lab.plan import AmiAccount
from ccenter.lab.simulator.crowd import crowd
from ccenter.lab.simulator.server import Simulator
from ccenter.lab.simulator.steps import Habits
from ccenter.lab.simulator.wire import clean
from ccenter.lab.simulator.world import World
from monitoring.domain import events as ev
from monitoring.pbx.frames import Framer
from monitoring.pbx.normalise import normalise

STREAMS = Path(__file__).parents[1] / "ami"
PLAN = sample.plan(phones_port=5070)
HURRIED = Habits(talk=0.4, rings=0.1, gives_up_after=0.3, patience=3.0)


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def block(self) -> dict[str, str]:
        text = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 3)).decode()
        return {k: v for k, _, v in (line.partition(": ") for line in text.split("\r\n")) if k}

    async def act(self, **fields: str) -> dict[str, str]:
        """Send an action; its response, events on the way are passed over."""
        lines = "".join(f"{key}: {value}\r\n" for key, value in {**fields, "ActionID": "t1"}.items())
        self.writer.write(f"{lines}\r\n".encode())
        while "Response" not in (block := await self.block()):
            pass
        return block

    async def until(self, event: str) -> list[dict[str, str]]:
        found = []
        while True:
            found.append(await self.block())
            if found[-1].get("Event") == event:
                return found

    async def sign_in(self, account: AmiAccount, secret: str = "", events: str = "on") -> dict[str, str]:
        return await self.act(
            Action="Login", Username=account.name, Secret=secret or account.secret, Events=events
        )


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    made = Simulator(PLAN, live=0, habits=HURRIED)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    assert await reader.readline() == b"Asterisk Call Manager/11.0.0\r\n"
    yield Client(reader, writer)
    writer.close()


async def test_a_right_secret_signs_in_and_hears_the_boot(client: Client) -> None:
    answer = await client.sign_in(sample.PORTAL)
    assert (answer["Response"], answer["ActionID"]) == ("Success", "t1")
    assert (await client.block())["Event"] == "FullyBooted"


async def test_a_wrong_secret_is_refused_and_the_line_is_cut(client: Client, simulator: Simulator) -> None:
    answer = await client.sign_in(sample.PORTAL, secret="wrong-secret")
    assert (answer["Response"], answer["Message"]) == ("Error", "Authentication failed")
    assert await client.reader.read() == b""
    assert not simulator.sessions


async def test_nothing_is_done_before_signing_in(client: Client, simulator: Simulator) -> None:
    answer = await client.act(Action="Setvar", Variable="AWAY_romashka_101", Value="1")
    assert answer["Message"] == "Permission denied"
    assert simulator.world.globals == {}


async def test_the_portals_account_may_not_list_endpoints_but_devices(client: Client) -> None:
    await client.sign_in(sample.PORTAL, events="off")
    assert (await client.act(Action="PJSIPShowEndpoints"))["Message"] == "Permission denied"
    assert (await client.act(Action="DeviceStateList"))["Response"] == "Success"
    *rows, end = await client.until("DeviceStateListComplete")
    assert len(rows) == int(end["ListItems"]) == 30
    assert {row["Device"] for row in rows} >= {"PJSIP/romashka_101", "PJSIP/vektor_101"}


async def test_a_pause_reaches_its_company_only_and_is_told(client: Client, simulator: Simulator) -> None:
    await client.sign_in(sample.PORTAL)
    answer = await client.act(
        Action="QueuePause", Interface="PJSIP/romashka_102", Paused="true", Reason="Обед"
    )
    assert answer["Response"] == "Success"
    paused = {(m.queue, m.name) for q in simulator.world.queues.values() for m in q.members if m.paused}
    assert paused == {("romashka_sales", "romashka_102")}
    assert (await client.act(Action="QueuePause", Interface="PJSIP/nobody", Paused="true"))[
        "Response"
    ] == "Error"
    still = {(m.queue, m.name) for q in simulator.world.queues.values() for m in q.members if m.paused}
    assert still == paused


async def test_a_paused_manager_gets_no_calls(simulator: Simulator) -> None:
    queue = simulator.world.queues["romashka_sales"]
    simulator.world.pause("PJSIP/romashka_102", paused=True, reason="Обед")
    assert "PJSIP/romashka_102" not in queue.free
    simulator.world.pause("PJSIP/romashka_102", paused=False, reason="")
    assert "PJSIP/romashka_102" in queue.free


async def test_an_account_hears_what_it_asked_for_and_no_more(simulator: Simulator) -> None:
    simulator.live = 6
    seen: dict[str, Counter[str]] = {}
    for account in (sample.PORTAL, sample.RECORDER):
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        await reader.readline()
        client = Client(reader, writer)
        await client.sign_in(account)
        seen[account.name] = Counter()
        async with asyncio.timeout(8):
            while seen[account.name]["AgentConnect"] < 2:
                seen[account.name][(await client.block()).get("Event", "")] += 1
        writer.close()
    assert set(seen["ccenter"]) <= set(sample.WANTED_EVENTS)


async def test_garbage_ends_one_connection_and_nothing_else(client: Client, simulator: Simulator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    writer.write(b"\x00\xff" * 100_000)
    with contextlib.suppress(ConnectionError):  # cut while we still write: just as good
        await writer.drain()
        await asyncio.wait_for(reader.read(), 3)
    writer.close()
    assert (await client.sign_in(sample.PORTAL))["Response"] == "Success"


def lived(*, seconds: float, live: float, seed: int = 5) -> tuple[World, list[bytes]]:
    simulator = Simulator(PLAN, live=live, habits=HURRIED, seed=seed)
    told: list[bytes] = []
    simulator.world.listener = lambda _name, _privilege, block: told.append(block)
    simulator.next_call = began = simulator.world.now
    simulator.advance(began + seconds)
    simulator.live = 0
    simulator.advance(began + seconds + 60)
    return simulator.world, told


def read(blocks: Iterable[bytes]) -> list[ev.Event]:
    frames = Framer().feed(b"".join(blocks))
    return [event for frame in frames if (event := normalise(frame)) is not None]


def test_every_simulated_call_ends_and_leaves_every_phone_idle() -> None:
    world, told = lived(seconds=60, live=8)
    events = read(told)
    kinds = Counter(type(event).__name__ for event in events)
    assert kinds["ChannelOpened"] == kinds["ChannelClosed"] > 300
    assert kinds["BridgeEntered"] == kinds["BridgeLeft"] > 100
    assert kinds["QueueJoined"] == kinds["QueueLeft"] > 50
    assert kinds["AgentConnected"] + kinds["QueueAbandoned"] == kinds["QueueJoined"]
    assert world.channels == {}
    assert set(world.devices.values()) == {"NOT_INUSE"}
    assert all(not queue.waiting for queue in world.queues.values())


def test_a_manager_is_never_in_two_talks_at_once() -> None:
    _, told = lived(seconds=25, live=14)
    talking: dict[str, str] = {}
    for event in read(told):
        if isinstance(event, ev.BridgeEntered) and "trunk" not in event.channel:
            device = event.channel.rpartition("-")[0]
            assert device not in talking
            talking[device] = event.uniqueid
        if isinstance(event, ev.BridgeLeft):
            talking = {device: uid for device, uid in talking.items() if uid != event.uniqueid}


def test_times_never_run_backwards_and_tenants_are_stamped() -> None:
    _, told = lived(seconds=25, live=8)
    events = read(told)
    assert [e.at for e in events] == sorted(e.at for e in events)
    companies = {e.tenant for e in events if isinstance(e, ev.QueueJoined)}
    assert companies == {"romashka", "vektor"}
    for event in events:
        if isinstance(event, ev.QueueJoined):
            assert event.queue.startswith(f"{event.tenant}_")


def test_the_same_seed_tells_the_same_story() -> None:
    def story(seed: int) -> list[str]:
        return [type(event).__name__ for event in read(lived(seconds=8, live=8, seed=seed)[1])]

    assert story(5) == story(5)
    assert story(5) != story(6)


def layouts(blocks: Iterable[bytes]) -> dict[str, set[tuple[str, ...]]]:
    """Event name → the sequences of header names it came with."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for block in blocks:
        names = tuple(line.partition(":")[0] for line in block.decode(errors="replace").split("\r\n") if line)
        if names and names[0] == "Event":
            found.setdefault(block[7:].split(b"\r\n")[0].decode(), set()).add(names)
    return found


def test_simulated_events_are_laid_out_as_recorded_ones() -> None:
    streams = sorted(path for path in STREAMS.glob("*.filtered.ami") if "hostile" not in path.name)
    recorded = layouts(block for path in streams for block in path.read_bytes().split(b"\r\n\r\n"))
    simulated = layouts(block.removesuffix(b"\r\n\r\n") for block in lived(seconds=40, live=8)[1])
    assert len(simulated) > 15
    for name, shapes in simulated.items():
        if name in sample.WANTED_EVENTS:
            assert shapes <= recorded[name], name


def test_a_crowd_is_found_busy_at_its_size() -> None:
    simulator = Simulator(crowd(managers=1000, companies=2), live=300, habits=Habits(talk=60))
    simulator.warm_up(180)
    up = [c for c, _ in simulator.world.channels.values() if c.state == 6 and c.device == "PJSIP/trunk"]
    assert 200 < len(up) < 400
    assert simulator.told == 0


def test_a_simulated_value_holds_no_line_break() -> None:
    assert clean("a\r\nEvent: Hangup\0") == "a  Event: Hangup"
