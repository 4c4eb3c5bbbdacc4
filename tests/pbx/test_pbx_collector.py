"""A collector on a PBX that misbehaves on command: what viewers see, what is stored, what is sent back."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

import pytest
import redis as redis_py

from monitoring.bus import Answer, send_command, wait_answer
from monitoring.domain.commands import Command, ReloadDirectory, SetStatus
from monitoring.domain.directory import Standing
from monitoring.domain.events import StatusDeclared
from monitoring.pbx.client import Address
from tests.pbx.rig import TIMINGS, Rig, directory
from tests.pbx.scripted import ScriptedPbx, block, event, until

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "monitoring.pbx")


class Caller:
    """One customer of a company, as the PBX tells of it."""

    def __init__(self, pbx: ScriptedPbx, company: str, number: str = "+74951234567") -> None:
        self.pbx, self.company, self.number = pbx, company, number
        self.uid = f"{pbx.now():.6f}.{abs(hash((company, number))) % 1000}"

    def _common(self) -> dict[str, object]:
        return {
            "Timestamp": f"{self.pbx.now():.6f}", "Channel": f"PJSIP/trunk-{self.uid}", "ChannelState": 4,
            "CallerIDNum": self.number, "CallerIDName": "Ёлка", "Context": "from-trunk", "Exten": "100",
            "Uniqueid": self.uid, "Linkedid": self.uid, "Tenantid": self.company,
        }  # fmt: skip

    def dials(self) -> bytes:
        return event("Newchannel", **self._common())

    def joins(self) -> bytes:
        return event("QueueCallerJoin", **self._common(), Queue=f"{self.company}_sales", Position=1, Count=1)

    def hangs_up(self) -> bytes:
        return event("Hangup", **self._common(), Cause=16)

    def row(self, age: int = 5) -> dict[str, str]:
        row = {k: str(v) for k, v in self._common().items() if k != "Timestamp"}
        queue = {"Application": "Queue", "ApplicationData": f"{self.company}_sales"}
        return row | queue | {"Duration": f"00:00:{age:02}", "BridgeId": ""}

    def entry(self, wait: int = 4) -> dict[str, str]:
        return {"Queue": f"{self.company}_sales", "Position": "1", "Uniqueid": self.uid, "Wait": str(wait)}


def member(company: str, extension: str, *, paused: bool = False, queue: str = "sales") -> dict[str, str]:
    return {
        "Queue": f"{company}_{queue}", "Name": extension, "Location": f"PJSIP/{company}_{extension}", "Status": "1",
        "Paused": "1" if paused else "0", "PausedReason": "",
    }  # fmt: skip


async def order(command: Command) -> Answer:
    command_id = await asyncio.to_thread(send_command, "1", command)
    answer = await asyncio.to_thread(wait_answer, command.company, command_id)
    assert answer is not None
    return answer


def lunch(company: str, extension: str = "101", status: int = 2) -> SetStatus:
    return SetStatus(company, f"{company}_{extension}", status, "break", "Обед", time.time())


# the board


async def test_calls_that_began_before_us_are_on_their_own_companys_board(pbx: ScriptedPbx, rig: Rig) -> None:
    ours, theirs = Caller(pbx, "alpha"), Caller(pbx, "beta", "+7812")
    pbx.channels = [ours.row(age=30), theirs.row()]
    pbx.callers = [ours.entry(wait=25), theirs.entry()]
    await rig.start()
    (call,) = (await rig.calls("alpha")).values()
    assert (call["number"], call["state"], call["queue"]) == ("+74951234567", "waiting", "alpha_sales")
    assert call["joined"] == pytest.approx(pbx.now() - 25, abs=2)
    assert call["started"] == pytest.approx(pbx.now() - 30, abs=2)
    assert [call["number"] for call in (await rig.calls("beta")).values()] == ["+7812"]
    assert (await rig.entity("alpha", "link", "1"))["state"] == "connected"


async def test_what_happens_during_the_snapshot_is_applied_after_it(pbx: ScriptedPbx, rig: Rig) -> None:
    gone, new = Caller(pbx, "alpha", "1"), Caller(pbx, "alpha", "2")
    pbx.channels = [gone.row()]
    usual = ScriptedPbx._answer

    def busy(said: dict[str, str]) -> bytes | None:
        del pbx.answers["CoreShowChannels"]
        rows = usual(pbx, said) or b""
        return new.dials() + rows + gone.hangs_up()

    pbx.answers["CoreShowChannels"] = busy
    await rig.start()
    await rig.see(
        "alpha", lambda board: [e["number"] for (k, _), e in board.entities.items() if k == "call"] == ["2"]
    )


async def test_the_first_change_goes_out_at_once_and_a_burst_in_few_frames(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    collector = await rig.start()
    await asyncio.sleep(0.1)
    caller = Caller(pbx, "alpha")
    pbx.say(caller.dials())
    took = await rig.see("alpha", lambda board: ("call", f"1:{caller.uid}") in board.entities)
    assert took < 0.5
    frames, began = collector.publisher.frames, time.monotonic()
    for number in range(150):
        pbx.say(Caller(pbx, "alpha", str(number)).dials())
        await asyncio.sleep(0.004)
    await rig.see("alpha", lambda board: sum(kind == "call" for kind, _ in board.entities) == 151)
    sent, seconds = collector.publisher.frames - frames, time.monotonic() - began
    assert 2 <= sent <= seconds / 0.05 + 2
    print(
        f"\nfirst change on the bus after {took * 1000:.0f} ms; 150 calls in {seconds:.2f} s: {sent} frames"
    )


# the line


async def test_a_cut_connection_is_back_in_three_seconds_with_a_right_board(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    lost, kept = Caller(pbx, "alpha", "1"), Caller(pbx, "beta", "2")
    await rig.start()
    pbx.say(lost.dials(), kept.dials())
    await rig.see("beta", lambda board: ("call", f"1:{kept.uid}") in board.entities)
    epoch = (await rig.board("beta")).epoch
    pbx.channels = [kept.row()]  # the other's hangup is never told
    pbx.cut()
    back = await until(lambda: len(pbx.logins) == 2)
    right = await rig.see("alpha", lambda board: not any(kind == "call" for kind, _ in board.entities))
    await rig.see("beta", lambda board: board.epoch != epoch and ("call", f"1:{kept.uid}") in board.entities)
    assert back <= 3.0
    await rig.see("alpha", lambda board: board.entities["link", "1"]["blind"])
    (window,) = (await rig.entity("alpha", "link", "1"))["blind"]
    assert 0.0 <= window[1] - window[0] < 3.0
    print(f"\nlogged in again after {back:.2f} s, board right after {back + right:.2f} s")


async def test_a_half_open_connection_is_shown_as_stale_and_replaced(pbx: ScriptedPbx, rig: Rig) -> None:
    await rig.start()
    pbx.mute = True
    took = await rig.reach(lambda link: link.state == "stale")
    assert took < 4.0
    pbx.mute = False
    await rig.reach(lambda link: link.state == "connected")
    await rig.see("alpha", lambda board: board.entities["link", "1"]["blind"])


async def test_a_wrong_secret_is_said_with_the_next_try(pbx: ScriptedPbx, rig: Rig) -> None:
    pbx.secret = "changed"
    await rig.start(connected=False)
    await rig.reach(lambda link: link.state == "refused")
    await rig.see("alpha", lambda board: board.entities["link", "1"]["state"] == "refused")
    link = await rig.entity("alpha", "link", "1")
    assert link["error"] == "wrong_secret: Authentication failed"
    assert link["next_try"] - time.time() == pytest.approx(11.5, abs=2.0)
    assert len(pbx.logins) == 1


async def test_an_account_that_may_not_list_calls_is_said_so(pbx: ScriptedPbx, rig: Rig) -> None:
    pbx.answers["CoreShowChannels"] = lambda said: block(
        "Response: Error", f"ActionID: {said['ActionID']}", "Message: Permission denied"
    )
    await rig.start(connected=False)
    await rig.reach(lambda link: link.state == "refused" and "Permission denied" in link.status.error)


async def test_a_host_nobody_answers_at_is_said_and_the_old_board_is_not_passed_off_as_live(
    rig: Rig, pbx: ScriptedPbx
) -> None:
    rig.entry = replace(rig.entry, address=Address("127.0.0.1", 1, "ccenter", "x"))
    await rig.start(connected=False)
    await rig.reach(lambda link: link.state == "down" and "unreachable" in link.status.error)
    await rig.see("beta", lambda board: board.entities["link", "1"]["state"] == "down")


async def test_a_failed_poll_never_means_that_everybody_is_gone(pbx: ScriptedPbx, rig: Rig) -> None:
    caller = Caller(pbx, "alpha")
    pbx.channels = [caller.row()]
    await rig.start(timings=replace(TIMINGS, reconcile=0.2))
    pbx.answers["CoreShowChannels"] = lambda _: None
    polls = len(pbx.named("CoreShowChannels"))
    await until(lambda: len(pbx.named("CoreShowChannels")) == polls + 2, 8.0)
    assert list(await rig.calls("alpha")) == [f"1:{caller.uid}"]
    del pbx.answers["CoreShowChannels"]
    assert pbx.connections == 1


async def test_a_lost_hangup_is_found_by_the_next_reconcile(pbx: ScriptedPbx, rig: Rig) -> None:
    caller = Caller(pbx, "alpha")
    await rig.start(timings=replace(TIMINGS, reconcile=0.2))
    pbx.channels = [caller.row()]
    pbx.say(caller.dials())
    await rig.see("alpha", lambda board: ("call", f"1:{caller.uid}") in board.entities)
    epoch = (await rig.board("alpha")).epoch
    pbx.channels = []
    await rig.see("alpha", lambda board: ("call", f"1:{caller.uid}") not in board.entities)
    assert (await rig.board("alpha")).epoch == epoch


async def test_a_restart_of_the_pbx_closes_its_calls_as_interrupted(pbx: ScriptedPbx, rig: Rig) -> None:
    caller, other = Caller(pbx, "alpha"), Caller(pbx, "beta", "2")
    await rig.start()
    pbx.say(caller.dials(), caller.joins(), other.dials())
    await rig.see("alpha", lambda board: ("call", f"1:{caller.uid}") in board.entities)
    pbx.started = "2026-11-22 04:00:00"
    pbx.answers["Login"] = lambda said: pbx._login(said).replace(b"Uptime: 100", b"Uptime: 0")
    pbx.cut()
    took = await until(lambda: any(call.ended for call in rig.portal.calls("alpha")))
    assert [call.disposition for call in rig.portal.calls("alpha")] == ["interrupted"]
    assert [call.disposition for call in rig.portal.calls("beta")] == ["interrupted"]
    assert not await rig.calls("alpha")
    assert took < 10.0


async def test_a_pbx_that_was_still_loading_is_read_again_when_it_has_booted(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    pbx.booted = False
    await rig.start()
    assert not await rig.calls("alpha")
    caller = Caller(pbx, "alpha")
    pbx.channels = [caller.row()]
    pbx.say(block("Event: FullyBooted", "Uptime: 12", "Status: Fully Booted"))
    await rig.see("alpha", lambda board: ("call", f"1:{caller.uid}") in board.entities)


async def test_more_than_can_wait_is_repaired_by_a_snapshot_and_shown_as_blindness(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    collector = await rig.start(capacity=100)
    caller = Caller(pbx, "alpha")
    pbx.channels = [caller.row()]
    collector._inbox.put([caller.hangs_up()] * 101, 0.0)
    collector._inbox.put([event("Hangup")], 0.0)
    await rig.see("alpha", lambda board: ("call", f"1:{caller.uid}") in board.entities)
    assert pbx.connections == 1
    await rig.see("alpha", lambda board: len(board.entities["link", "1"]["blind"]) == 1)


async def test_late_events_are_shown_as_lag_and_alarm_above_five_seconds(pbx: ScriptedPbx, rig: Rig) -> None:
    pbx.skew = -3600.0  # its clock being wrong is not lateness
    await rig.start()
    pbx.say(Caller(pbx, "alpha").dials())
    await asyncio.sleep(0.15)
    assert (await rig.entity("alpha", "link", "1"))["lag"] < 0.5
    stamp = f"Timestamp: {pbx.now() - 7:.6f}\r\nX: 1".encode()
    pbx.say(Caller(pbx, "alpha", "2").dials().replace(b"Timestamp: 1", stamp))
    await rig.see("alpha", lambda board: board.entities["link", "1"]["state"] == "stale")
    assert (await rig.entity("alpha", "link", "1"))["lag"] == pytest.approx(7.0, abs=0.3)
    await rig.reach(lambda link: link.state == "connected" and link.status.lag_ms == 0)


async def test_an_event_the_reducer_trips_over_is_counted_and_repaired(
    pbx: ScriptedPbx, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = await rig.start()
    caller = Caller(pbx, "alpha")
    usual = collector.switchboard.feed

    def trip(_: object) -> None:
        monkeypatch.setattr(collector.switchboard, "feed", usual)
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(collector.switchboard, "feed", trip)
    pbx.channels = [caller.row()]
    pbx.say(caller.dials())
    await rig.see("alpha", lambda board: ("call", f"1:{caller.uid}") in board.entities)
    assert collector.failures == 1
    assert pbx.connections == 1


async def test_a_status_declared_between_two_events_disturbs_nobody(pbx: ScriptedPbx, rig: Rig) -> None:
    collector = await rig.start()
    for number in range(50):
        pbx.say(Caller(pbx, "alpha", str(number)).dials())
        await asyncio.sleep(0.003)
        collector.say(StatusDeclared(pbx.now(), "alpha_101", 1 + number % 2))
    await rig.see("alpha", lambda board: sum(kind == "call" for kind, _ in board.entities) == 50)
    assert (collector.failures, pbx.connections) == (0, 1)


# statuses


def away_marks(pbx: ScriptedPbx) -> list[dict[str, str]]:
    return [said for said in pbx.named("Setvar") if said["Variable"].startswith("AWAY_")]


async def test_a_declared_break_pauses_in_every_queue_marks_the_endpoint_and_is_on_the_board(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    pbx.members = [member("alpha", "101"), member("alpha", "101", queue="support"), member("beta", "101")]
    await rig.start()
    assert await order(lunch("alpha")) == Answer("done")
    (pause,) = pbx.named("QueuePause")
    assert {k: pause[k] for k in ("Interface", "Paused", "Reason")} == {
        "Interface": "PJSIP/alpha_101", "Paused": "true", "Reason": "Обед",
    }  # fmt: skip
    assert "Queue" not in pause
    assert [(s["Variable"], s["Value"]) for s in away_marks(pbx)] == [("AWAY_alpha_101", "1")]
    await rig.see("alpha", lambda board: board.entities["manager", "alpha_101"]["status"] == 2)
    assert (await rig.entity("beta", "manager", "beta_101"))["status"] is None

    back = SetStatus("alpha", "alpha_101", 1, "available", "Доступен", time.time())
    assert await order(back) == Answer("done")
    assert pbx.named("QueuePause")[-1]["Paused"] == "false"
    assert away_marks(pbx)[-1]["Value"] == "0"


async def test_a_break_pauses_also_where_a_queue_rings_the_person_through_a_local_channel(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    local = {"Location": "Local/101@agents/n", "Name": "101"}
    pbx.members = [member("alpha", "101"), member("alpha", "101", queue="support") | local,
                   member("beta", "101", queue="support") | local]  # fmt: skip
    await rig.start()
    assert await order(lunch("alpha")) == Answer("done")
    assert {pause["Interface"] for pause in pbx.named("QueuePause")} == {
        "PJSIP/alpha_101",
        "Local/101@agents/n",
    }
    assert (await rig.entity("beta", "manager", "beta_101"))["status"] is None


@pytest.mark.parametrize(
    "command",
    [
        SetStatus("alpha", "beta_101", 2, "break", "Обед", 1.0),
        SetStatus("alpha", "alpha_999", 2, "break", "Обед", 1.0),
        SetStatus("alpha", "alpha_101", 77, "break", "Обед", 1.0),
        SetStatus("gamma", "gamma_101", 2, "break", "Обед", 1.0),
        ReloadDirectory("gamma"),
    ],
)
async def test_a_command_for_somebody_elses_is_refused_and_nothing_is_sent(
    pbx: ScriptedPbx, rig: Rig, command: Command
) -> None:
    await rig.start()
    sent = len(pbx.named("QueuePause")) + len(away_marks(pbx))
    assert (await order(command)).outcome == "refused"
    assert len(pbx.named("QueuePause")) + len(away_marks(pbx)) == sent
    for company in ("alpha", "beta"):
        assert (await rig.entity(company, "manager", f"{company}_101"))["status"] is None


async def test_what_the_pbx_refuses_is_answered_in_its_words(pbx: ScriptedPbx, rig: Rig) -> None:
    pbx.answers["QueuePause"] = lambda said: block(
        "Response: Error", f"ActionID: {said['ActionID']}", "Message: Permission denied"
    )
    await rig.start()
    assert await order(lunch("alpha")) == Answer("failed", "Permission denied")


async def test_a_manager_in_no_queue_can_still_go_to_lunch(pbx: ScriptedPbx, rig: Rig) -> None:
    pbx.answers["QueuePause"] = lambda said: block(
        "Response: Error", f"ActionID: {said['ActionID']}", "Message: Interface not found"
    )
    await rig.start()
    assert await order(lunch("alpha")) == Answer("done")
    assert [s["Variable"] for s in away_marks(pbx)] == ["AWAY_alpha_101"]


async def test_a_status_declared_while_the_line_is_down_follows_after_the_reconnect(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    pbx.members = [member("alpha", "101")]
    await rig.start()
    pbx.secret, secret = "changed", pbx.secret
    pbx.cut()
    await rig.reach(lambda link: link.state == "refused")
    assert (await order(lunch("alpha"))).outcome == "failed"
    await rig.see("alpha", lambda board: board.entities["manager", "alpha_101"]["status"] == 2)
    assert not pbx.named("QueuePause")
    pbx.secret = secret
    await rig.stop()
    rig.portal.rows["alpha"] = (directory("alpha"), Standing(statuses={"alpha_101": (2, time.time())}))
    await rig.start()
    await until(lambda: pbx.named("QueuePause"))
    assert pbx.named("QueuePause")[0]["Queue"] == "alpha_sales"
    await until(lambda: away_marks(pbx))


def switches(pbx: ScriptedPbx) -> list[tuple[str, str]]:
    marks = [(said["Variable"], said["Value"]) for said in pbx.named("Setvar")]
    return [mark for mark in marks if mark[0].startswith("RECORD_")]


async def test_recording_is_switched_as_the_company_says_at_once_and_after_every_reconnect(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    silent = replace(directory("alpha", "101"), records=False)
    rig.portal.rows["alpha"] = (silent, Standing())
    await rig.start()
    await until(lambda: len(switches(pbx)) == 2)
    assert sorted(switches(pbx)) == [("RECORD_alpha", "0"), ("RECORD_beta", "1")]
    rig.portal.rows["alpha"] = (replace(silent, records=True), Standing())
    assert await order(ReloadDirectory("alpha")) == Answer("done")
    assert switches(pbx)[2:] == [("RECORD_alpha", "1")]


async def test_after_a_reconnect_only_pauses_that_differ_from_the_portals_word_are_put_right(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    now = time.time()
    rig.portal.rows["alpha"] = (
        directory("alpha", "101", "102", "103", "104"),
        Standing(statuses={"alpha_101": (2, now), "alpha_102": (1, now), "alpha_103": (3, now)}),
    )
    pbx.members = [
        member("alpha", "101"), member("alpha", "102", paused=True), member("alpha", "103", paused=True),
        member("alpha", "104", paused=True), member("beta", "101", paused=True),
    ]  # fmt: skip
    await rig.start()
    await until(lambda: len(away_marks(pbx)) == 3)
    assert {(p["Interface"], p["Paused"]) for p in pbx.named("QueuePause")} == {
        ("PJSIP/alpha_101", "true"), ("PJSIP/alpha_102", "false"),
    }  # fmt: skip
    assert {(s["Variable"], s["Value"]) for s in away_marks(pbx)} == {
        ("AWAY_alpha_101", "1"), ("AWAY_alpha_102", "0"), ("AWAY_alpha_103", "1"),
    }  # fmt: skip
    assert not rig.portal.pauses("alpha")


async def test_a_pause_on_the_phone_becomes_a_fact_and_the_portals_own_does_not(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    rig.portal.rows["alpha"] = (
        directory("alpha"),
        Standing(statuses={"alpha_101": (1, 1.0), "alpha_102": (1, 1.0)}),
    )
    pbx.members = [member("alpha", "101"), member("alpha", "102")]

    def pause(extension: str, reason: str) -> bytes:
        row = {
            "Timestamp": f"{pbx.now():.6f}", "Queue": "alpha_sales", "MemberName": extension,
            "Interface": f"PJSIP/alpha_{extension}", "Paused": 1, "PausedReason": reason,
        }  # fmt: skip
        return event("QueueMemberPause", **row)

    await rig.start()
    assert (await order(lunch("alpha", "102"))).outcome == "done"
    pbx.say(pause("102", "Обед"), pause("101", "Перекур"))
    await until(lambda: rig.portal.pauses("alpha"))
    assert [(p.manager, p.paused, p.reason) for p in rig.portal.pauses("alpha")] == [
        ("alpha_101", True, "Перекур")
    ]
    assert not rig.portal.pauses("beta")

    assert rig.portal.declared is not None
    sent = len(pbx.named("QueuePause"))
    await asyncio.to_thread(rig.portal.declared, "alpha", StatusDeclared(pbx.now(), "alpha_101", 2))
    await rig.see("alpha", lambda board: board.entities["manager", "alpha_101"]["status"] == 2)
    await until(
        lambda: any(s["Variable"] == "AWAY_alpha_101" and s["Value"] == "1" for s in away_marks(pbx))
    )
    assert len(pbx.named("QueuePause")) == sent


# people


async def test_a_new_manager_is_on_the_board_after_a_reload_and_only_in_the_own_company(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    await rig.start()
    rig.portal.rows["alpha"] = (directory("alpha", "101", "102", "107"), Standing())
    assert await order(ReloadDirectory("alpha")) == Answer("done")
    await rig.see("alpha", lambda board: ("manager", "alpha_107") in board.entities)
    assert ("manager", "alpha_107") not in (await rig.board("beta")).entities


async def test_a_status_whose_command_was_lost_is_found_by_the_next_reading(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    await rig.start(timings=replace(TIMINGS, refresh=0.1))
    rig.portal.rows["alpha"] = (directory("alpha"), Standing(statuses={"alpha_101": (2, 5.0)}))
    await until(lambda: pbx.named("QueuePause"))
    await rig.see("alpha", lambda board: board.entities["manager", "alpha_101"]["status"] == 2)
    await asyncio.sleep(0.3)
    assert len(pbx.named("QueuePause")) == 1


async def test_a_database_that_is_away_at_the_start_is_waited_for_and_later_missed_by_nobody(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    rig.portal.away = True
    await rig.start(connected=False, timings=replace(TIMINGS, refresh=0.1))
    await asyncio.sleep(0.3)
    assert not pbx.connections
    rig.portal.away = False
    await rig.reach(lambda link: link.state == "connected")
    rig.portal.away = True
    caller = Caller(pbx, "alpha")
    pbx.say(caller.dials())
    await rig.see("alpha", lambda board: ("call", f"1:{caller.uid}") in board.entities)
    assert (await order(ReloadDirectory("alpha"))).outcome == "failed"
    assert rig.portal.calls("alpha")


# Redis


async def test_a_flushed_redis_has_its_boards_back_within_seconds_and_no_fact_is_lost(
    pbx: ScriptedPbx, rig: Rig, raw: redis_py.Redis
) -> None:
    await rig.start()
    caller, other = Caller(pbx, "alpha"), Caller(pbx, "beta", "2")
    pbx.say(caller.dials(), other.dials())
    await rig.see("beta", lambda board: ("call", f"1:{other.uid}") in board.entities)
    raw.flushall()
    took = await rig.see("beta", lambda board: ("call", f"1:{other.uid}") in board.entities)
    await rig.see("alpha", lambda board: ("call", f"1:{caller.uid}") in board.entities)
    pbx.say(caller.hangs_up())
    await until(lambda: any(call.ended for call in rig.portal.calls("alpha")))
    assert pbx.connections == 1
    print(f"\nboards back {took:.2f} s after FLUSHALL (one heartbeat of {TIMINGS.beat} s)")


async def test_without_redis_collecting_goes_on_and_panels_are_right_when_it_is_back(
    pbx: ScriptedPbx, rig: Rig, raw: redis_py.Redis
) -> None:
    await rig.start()
    caller = Caller(pbx, "alpha")
    raw.client_pause(1500, all=True)  # every client waits: as dead as a stopped server, and back by itself
    pbx.say(caller.dials())
    await until(lambda: rig.portal.calls("alpha"), 1.0)
    took = await rig.see("alpha", lambda board: ("call", f"1:{caller.uid}") in board.entities, 10.0)
    assert pbx.connections == 1
    print(f"\nboard right {took:.2f} s after Redis stood still for 1.5 s")


# owners


async def test_a_new_owner_does_not_blank_the_board_and_shows_the_gap(pbx: ScriptedPbx, rig: Rig) -> None:
    caller = Caller(pbx, "alpha")
    pbx.channels = [caller.row()]
    await rig.start()
    await rig.stop()
    pbx.answers["CoreShowChannels"] = lambda _: None
    collector = await rig.start(connected=False)
    collector.link.restore([], last_seen=time.time() - 3.0)
    await asyncio.sleep(0.2)
    assert list(await rig.calls("alpha")) == [f"1:{caller.uid}"]
    del pbx.answers["CoreShowChannels"]
    await rig.reach(lambda link: link.state == "connected")
    await rig.see("alpha", lambda board: board.entities["link", "1"]["blind"])
    (window,) = (await rig.entity("alpha", "link", "1"))["blind"]
    assert 3.0 <= window[1] - window[0] < 5.0


async def test_who_lost_the_lease_stops_at_once_and_changes_nothing_more(
    pbx: ScriptedPbx, rig: Rig, raw: redis_py.Redis
) -> None:
    await rig.start()
    token = int(rig.lease.token) + 1 if rig.lease else 0
    raw.set("cc::lease:1", f"{token}|other:2")
    raw.set("cc::fence:1", str(token))
    before = await rig.board("alpha")
    pbx.say(Caller(pbx, "alpha").dials())
    assert rig.task is not None
    await until(rig.task.done)
    assert await rig.board("alpha") == before
    with pytest.raises(BaseExceptionGroup, match="unhandled"):
        await rig.task
    rig.task = None


async def test_what_is_known_when_we_leave_is_stored(pbx: ScriptedPbx, rig: Rig) -> None:
    await rig.start()
    pbx.say(Caller(pbx, "alpha").dials())
    await until(lambda: rig.portal.calls("alpha"))
    await rig.stop()
    await until(lambda: not pbx._writers)


async def test_leaving_is_prompt_also_in_the_middle_of_a_write_to_redis(pbx: ScriptedPbx, rig: Rig) -> None:
    await rig.start(timings=replace(TIMINGS, beat=0.001))
    for number in range(40):
        pbx.say(Caller(pbx, "alpha", str(number)).dials())
        await asyncio.sleep(0.001 * (number % 7))
        async with asyncio.timeout(3.0):
            await rig.stop()
        await rig.start(timings=replace(TIMINGS, beat=0.001), connected=False)
        await asyncio.sleep(0.02)


async def test_a_phone_that_rings_for_a_queue_is_not_a_call_of_its_own_when_we_find_it_ringing(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    """The customer is the PBX's 2nd channel, the phone its 10th, both a second old: 10 comes after 2."""
    customer = Caller(pbx, "alpha")
    customer.uid = "1795323283.2"
    phone = customer.row(age=1) | {
        "Channel": "PJSIP/alpha_101-0000000a", "Uniqueid": "1795323283.10", "CallerIDNum": "101", "Exten": "sales",
        "ChannelState": "5", "Application": "AppQueue", "ApplicationData": "(Outgoing Line)",
    }  # fmt: skip
    pbx.channels, pbx.callers = [phone, customer.row(age=1)], [customer.entry(wait=1)]
    await rig.start()
    (call,) = (await rig.calls("alpha")).values()
    assert (call["key"], call["number"], call["state"]) == ("1:1795323283.2", "+74951234567", "ringing")
    assert [party["manager"] for party in call["managers"]] == ["alpha_101"]


async def test_an_event_dated_years_away_happens_now(rig: Rig, pbx: ScriptedPbx) -> None:
    """Believed, it would turn the day of every company on this PBX: counts to zero, and no midnight for years."""
    await rig.start()
    first, second = Caller(pbx, "alpha"), Caller(pbx, "alpha", "+74950000002")
    pbx.say(first.dials(), first.joins(), first.hangs_up())
    await rig.see("alpha", lambda board: board.entities["queue", "alpha_sales"]["today"]["offered"] == 1)
    for stamp in ("9e10", "4102444800.5", "86400.0"):
        odd = {"Timestamp": stamp, "Uniqueid": f"{stamp}.1", "Linkedid": f"{stamp}.1"}
        pbx.say(event("Newchannel", **{**second._common(), **odd}))
    await rig.see("alpha", lambda board: sum(kind == "call" for kind, _ in board.entities) == 3)
    assert (await rig.entity("alpha", "queue", "alpha_sales"))["today"]["offered"] == 1
    assert all(abs(row["started"] - pbx.now()) < 60 for row in (await rig.calls("alpha")).values())
