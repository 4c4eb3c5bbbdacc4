"""The collector on a real Asterisk with real SIP calls: every fault of the line and of the PBX, with its figure."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.conf import settings

from ccenter.lab import sample
from ccenter.lab.ami import Connection, channels
from ccenter.lab.asterisk import Instance
from ccenter.lab.root import runtime
from ccenter.lab.scenarios import rig as stage_rig
from ccenter.lab.sipp import Phone, Stage
from monitoring.bus import Answer, PbxBoard, send_command, wait_answer
from monitoring.domain.commands import SetStatus
from monitoring.domain.directory import Standing
from monitoring.pbx import actions
from monitoring.pbx.client import Address, Client, Deadlines
from monitoring.pbx.collector import Timings
from monitoring.pbx.protocol import ConnectionGone
from tests.figures import Figure
from tests.pbx.rig import Rig, directory
from tests.pbx.scripted import until
from tests.pbx.wire import Cable, cable_to

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("quiet")]

ROMASHKA, VEKTOR = "romashka", "vektor"
REAL = Timings(beat=0.5, close_after=0.5)
PEOPLE = {ROMASHKA: sample.span(101, 108), VEKTOR: sample.span(101, 103)}


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "monitoring.pbx")


@dataclass
class Lab:
    """Asterisk, its phones, and a console connection."""

    instance: Instance
    rig: stage_rig.Rig

    def hang_up(self) -> None:
        self.instance.command("channel request hangup all")


@pytest.fixture(scope="module")
def asterisk() -> Iterator[Instance]:
    instance = Instance(runtime(settings.STATE_DIR), "collector")
    instance.start(stage_rig.plan(instance.ports.phones))
    yield instance
    instance.remove()


@pytest.fixture
def lab(asterisk: Instance) -> Iterator[Lab]:
    plan = stage_rig.plan(asterisk.ports.phones)
    if not asterisk.pid():
        asterisk.start(plan)
    control = Connection(asterisk.ports.ami, sample.RECORDER, events=False)
    with Stage(asterisk.ports.sip) as stage:
        lab = Lab(asterisk, stage_rig.Rig(asterisk, plan, stage, control, stage_rig.Tape(asterisk)))
        yield lab
        lab.hang_up()
    control.close()


@pytest.fixture
async def cable(lab: Lab) -> AsyncIterator[Cable]:
    async with cable_to(lab.instance.ports.ami) as cable:
        yield cable


@pytest.fixture
async def collector(cable: Cable, redis_url: str) -> AsyncIterator[Rig]:
    account = sample.PORTAL
    address = Address("127.0.0.1", cable.port, account.name, account.secret)
    rig = Rig(address, redis_url, companies=(ROMASHKA, VEKTOR))
    rig.portal.rows = {slug: (directory(slug, *numbers), Standing()) for slug, numbers in PEOPLE.items()}
    yield rig
    await rig.close()


async def begin(collector: Rig, **options: Any) -> None:
    await collector.start(
        timings=options.pop("timings", REAL), deadlines=Deadlines(), connected=False, **options
    )
    await collector.reach(lambda link: link.state == "connected", 10.0)
    await until(lambda: len(collector.collector.publisher.epochs) == 2)


def talking(*managers: str) -> Callable[[PbxBoard], object]:
    def seen(board: PbxBoard) -> bool:
        calls = [e for (kind, _), e in board.entities.items() if kind == "call"]
        return sorted(
            p["manager"] for c in calls if c["state"] == "talking" for p in c["managers"]
        ) == sorted(managers)

    return seen


def nothing_left(board: PbxBoard) -> bool:
    return not any(kind == "call" for kind, _ in board.entities)


async def busy(lab: Lab) -> None:
    """One customer of each company talks, one more of romashka's waits in a queue nobody answers."""
    lab.rig.phones(romashka_101=Phone(ring=0.2, talk=300), vektor_101=Phone(ring=0.2, talk=300))
    lab.rig.call(stage_rig.SALES, "79160000001", stay=300)
    lab.rig.call(stage_rig.VEKTOR_MAIN, "79160000002", stay=300)
    lab.rig.call(stage_rig.SUPPORT, "79160000003", stay=300, patience=300)
    began = time.monotonic()
    while len([c for c in channels(lab.rig.control) if c.get("BridgeId")]) < 4:
        assert time.monotonic() - began < 15, "the calls did not get through"
        await asyncio.sleep(0.2)


