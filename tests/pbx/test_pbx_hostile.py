"""A server that is no friend: it may waste its own company's panel, never the worker's memory, clock or log."""

from __future__ import annotations

import asyncio
import math
import time

import pytest

from monitoring.pbx import actions, protocol
from monitoring.pbx.client import Client, Deadlines
from monitoring.pbx.inbox import CAPACITY_BYTES, Inbox
from monitoring.pbx.protocol import ActionRefused, LoginRefused, Pending
from tests.pbx.scripted import Fields, ScriptedPbx, block, scripted, success

QUICK = Deadlines(connect=2.0, login=2.0, action=1.0, listing=2.0, ping_every=5.0, pong=1.0)


def deaf(_blocks: list[bytes], _received: float) -> None:
    pass


async def test_a_list_of_huge_rows_is_given_up_before_it_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "LIST_BYTES", 1_000_000)
    pending = Pending(actions.channels(), asyncio.get_running_loop().create_future())
    row = b"Event: CoreShowChannel\r\nActionID: 1\r\nChannelName: " + b"x" * 60_000
    taken = 0
    while not pending.add(row):
        taken += 1
        assert taken < 20
    with pytest.raises(ActionRefused, match="bytes"):
        await pending.future


async def test_a_list_that_never_ends_costs_only_its_deadline() -> None:
    def endless(said: Fields) -> bytes:
        row = block("Event: CoreShowChannel", f"ActionID: {said['ActionID']}", "Uniqueid: 1.1")
        return success(said, "EventList: start") + row * 1000

    async with scripted(ScriptedPbx(answers={"CoreShowChannels": endless})) as pbx:
        client = await Client.open(pbx.address, deaf, QUICK)
        with pytest.raises(protocol.Unanswered):
            await client.collect(actions.channels(), deadline=0.2)
        await client.ping()
        assert not client.lost.done()
        client.close()


def test_few_but_huge_events_overflow_like_many_small_ones() -> None:
    inbox = Inbox()
    read = [b"Event: Newchannel\r\n" + b"x" * 60_000] * 100
    for _ in range(2 * CAPACITY_BYTES // (60_000 * 100)):
        inbox.put(read, 1.0)
    assert inbox.overflowed
    assert inbox.take() is None
    inbox.restart()
    inbox.put(read, 2.0)
    assert inbox.take() == (2.0, read)
    assert (inbox.size, inbox.bytes) == (0, 0)


@pytest.mark.parametrize("said", ["nan", "inf", "-inf", "1e300", "-5", "0", "tomorrow", "1_0"])
async def test_no_word_of_the_pbx_spoils_its_clock(said: str) -> None:
    def pong(fields: Fields) -> bytes:
        return success(fields, "Ping: Pong", f"Timestamp: {said}")

    async with scripted(ScriptedPbx(answers={"Ping": pong})) as pbx:
        client = await Client.open(pbx.address, deaf, QUICK)
        told = await client.ping()
        now = client.clock.at(asyncio.get_running_loop().time())
        client.close()
    assert math.isfinite(told)
    if said != "1_0":  # Python reads it as ten: a clock of 1970, which is the PBX's own affair
        assert abs(now - time.time()) < 5


async def test_why_the_pbx_refuses_is_one_line_however_it_says_it() -> None:
    forged = "no\n2026-11-22 ERROR root: all is lost\x1b[2J\u202e" + "x" * 5000

    def refuse(said: Fields) -> bytes:
        return block("Response: Error", f"ActionID: {said['ActionID']}", f"Message: {forged}")

    async with scripted(ScriptedPbx(answers={"Login": refuse})) as pbx:
        with pytest.raises(LoginRefused) as refused:
            await Client.open(pbx.address, deaf, QUICK)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) <= 200
