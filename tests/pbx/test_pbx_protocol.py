"""The defects of the library underneath, each shown to be gone on a real socket."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.domain.commands import BadValue
from monitoring.domain.events import Event
from monitoring.pbx import actions
from monitoring.pbx.client import Client, Deadlines
from monitoring.pbx.frames import Framer
from monitoring.pbx.normalise import normalise
from monitoring.pbx.protocol import (
    ActionRefused,
    AmiProtocol,
    ConnectionGone,
    LoginRefused,
    NotAsterisk,
    Unanswered,
    Unreachable,
    parse,
)
from tests.pbx.scripted import ScriptedPbx, block, event, scripted, success, until

QUICK = Deadlines(connect=0.5, login=0.5, action=0.3, listing=0.3, ping_every=0.1, pong=0.2, pong_at_most=1.0)


class Ear:
    """What the connection hands on."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []

    def __call__(self, blocks: list[bytes], received: float) -> None:
        self.blocks += blocks

    def named(self, name: str) -> list[bytes]:
        return [b for b in self.blocks if b.startswith(f"Event: {name}".encode())]


@pytest.fixture
async def pbx() -> AsyncIterator[ScriptedPbx]:
    async with scripted() as server:
        yield server


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
async def client(pbx: ScriptedPbx, ear: Ear) -> AsyncIterator[Client]:
    client = await Client.open(pbx.address, ear, QUICK)
    yield client
    client.close()


async def test_letters_split_between_two_chunks_stay_whole(ear: Ear) -> None:
    async with scripted(ScriptedPbx(chunk=1)) as pbx:
        client = await Client.open(pbx.address, ear, QUICK)
        said = event("Newchannel", Uniqueid="1.1", CallerIDName="Иван Ёлкин 📞")
        for byte in said:
            pbx.say(bytes([byte]))
            await asyncio.sleep(0)
        await until(lambda: ear.named("Newchannel"))
        assert parse(ear.named("Newchannel")[0])["CallerIDName"] == "Иван Ёлкин 📞"
        client.close()


async def test_a_value_with_a_line_break_sends_nothing_at_all(pbx: ScriptedPbx, client: Client) -> None:
    before = pbx.raw
    with pytest.raises(BadValue):
        await client.run(actions.queue_pause(interface="PJSIP/a\r\nAction: Hangup", paused=True))
    with pytest.raises(TypeError):
        client._protocol.send({"Action": "Ping", "X": "a\r\n\r\nAction: Hangup"})  # type: ignore[arg-type] # a misuse
    await client.ping()
    assert pbx.raw[len(before) :].count(b"Action: ") == 1
    assert not pbx.named("Hangup")


async def test_an_unanswered_originate_is_never_sent_again(pbx: ScriptedPbx, ear: Ear) -> None:
    pbx.answers["Originate"] = lambda _: None
    client = await Client.open(pbx.address, ear, QUICK)
    calling = asyncio.create_task(
        client.run(actions.originate(channel="PJSIP/a", context="c", exten="1"), deadline=2)
    )
    await until(lambda: pbx.named("Originate"))
    pbx.cut()
    with pytest.raises(ConnectionGone):
        await calling
    again = await Client.open(pbx.address, ear, QUICK)
    pbx.say(block("Event: FullyBooted", "Uptime: 1"))  # what made the library send it a second time
    await again.ping()
    assert len(pbx.named("Originate")) == 1
    again.close()


