"""Every part of the running portal taken away once, with the figures promised, and the history checked afterwards.

The history checker: board = board rebuilt from a second session's raw bytes; stored calls = calls in those bytes.
"""

from __future__ import annotations

import os
import signal
import time
from subprocess import Popen

import pytest
import redis
from playwright.sync_api import expect

from ccenter.lab import sample
from ccenter.lab.sipp import Phone
from tests.e2e.fixtures import MAIN, SALES, SUPPORT, Exchange, Watch
from tests.e2e.stack import COMPANIES, Stack, until
from tests.faults.counting import counted_twice
from tests.figures import Figure

pytestmark = [pytest.mark.real, pytest.mark.browser]

TALK = Phone(ring=0.2, talk=300)
BUSY = "79160009"  # what this module's callers' numbers begin with


def seconds(took: float) -> str:
    return f"{took:.2f} s"


def busy(stack: Stack, exchange: Exchange, mark: str) -> dict[str, Popen[bytes]]:
    """One customer of each company talks, one more of romashka's waits and is not answered."""
    exchange.phones(romashka_101=TALK, vektor_101=TALK)
    callers = {
        "talks": exchange.call(SALES, f"{BUSY}{mark}1", stay=300),
        "other": exchange.call(MAIN, f"{BUSY}{mark}2", stay=300),
        "waits": exchange.call(SUPPORT, f"{BUSY}{mark}3", stay=300, patience=300),
    }
    exchange.bridged(4)
    until(lambda: not stack.wrong(), 10, what="the calls are on the boards")
    return callers


def shown(stack: Stack, company: str) -> list[str]:
    return sorted(call["number"] for call in stack.board(company)["call"].values())


def test_a_cut_line_is_back_in_three_seconds_and_the_boards_are_right_in_five(
    stack: Stack, exchange: Exchange, figure: Figure
) -> None:
    busy(stack, exchange, "10")
    epoch, connections = stack.link()["epoch"], stack.line.cable.connections
    began = time.monotonic()
    stack.line.cut()
    exchange.hang_up()  # nobody hears these hangups
    until(lambda: stack.line.cable.connections > connections, 10)
    again = until(lambda: stack.link()["epoch"] != epoch, 10, what="a new epoch")
    again = time.monotonic() - began
    until(lambda: not shown(stack, "romashka") and not shown(stack, "vektor"), 10, what="no ghosts")
    right = time.monotonic() - began
    stored = stack.check_history()
    assert counted_twice(stack) == []
    figure("AMI connection cut: signed in again", seconds(again), "≤ 3 s")
    figure("AMI connection cut: boards right, 0 ghosts", seconds(right), "≤ 5 s")
    figure("history after the cut", f"{stored} calls equal", "equal")
    assert again <= 3.0
    assert right <= 5.0


def test_a_frozen_asterisk_is_noticed_and_the_panel_says_so(
    stack: Stack, exchange: Exchange, watch: Watch, figure: Figure
) -> None:
    busy(stack, exchange, "20")
    panel = watch("romashka", "head")
    expect(panel.band("pbx_stale")).to_have_count(0)
    pid = stack.instance.pid()
    began = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: stack.link()["state"] != "connected", 20, what="the silence is noticed")
        noticed = time.monotonic() - began
        expect(panel.page.locator("[data-notice=pbx_stale], [data-notice=pbx_down]").first).to_be_visible()
        said = time.monotonic() - began
        expect(panel.page.locator(".panes")).to_have_attribute("data-old", "yes")
    finally:
        os.kill(pid, signal.SIGCONT)
    woken = time.monotonic()
    until(lambda: stack.link()["state"] == "connected", 20, what="connected again")
    back = time.monotonic() - woken
    stack.check_history()
    exchange.hang_up()
    stack.check_history()
    figure("AMI half-open (Asterisk stopped by SIGSTOP): noticed", seconds(noticed), "≤ 15 s")
    figure("AMI half-open: the panel says stale", seconds(said), "≤ 16 s")
    figure("AMI half-open: connected again after SIGCONT", seconds(back), "")
    assert noticed <= 15.0
    assert said <= 16.0


