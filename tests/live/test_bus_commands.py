"""Commands: delivered once, to the PBX's owner alone, and never late."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
import redis as redis_py

from monitoring.bus import Answer, BusFull, CommandInbox, Fenced, Lease, Leases, send_command, wait_answer
from monitoring.bus import commands as bus_commands
from monitoring.domain.commands import ReloadDirectory, SetStatus

LUNCH = SetStatus(
    company="romashka", manager="romashka_101", status=2, status_kind="break", reason="Обед", at=1.0
)


async def test_a_command_comes_once_and_its_answer_comes_back(inbox: CommandInbox, lease: Lease) -> None:
    command_id = await asyncio.to_thread(send_command, "1", LUNCH)
    [delivery] = await inbox.next_commands(lease)
    assert delivery.command == LUNCH
    assert await inbox.next_commands(lease, wait=0) == []
    await inbox.answer_command(delivery, Answer("failed", "no such member"))
    answer = await asyncio.to_thread(wait_answer, "romashka", command_id)
    assert answer == Answer("failed", "no such member")


async def test_the_answer_is_another_companys_nothing(inbox: CommandInbox, lease: Lease) -> None:
    command_id = await asyncio.to_thread(send_command, "1", LUNCH)
    [delivery] = await inbox.next_commands(lease)
    await inbox.answer_command(delivery, Answer("done"))
    assert await asyncio.to_thread(wait_answer, "vektor", command_id, timeout=0.1) is None
    assert await asyncio.to_thread(wait_answer, "romashka", command_id) == Answer("done")


async def test_a_waiting_collector_is_woken_at_once(inbox: CommandInbox, lease: Lease) -> None:
    waiting = asyncio.create_task(inbox.next_commands(lease, wait=5))
    await asyncio.sleep(0.05)
    began = time.perf_counter()
    await asyncio.to_thread(send_command, "1", ReloadDirectory(company="vektor"))
    assert [delivery.command for delivery in await waiting] == [ReloadDirectory(company="vektor")]
    assert time.perf_counter() - began < 0.5


async def test_a_command_past_its_deadline_is_answered_and_never_handed_out(
    inbox: CommandInbox, lease: Lease
) -> None:
    late = await asyncio.to_thread(send_command, "1", LUNCH, deadline=0.02)
    await asyncio.sleep(0.05)
    in_time = await asyncio.to_thread(send_command, "1", ReloadDirectory(company="romashka"))
    assert [delivery.id for delivery in await inbox.next_commands(lease)] == [in_time]
    answer = await asyncio.to_thread(wait_answer, "romashka", late)
    assert answer is not None
    assert answer.outcome == "too_late"


async def test_a_former_owner_gets_no_command_and_loses_none(
    inbox: CommandInbox, leases: Leases, others: Leases
) -> None:
    former = await others.acquire("1")
    assert former is not None
    await asyncio.sleep(0.2)
    owner = await leases.acquire("1")
    assert owner is not None
    await asyncio.to_thread(send_command, "1", LUNCH)
    with pytest.raises(Fenced):
        await inbox.next_commands(former)
    assert [delivery.command for delivery in await inbox.next_commands(owner)] == [LUNCH]


async def test_two_readers_share_a_hundred_commands_without_doubles(
    redis_url: str, inbox: CommandInbox, lease: Lease
) -> None:
    sent = [
        await asyncio.to_thread(send_command, "1", ReloadDirectory(company="romashka")) for _ in range(100)
    ]
    second = CommandInbox(redis_url)
    got: list[str] = []

    async def read(box: CommandInbox) -> None:
        while deliveries := await box.next_commands(lease, wait=0):
            got.extend(delivery.id for delivery in deliveries)

    await asyncio.gather(read(inbox), read(second))
    await second.close()
    assert sorted(got) == sorted(sent)


async def test_a_full_list_refuses_and_keeps_what_it_had(
    redis_url: str, raw: redis_py.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_commands, "MOST_WAITING", 2)
    for _ in range(2):
        await asyncio.to_thread(send_command, "1", LUNCH)
    before = raw.lrange("cc::commands:1", 0, -1)
    with pytest.raises(BusFull):
        await asyncio.to_thread(send_command, "1", LUNCH)
    assert raw.lrange("cc::commands:1", 0, -1) == before


async def test_one_company_cannot_take_the_room_of_another(
    inbox: CommandInbox, lease: Lease, raw: redis_py.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_commands, "MOST_OF_A_COMPANY", 2)
    named_so = replace(LUNCH, company="vektor", reason='"company":"romashka"')
    await asyncio.to_thread(send_command, "1", named_so)
    for _ in range(2):
        await asyncio.to_thread(send_command, "1", LUNCH)
    before = raw.lrange("cc::commands:1", 0, -1)
    with pytest.raises(BusFull):
        await asyncio.to_thread(send_command, "1", LUNCH)
    assert raw.lrange("cc::commands:1", 0, -1) == before
    await asyncio.to_thread(send_command, "1", ReloadDirectory(company="vektor"))
    taken = await inbox.next_commands(lease, wait=0)
    assert [delivery.command.company for delivery in taken] == ["vektor", "romashka", "romashka", "vektor"]
    await asyncio.to_thread(send_command, "1", LUNCH)


async def test_a_command_this_collector_does_not_know_is_refused_aloud(
    inbox: CommandInbox, lease: Lease, raw: redis_py.Redis
) -> None:
    command_id = "0" * 32
    item = f'99999999999999|{{"id":"{command_id}","command":{{"kind":"dance","company":"romashka"}}}}'
    raw.rpush("cc::commands:1", item)
    assert await inbox.next_commands(lease, wait=0) == []
    answer = await asyncio.to_thread(wait_answer, "romashka", command_id)
    assert answer is not None
    assert answer.outcome == "refused"


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"no command",
        b"99999999999999|{",
        b"99999999999999|[]",
        b'99999999999999|{"id": "x", "command": {}}',
        b'99999999999999|{"id": "../../etc", "command": {"company": "romashka", "kind": "set_status"}}',
        b'99999999999999|{"id": "00000000000000000000000000000000", "command": {"company": "a:b\\r\\n"}}',
        b"soon|{}",
    ],
)
async def test_rubbish_among_the_commands_does_not_end_the_listening(
    inbox: CommandInbox, lease: Lease, raw: redis_py.Redis, rubbish: bytes
) -> None:
    raw.rpush("cc::commands:1", rubbish)
    known = await asyncio.to_thread(send_command, "1", LUNCH)
    assert [delivery.id for delivery in await inbox.next_commands(lease)] == [known]
    assert raw.keys("cc:*:answer:*") == []
