"""The snapshot says what the PBX says, whole or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from monitoring.domain.events import SnapshotCaller, SnapshotChannel
from monitoring.pbx import bootstrap
from monitoring.pbx.client import Client, Deadlines
from monitoring.pbx.protocol import ActionRefused, AmiError, ConnectionGone, Unanswered
from tests.pbx.scripted import ScriptedPbx, block, scripted

QUICK = Deadlines(action=0.3, listing=0.3, pong=0.3)
CHANNEL = {
    "Channel": "PJSIP/alpha_101-00000001", "ChannelState": "6", "ChannelStateDesc": "Up", "CallerIDNum": "<unknown>",
    "CallerIDName": "Ёлка <b>", "Context": "main", "Exten": "501", "Uniqueid": "1.1", "Linkedid": "1.0",
    "Tenantid": "alpha", "Application": "Queue", "ApplicationData": "alpha_sales", "Duration": "100:01:05",
    "BridgeId": "",
}  # fmt: skip
MEMBER = {
    "Queue": "alpha_sales", "Name": "Иванов", "Location": "PJSIP/alpha_101", "Status": "1", "Paused": "1",
    "PausedReason": "Обед",
}  # fmt: skip


def refusal(said: dict[str, str], why: str) -> bytes:
    return block("Response: Error", f"ActionID: {said['ActionID']}", f"Message: {why}")


@pytest.fixture
async def pbx() -> AsyncIterator[ScriptedPbx]:
    script = ScriptedPbx(
        skew=3600.0,
        channels=[CHANNEL, {"Channel": "without an id"}],
        members=[MEMBER],
        callers=[{"Queue": "alpha_sales", "Position": "2", "Uniqueid": "1.1", "Wait": "14"}],
        devices=[
            {"Device": "PJSIP/alpha_101", "State": "INUSE"},
            {"Device": "Queue:alpha_sales_pause_PJSIP/alpha_101", "State": "NOT_INUSE"},
        ],
        endpoints=[
            {
                "ObjectName": "alpha_101",
                "Contacts": "alpha_101/sip:101@127.0.0.1:1,",
                "DeviceState": "In use",
            },
            {"ObjectName": "alpha_102", "Contacts": "", "DeviceState": "Unavailable"},
            {"ObjectName": "alpha_103", "Contacts": "alpha_103/sip:gone,", "DeviceState": "Unavailable"},
        ],
    )
    async with scripted(script) as server:
        yield server


@pytest.fixture
async def client(pbx: ScriptedPbx) -> AsyncIterator[Client]:
    client = await Client.open(pbx.address, lambda *_: None, QUICK)
    yield client
    client.close()


async def test_everything_the_pbx_has_is_in_it_at_the_pbxs_own_time(pbx: ScriptedPbx, client: Client) -> None:
    before = pbx.now()
    reading = await bootstrap.read(client)
    snapshot = reading.snapshot
    assert before <= snapshot.at <= pbx.now()
    assert snapshot.channels == (
        SnapshotChannel(
            "1.1", "1.0", "alpha", "PJSIP/alpha_101-00000001", 6, "", "Ёлка <b>", "501", "main", "", "Queue",
            "alpha_sales", 360065.0,
        ),
    )  # fmt: skip
    assert snapshot.callers == (SnapshotCaller("alpha_sales", "1.1", 2, 14.0),)
    assert [(m.interface, m.paused, m.reason) for m in snapshot.members] == [
        ("PJSIP/alpha_101", True, "Обед")
    ]
    assert [(d.device, d.state) for d in snapshot.devices] == [("PJSIP/alpha_101", "INUSE")]
    assert [(r.endpoint, r.registered) for r in snapshot.registrations] == [
        ("alpha_101", True), ("alpha_102", False), ("alpha_103", False),
    ]  # fmt: skip
    assert reading.boot == "2026-11-22 03:43:50"


@pytest.mark.parametrize("part", ["CoreShowChannels", "QueueStatus", "CoreStatus", "Ping"])
async def test_without_an_essential_part_there_is_no_snapshot(
    pbx: ScriptedPbx, client: Client, part: str
) -> None:
    pbx.answers[part] = lambda _: None
    with pytest.raises(Unanswered):
        await bootstrap.read(client)
    pbx.answers[part] = lambda said: refusal(said, "Permission denied")
    with pytest.raises(ActionRefused, match="Permission denied"):
        await bootstrap.read(client)


async def test_a_pbx_without_these_phones_is_read_all_the_same(pbx: ScriptedPbx, client: Client) -> None:
    for part in ("DeviceStateList", "PJSIPShowEndpoints"):
        pbx.answers[part] = lambda said: refusal(said, "No such") + b"\r\n"  # Asterisk adds a blank line
    snapshot = (await bootstrap.read(client)).snapshot
    assert (len(snapshot.channels), snapshot.devices, snapshot.registrations) == (1, (), ())


async def test_a_connection_that_ends_meanwhile_is_one_plain_error(pbx: ScriptedPbx, client: Client) -> None:
    def cut(_: dict[str, str]) -> None:
        pbx.cut()

    pbx.answers["QueueStatus"] = cut
    with pytest.raises(AmiError) as failure:
        await bootstrap.read(client)
    assert isinstance(failure.value, ConnectionGone)


async def test_lists_that_change_only_with_registrations_can_be_left_out(
    pbx: ScriptedPbx, client: Client
) -> None:
    await bootstrap.read(client, phones=False)
    assert not pbx.named("PJSIPShowEndpoints")
    assert not pbx.named("DeviceStateList")


@pytest.mark.parametrize("duration", ["", "1:2", "aa:bb:cc", "00:00:1٣x", "-1:00:00", "99999999:0:0"])
async def test_a_strange_duration_is_no_duration(pbx: ScriptedPbx, client: Client, duration: str) -> None:
    pbx.channels[:] = [{**CHANNEL, "Duration": duration}]
    assert (await bootstrap.read(client)).snapshot.channels[0].age == 0.0