def test_calls_of_a_killed_asterisk_are_closed_as_interrupted(
    stack: Stack, exchange: Exchange, figure: Figure
) -> None:
    busy(stack, exchange, "30")
    stack.instance.kill()
    until(lambda: stack.link()["state"] == "down", 5, what="the loss is noticed")
    stack.instance.start()
    booted = time.monotonic()
    stack.recorder.begin()
    ended = (
        "SELECT count(*) FROM monitoring_call"
        " WHERE number LIKE %s AND disposition = 'interrupted' AND ended IS NOT NULL"
    )
    until(
        lambda: sum(stack.rows(c, ended, f"{BUSY}30%")[0][0] for c in COMPANIES) == 3,
        15,
        what="all three closed",
    )
    took = time.monotonic() - booted
    stored = stack.check_history()
    assert counted_twice(stack) == []
    figure(
        "Asterisk killed in mid-call: its calls closed as interrupted after the boot", seconds(took), "≤ 10 s"
    )
    figure("history after the restart", f"{stored} calls equal", "equal")
    assert took <= 10.0


def test_another_worker_takes_over_from_a_killed_collector(
    stack: Stack, exchange: Exchange, figure: Figure
) -> None:
    callers = busy(stack, exchange, "40")
    owner = stack.link()["owner"]
    second = stack.start_collector("second")
    until(lambda: "ready" in stack.log("second"), 40, what="the second worker is up")
    time.sleep(1.0)
    assert stack.link()["owner"] == owner
    began = time.monotonic()
    stack.collector.kill()
    callers["other"].terminate()  # its end is heard by nobody
    until(lambda: stack.link()["owner"] not in ("", None, owner), 15, what="another owner")
    owned = time.monotonic() - began
    until(lambda: stack.link()["state"] == "connected", 15, what="the new owner is connected")
    connected = time.monotonic() - began
    stack.collector.wait(5)
    stack.collector = second
    stored = stack.check_history()
    assert shown(stack, "romashka") == [f"{BUSY}401", f"{BUSY}403"]
    exchange.hang_up()
    stored = stack.check_history()
    assert counted_twice(stack) == []
    figure("collector killed (-9): another owns its PBX", seconds(owned), "≤ 5 s")
    figure("collector killed (-9): connected again", seconds(connected), "")
    figure("history after the collector's death", f"{stored} calls equal, none counted twice", "equal")
    assert owned <= 5.0


def test_an_emptied_and_a_restarted_redis_lose_nothing(
    stack: Stack, exchange: Exchange, watch: Watch, figure: Figure
) -> None:
    busy(stack, exchange, "50")
    panel = watch("romashka", "head")
    expect(panel.going("916 000-95-01")).to_have_count(1)
    before = {company: len(stack.calls(company)) for company in COMPANIES}
    with redis.Redis.from_url(stack.redis_url) as client:
        client.flushall()
    flushed = until(lambda: asked(stack) and not stack.wrong(), 15, what="boards are there again")
    expect(panel.going("916 000-95-01")).to_have_count(1)

    stack.stop_redis()
    time.sleep(1.0)
    exchange.call(SALES, f"{BUSY}504", stay=4)  # nobody can be shown this now
    time.sleep(1.0)
    stack.start_redis()
    restarted = until(
        lambda: asked(stack) and not stack.wrong(), 15, what="boards are right after the restart"
    )
    expect(panel.page.locator("[data-notice=lost], [data-notice=pbx_orphaned]")).to_have_count(0)
    expect(panel.going("916 000-95-01")).to_have_count(1)
    exchange.hang_up()
    expect(panel.page.locator(".call:not(.ghost)")).to_have_count(0)
    stored = stack.check_history()
    lost = sum(max(0, n - len(stack.calls(company))) for company, n in before.items())
    assert counted_twice(stack) == []
    figure("Redis emptied (FLUSHALL): boards right again", seconds(flushed), "≤ 10 s")
    figure("Redis stopped and started: boards right again", seconds(restarted), "≤ 10 s")
    figure("history after both", f"{stored} calls equal, {lost} rows lost", "0 rows lost")
    assert flushed <= 10.0
    assert restarted <= 10.0