async def test_calls_that_began_before_the_collector_are_found_each_with_its_own_company(
    lab: Lab, collector: Rig, figure: Figure
) -> None:
    await busy(lab)
    began = time.monotonic()
    await begin(collector)
    took = time.monotonic() - began
    await collector.see(ROMASHKA, talking("romashka_101"))
    await collector.see(VEKTOR, talking("vektor_101"))
    numbers = {c["number"]: c["state"] for c in (await collector.calls(ROMASHKA)).values()}
    assert set(numbers) == {"79160000001", "79160000003"}
    assert numbers["79160000003"] in ("waiting", "ringing")
    assert {c["number"] for c in (await collector.calls(VEKTOR)).values()} == {"79160000002"}
    link = await collector.entity(VEKTOR, "link", "1")
    assert (link["state"], link["error"]) == ("connected", "")
    assert collector.collector.switchboard.quarantined == 0
    figure("collector started with calls under way: first right board", f"{took:.2f} s", "")
    lab.hang_up()
    await collector.see(ROMASHKA, nothing_left)
    await collector.see(VEKTOR, nothing_left)


async def test_a_call_is_followed_from_ring_to_end_and_stored_once(lab: Lab, collector: Rig) -> None:
    lab.rig.phones(vektor_101=Phone(ring=0.5, talk=1.5))
    await begin(collector)
    lab.rig.call(stage_rig.VEKTOR_MAIN, "79160000007", 'Ёлка <img src=x onerror=1> "‮', stay=60)
    await collector.see(VEKTOR, lambda board: not nothing_left(board))
    await collector.see(VEKTOR, talking("vektor_101"), 6.0)
    await collector.see(VEKTOR, nothing_left, 6.0)
    await until(lambda: [c.disposition for c in collector.portal.calls(VEKTOR)] == ["answered"])
    (call,) = collector.portal.calls(VEKTOR)
    (leg,) = call.legs
    talked = sum((end or 0.0) - start for start, end in leg.talk)
    assert (call.number, leg.manager) == ("79160000007", "vektor_101")
    assert talked == pytest.approx(1.5, abs=0.4)
    assert not collector.portal.calls(ROMASHKA)
    link = await collector.entity(VEKTOR, "link", "1")
    assert link["lag"] < 0.5


async def test_after_a_cut_line_the_login_is_back_in_three_seconds_and_the_board_right_in_five(
    lab: Lab, collector: Rig, cable: Cable, figure: Figure
) -> None:
    await busy(lab)
    await begin(collector)
    await collector.see(ROMASHKA, talking("romashka_101"))
    connections, epoch = cable.connections, (await collector.board(ROMASHKA)).epoch
    cable.cut()
    lab.hang_up()  # nobody hears these hangups
    began = time.monotonic()
    await until(lambda: cable.connections > connections)
    await collector.see(ROMASHKA, lambda board: board.epoch != epoch)
    again = time.monotonic() - began
    await collector.see(ROMASHKA, nothing_left, 5.0)
    await collector.see(VEKTOR, nothing_left, 5.0)
    right = time.monotonic() - began
    figure("AMI line reset, collector alone: board replaced", f"{again:.2f} s", "≤ 3 s")
    figure("AMI line reset, collector alone: board right, 0 ghosts", f"{right:.2f} s", "≤ 5 s")
    assert again <= 3.0
    assert right <= 5.0


async def test_a_line_that_went_silent_is_stale_within_sixteen_seconds_and_replaced(
    collector: Rig, cable: Cable, figure: Figure
) -> None:
    await begin(collector)
    began = time.monotonic()
    cable.held = True
    await collector.see(VEKTOR, lambda board: board.entities["link", "1"]["state"] == "stale", 17.0)
    noticed = time.monotonic() - began
    cable.held = False
    back = await collector.reach(lambda link: link.state == "connected", 10.0)
    figure("AMI line silent but open: stale on the board", f"{noticed:.1f} s", "≤ 16 s")
    figure("AMI line silent but open: connected again", f"{back:.1f} s", "")
    assert noticed <= 16.0


async def test_a_killed_asterisk_leaves_its_calls_closed_as_interrupted(
    lab: Lab, collector: Rig, figure: Figure
) -> None:
    await busy(lab)
    await begin(collector)
    await collector.see(ROMASHKA, talking("romashka_101"))
    lab.instance.kill()
    await collector.reach(lambda link: link.state == "down", 5.0)
    await asyncio.to_thread(lab.instance.start)
    booted = time.monotonic()
    ended = lambda slug: [c.disposition for c in collector.portal.calls(slug) if c.ended]  # noqa: E731 - said twice
    await until(lambda: len(ended(ROMASHKA)) == 2 and len(ended(VEKTOR)) == 1, 12.0)
    took = time.monotonic() - booted
    assert ended(ROMASHKA) + ended(VEKTOR) == ["interrupted"] * 3
    await collector.see(ROMASHKA, nothing_left)
    assert (await collector.entity(ROMASHKA, "link", "1"))["blind"]
    figure("Asterisk killed, collector alone: calls interrupted after the boot", f"{took:.2f} s", "≤ 10 s")
    assert took <= 10.0