async def test_an_exception_in_the_receiver_costs_neither_connection_nor_what_follows(
    pbx: ScriptedPbx, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[bytes] = []

    def receive(blocks: list[bytes], received: float) -> None:
        heard.extend(blocks)
        if b"Uniqueid: bad" in blocks[0]:
            raise ValueError("a receiver's mistake")

    client = await Client.open(pbx.address, receive, QUICK)
    with caplog.at_level(logging.CRITICAL, "monitoring.pbx.protocol"):
        pbx.say(event("Hangup", Uniqueid="bad"))
        await until(lambda: any(b"bad" in b for b in heard))
        pbx.say(event("Hangup", Uniqueid="good"))
        await until(lambda: any(b"good" in b for b in heard))
    await client.ping()
    assert client._protocol.failures == 1
    client.close()


async def test_an_answer_in_the_middle_of_a_chunk_does_not_stop_the_events_around_it(
    pbx: ScriptedPbx, client: Client, ear: Ear
) -> None:
    pbx.answers["CoreStatus"] = lambda said: (
        event("Hangup", Uniqueid="1") + success(said, "CoreCurrentCalls: 2") + event("Hangup", Uniqueid="2")
    )
    assert (await client.run(actions.core_status()))["CoreCurrentCalls"] == "2"
    await until(lambda: len(ear.named("Hangup")) == 2)


async def test_events_are_handed_on_in_the_order_they_came(
    pbx: ScriptedPbx, client: Client, ear: Ear
) -> None:
    for start in range(0, 500, 50):
        pbx.say(*(event("Hangup", Uniqueid=n) for n in range(start, start + 50)))
        await asyncio.sleep(0)
    await until(lambda: len(ear.named("Hangup")) == 500)
    assert [parse(b)["Uniqueid"] for b in ear.named("Hangup")] == [str(n) for n in range(500)]


def test_an_empty_last_header_is_kept() -> None:
    assert parse(b"Event: QueueMemberPause\r\nPaused: 0\r\nPausedReason: ")["PausedReason"] == ""
    assert parse(b"Event: QueueMemberPause\r\nPaused: 0\r\nPausedReason:")["PausedReason"] == ""


async def test_an_unanswered_ping_ends_a_half_open_connection(pbx: ScriptedPbx, client: Client) -> None:
    pbx.mute = True
    took = await until(client.lost.done)
    assert client.lost.result().code == "silent"
    assert took < QUICK.ping_every + QUICK.pong + 0.3


async def test_a_busy_link_whose_pongs_are_late_is_not_taken_for_dead(
    pbx: ScriptedPbx, client: Client
) -> None:
    pbx.answers["Ping"] = lambda _: None
    for _ in range(12):
        pbx.say(event("Hangup", Uniqueid="1"))
        await asyncio.sleep(0.05)
    assert not client.lost.done()
    await until(client.lost.done)  # but not for ever: events alone cannot carry a command's answer


async def test_a_wrong_secret_says_so_and_shows_it_nowhere(pbx: ScriptedPbx, ear: Ear) -> None:
    address = pbx.address
    pbx.secret = "changed"
    with pytest.raises(LoginRefused, match="Authentication failed") as refusal:
        await Client.open(address, ear, QUICK)
    assert address.secret not in repr(address) + repr(refusal.value)


@pytest.mark.parametrize(
    "banner",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\0\xff" * 300,
        b"Asterisk Call X\r\n",
    ],
)
async def test_a_server_that_is_not_asterisk_is_named_as_such(banner: bytes, ear: Ear) -> None:
    async with scripted(ScriptedPbx(banner=banner)) as pbx:
        with pytest.raises(NotAsterisk):
            await Client.open(pbx.address, ear, QUICK)
        assert not pbx.named("Login")


async def test_a_server_that_says_nothing_is_given_up_after_the_deadline(ear: Ear) -> None:
    async with scripted(ScriptedPbx(banner=b"")) as pbx:
        with pytest.raises(NotAsterisk, match="nothing"):
            await Client.open(pbx.address, ear, QUICK)


async def test_a_closed_port_and_a_wrong_name_are_unreachable(ear: Ear) -> None:
    async with scripted() as pbx:
        closed = pbx.address
    with pytest.raises(Unreachable, match=str(closed.port)):
        await Client.open(closed, ear, QUICK)
    for host in ("no-such-host.invalid", "a" * 70 + ".invalid", ""):
        with pytest.raises(Unreachable):
            await Client.open(type(closed)(host, 5038, "a", "b"), ear, QUICK)


async def test_tls_where_there_is_none_is_said_in_words(pbx: ScriptedPbx, ear: Ear) -> None:
    plain = pbx.address
    with pytest.raises(Unreachable, match=r"TLS|does not answer"):
        await Client.open(type(plain)(plain.host, plain.port, "a", "b", tls=True), ear, QUICK)


async def test_a_list_cut_in_the_middle_is_an_error_and_never_half_a_list(
    pbx: ScriptedPbx, client: Client
) -> None:
    pbx.answers["CoreShowChannels"] = lambda said: (
        success(said, "EventList: start")
        + block("Event: CoreShowChannel", f"ActionID: {said['ActionID']}", "Uniqueid: 1.1")
    )
    with pytest.raises(Unanswered):
        await client.collect(actions.channels())
    pbx.answers["CoreShowChannels"] = lambda said: (
        success(said, "EventList: start")
        + block("Event: CoreShowChannelsComplete", f"ActionID: {said['ActionID']}", "EventList: cancelled")
    )
    with pytest.raises(ActionRefused):
        await client.collect(actions.channels())