def asked(stack: Stack) -> bool:
    """Whether boards can be read at all."""
    status, _ = stack.visitor("romashka", "admin").get("/api/v1/board")
    return status == 200


def test_while_postgresql_is_away_the_panel_moves_on_and_no_fact_is_lost(
    stack: Stack, exchange: Exchange, watch: Watch, figure: Figure
) -> None:
    exchange.phones(romashka_101=Phone(ring=0.2, talk=1.0), vektor_101=Phone(ring=0.2, talk=1.0))
    panel = watch("romashka", "head")
    gone = time.monotonic()
    stack.stop_postgres()
    placed = 0
    while time.monotonic() - gone < 15:
        placed += 1
        exchange.call(MAIN if placed % 3 == 0 else SALES, f"{BUSY}6{placed:02}", stay=6)
        if placed == 3:
            expect(panel.page.locator(".call-number", has_text="916 000-96-").first).to_be_visible()
        time.sleep(1.5)
    exchange.hang_up()
    assert stack.health()["database"]["ok"] is False
    stack.start_postgres()
    away, back = time.monotonic() - gone, time.monotonic()
    asked_for = "SELECT count(*) FROM monitoring_call WHERE number LIKE %s AND ended IS NOT NULL"
    until(
        lambda: sum(stack.rows(c, asked_for, f"{BUSY}6%")[0][0] for c in COMPANIES) == placed, 20,
        what=f"all {placed} calls stored",
    )  # fmt: skip
    stored_in = time.monotonic() - back
    until(lambda: stack.health()["status"] == "ok", 15, what="well again")
    stored = stack.check_history()
    assert counted_twice(stack) == []
    until(lambda: spooled(stack)[:2] == (0, 0), 10, what="nothing is kept on disk any more")
    assert spooled(stack)[2] == 0
    figure(f"PostgreSQL away for {away:.0f} s: facts lost", f"0 of {placed} calls", "0")
    figure("PostgreSQL back: everything stored", seconds(stored_in), "")
    figure("history after PostgreSQL was away", f"{stored} calls equal", "equal")


def spooled(stack: Stack) -> tuple[int, int, int]:
    """Facts waiting, bytes on disk, facts given up."""
    spool = stack.link()["spool"]
    return spool["queued"], spool["bytes"], spool["dropped"]


def test_a_wrong_secret_is_said_where_people_look_and_not_hammered(
    stack: Stack, watch: Watch, figure: Figure
) -> None:
    def enter(secret: str) -> None:
        staff.page.goto(f"http://localhost:{stack.web_port}/admin/tenants/pbx/1/change/")
        staff.page.locator("#id_new_secret").fill(secret)
        staff.page.locator("input[name=_save]").click()
        expect(staff.page.locator(".success")).to_be_visible()

    staff, admin = watch("", "staff", "/pbx/"), watch("romashka", "admin", "/pbx/")
    connections = stack.line.cable.connections
    enter("no such secret")
    until(lambda: stack.link()["state"] == "refused", 15, what="refused")
    began = time.monotonic()
    link = stack.link()
    assert link["error"] == "wrong_secret: Authentication failed"
    assert link["next_try"] > time.time()
    staff.page.goto(f"http://localhost:{stack.web_port}/pbx/")
    expect(staff.page.locator("#pbxs")).to_contain_text("Authentication failed")
    expect(staff.page.locator("#pbxs")).to_contain_text("manager.conf")
    expect(admin.page.locator("#pbxs")).to_contain_text("Вход отклонён")
    time.sleep(max(0.0, 12 - (time.monotonic() - began)))
    tries = stack.line.cable.connections - connections
    enter(sample.PORTAL.secret)
    back = until(lambda: stack.link()["state"] == "connected", 20, what="connected with the right secret")
    stack.check_history()
    figure("wrong AMI secret: tries in the first 12 s", str(tries), "≤ 6 a minute")
    figure("right secret entered: connected", seconds(back), "")
    assert tries <= 2