async def test_a_wrong_secret_is_refused_in_words_without_hammering(
    lab: Lab, collector: Rig, cable: Cable
) -> None:
    wrong = replace(collector.entry.address, secret="no such secret")
    collector.entry = replace(collector.entry, address=wrong)
    await collector.start(timings=REAL, deadlines=Deadlines(), connected=False)
    await collector.reach(lambda link: link.state == "refused", 5.0)
    link = (await collector.board(ROMASHKA)).entities["link", "1"]
    assert link["error"] == "wrong_secret: Authentication failed"
    assert link["next_try"] > time.time() + 8
    await asyncio.sleep(2.0)
    assert cable.connections == 1


async def test_a_status_reaches_every_queue_and_a_pause_on_the_phone_comes_back(
    lab: Lab, collector: Rig
) -> None:
    now = time.time()
    standing = Standing(statuses={"romashka_101": (1, now), "romashka_102": (1, now)})
    collector.portal.rows[ROMASHKA] = (directory(ROMASHKA, *PEOPLE[ROMASHKA]), standing)
    await begin(collector)
    lunch = SetStatus(ROMASHKA, "romashka_101", 2, "break", "Обед", time.time())
    answer = await asyncio.to_thread(lambda: wait_answer(ROMASHKA, send_command("1", lunch)))
    assert answer == Answer("done")
    shown = lab.instance.command("queue show romashka_sales")
    line = next(line for line in shown.splitlines() if "romashka_101" in line)
    assert "paused" in line
    assert "Обед" in line
    assert "AWAY_romashka_101=1" in lab.instance.command("dialplan show globals")
    assert not collector.portal.pauses(ROMASHKA)

    lab.rig.order("QueuePause", Interface="PJSIP/romashka_102", Paused="true", Reason="Перекур")
    await until(lambda: collector.portal.pauses(ROMASHKA))
    assert [(p.manager, p.paused, p.reason) for p in collector.portal.pauses(ROMASHKA)] == [
        ("romashka_102", True, "Перекур")
    ]
    assert not collector.portal.pauses(VEKTOR)
    lab.rig.order("QueuePause", Interface="PJSIP/romashka_102", Paused="false")
    back = SetStatus(ROMASHKA, "romashka_101", 1, "available", "Доступен", time.time())
    answer = await asyncio.to_thread(lambda: wait_answer(ROMASHKA, send_command("1", back)))
    assert answer == Answer("done")
    assert "AWAY_romashka_101=0" in lab.instance.command("dialplan show globals")


async def test_an_originate_whose_answer_was_lost_places_one_call_and_never_a_second(
    lab: Lab, collector: Rig, cable: Cable
) -> None:
    address = collector.entry.address
    calls = lambda: int(lab.instance.command("core show channels").split("active call")[0].split()[-1])  # noqa: E731
    before = int(lab.instance.command("core show calls").splitlines()[-1].split()[0])
    client = await Client.open(address, lambda *_: None)
    cable.held = True
    ringing = asyncio.create_task(
        client.run(
            actions.originate(channel="PJSIP/romashka_105", context="default", exten="s", ring_seconds=2)
        )
    )
    await asyncio.sleep(0.5)
    cable.cut()
    with pytest.raises(ConnectionGone):
        await ringing
    cable.held = False
    again = await Client.open(address, lambda *_: None)
    await again.ping()
    await asyncio.sleep(3.0)
    after = int(lab.instance.command("core show calls").splitlines()[-1].split()[0])
    assert calls() == 0
    assert after - before <= 1
    again.close()


async def test_thousand_calls_are_on_the_board_within_five_seconds_of_a_cut(
    redis_url: str, figure: Figure
) -> None:
    from ccenter.lab.simulator.crowd import crowd
    from ccenter.lab.simulator.server import Simulator

    simulator = Simulator(crowd(managers=1200, slugs=(ROMASHKA, VEKTOR)), live=1100)
    simulator.warm_up(240)
    await simulator.start()
    address = Address("127.0.0.1", simulator.port, sample.PORTAL.name, sample.PORTAL.secret)
    rig = Rig(address, redis_url, companies=(ROMASHKA, VEKTOR))
    rig.portal.rows = {
        slug: (directory(slug, *(str(10_001 + n) for n in range(600))), Standing())
        for slug in (ROMASHKA, VEKTOR)
    }
    try:
        await begin(rig)
        count = lambda board: sum(kind == "call" for kind, _ in board.entities)  # noqa: E731 - used thrice
        there = count(await rig.board(ROMASHKA)) + count(await rig.board(VEKTOR))
        epochs = dict(rig.collector.publisher.epochs)
        began = time.monotonic()
        simulator.cut()
        for slug in (ROMASHKA, VEKTOR):
            await rig.see(slug, lambda board, slug=slug: board.epoch != epochs[slug], 10.0)
        took = time.monotonic() - began
        figure(f"AMI line reset with {there} calls alive: boards right", f"{took:.2f} s", "≤ 5 s")
        assert there > 500
        assert took <= 5.0
    finally:
        await rig.close()
        await simulator.stop()