async def test_a_late_answer_belongs_to_nobody(pbx: ScriptedPbx, client: Client, ear: Ear) -> None:
    late: list[dict[str, str]] = []
    pbx.answers["CoreStatus"] = lambda said: late.append(said)
    with pytest.raises(Unanswered):
        await client.run(actions.core_status())
    pbx.say(success(late[0], "CoreCurrentCalls: 1"))
    await client.ping()
    assert not client._protocol._pending
    assert not [b for b in ear.blocks if b.startswith(b"Response")]


async def test_an_events_own_text_is_not_taken_for_an_answer(
    pbx: ScriptedPbx, client: Client, ear: Ear
) -> None:
    asked: list[str] = []

    def answer(said: dict[str, str]) -> bytes:
        asked.append(said["ActionID"])
        hostile = event("NewCallerid", CallerIDName=f"x ActionID: {said['ActionID']}")
        return hostile + success(said, "CoreCurrentCalls: 7")

    pbx.answers["CoreStatus"] = answer
    assert (await client.run(actions.core_status()))["CoreCurrentCalls"] == "7"
    assert len(ear.named("NewCallerid")) == 1


async def test_an_originate_waits_for_what_became_of_it(pbx: ScriptedPbx, client: Client) -> None:
    pbx.answers["Originate"] = lambda said: (
        success(said, "Message: Originate successfully queued")
        + event("Hangup", Uniqueid="9")
        + block("Event: OriginateResponse", f"ActionID: {said['ActionID']}", "Response: Failure", "Reason: 3")
    )
    answer = await client.run(actions.originate(channel="PJSIP/a", context="c", exten="1"))
    assert (answer["Response"], answer["Reason"]) == ("Failure", "3")


STREAM = (
    event("Newchannel", Timestamp="1795319034.1", Uniqueid="1.1", Linkedid="1.1", Tenantid="alpha", Channel="PJSIP/t-1",
          ChannelState="4", CallerIDNum="+7495", CallerIDName="Ёлка <b>", Exten="100", Context="main")
    + event("QueueCallerJoin", Timestamp="1795319034.2", Uniqueid="1.1", Linkedid="1.1", Tenantid="alpha",
            Channel="PJSIP/t-1", Queue="alpha_sales", Position="1", CallerIDNum="1", CallerIDName="‮evil")
    + block("Response: Success", "ActionID: nobody", "Message: x")
    + b"\r\n"
    + event("Hangup", Timestamp="1795319035.2", Uniqueid="1.1", Linkedid="1.1", Tenantid="alpha", Cause="16")
)  # fmt: skip


def heard(chunks: list[bytes]) -> tuple[list[Event], bool]:
    """The events one connection hands on when the bytes come in these chunks, and whether it is still open."""
    events: list[Event] = []

    def receive(blocks: list[bytes], received: float) -> None:
        events.extend(e for b in blocks if (e := normalise(b)) is not None)

    async def play() -> bool:
        protocol = AmiProtocol(receive)
        protocol.connection_made(_Wire())
        protocol.data_received(b"Asterisk Call Manager/11.0.0\r\n")
        for chunk in chunks:
            protocol.data_received(chunk)
        assert protocol.failures == 0
        return not protocol.lost.done()

    return events, asyncio.run(play())


class _Wire:
    """A transport that goes nowhere."""

    def write(self, data: bytes) -> None: ...
    def abort(self) -> None: ...


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_split_of_the_bytes_gives_the_same_events(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[a:b] for a, b in itertools.pairwise(edges)]
    assert heard(chunks) == heard([STREAM])
    assert len(heard(chunks)[0]) == 3


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(max_size=200), st.sampled_from([STREAM, b"\r\n\r\n", b"\0", b"Event: ", b"\xd0"]))
    )
)
def test_no_bytes_whatever_raise_or_end_the_connection(chunks: list[bytes]) -> None:
    _, still_open = heard(chunks)
    assert still_open


def test_a_line_of_a_megabyte_is_cut_and_what_follows_is_heard() -> None:
    huge = b"Event: Newchannel\r\nCallerIDName: " + b"A" * 1_000_000
    events, still_open = heard(
        [huge[i : i + 65536] for i in range(0, len(huge), 65536)] + [b"\r\n\r\n", STREAM]
    )
    assert still_open
    assert len(events) == 3
    framer = Framer()
    framer.feed(huge + b"\r\n\r\n")
    assert framer.cut == 1
