"""What the panel is told of the line: state, reason, lag and the windows in which we were blind."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitoring.pbx.clock import PbxClock
from monitoring.pbx.inbox import Inbox
from monitoring.pbx.link import Backoff, Link, midnight
from monitoring.pbx.protocol import (
    ActionRefused,
    ConnectionGone,
    LoginRefused,
    NotAsterisk,
    Silent,
    Unreachable,
)


class Wall:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def link(wall: Wall) -> Link:
    return Link(pbx="1", simulated=False, wall=wall)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Unreachable("host:5038: Connection refused"), "down"),
        (NotAsterisk("the server's first words are 'SSH'"), "down"),
        (ConnectionGone("reset"), "down"),
        (Silent("no answer for 13 s"), "stale"),
        (LoginRefused("Authentication failed"), "refused"),
        (ActionRefused("Permission denied"), "refused"),
    ],
)
def test_each_failure_has_its_state_reason_and_next_try(
    link: Link, wall: Wall, error: Exception, state: str
) -> None:
    link.failed(error, retry_in=4.0)  # type: ignore[arg-type] # parametrize widens the type
    wire = link.wire()
    assert (wire["state"], wire["next_try"]) == (state, wall.now + 4.0)
    assert str(error) in wire["error"]
    assert wire["error"].startswith(error.code)  # type: ignore[attr-defined] # an AmiError


def test_a_failure_stays_on_the_panel_while_the_next_try_is_under_way(link: Link) -> None:
    link.failed(LoginRefused("Authentication failed"), retry_in=10.0)
    link.connecting()
    assert (link.wire()["state"], link.wire()["next_try"]) == ("refused", None)
    link.connected()
    assert (link.wire()["state"], link.wire()["error"]) == ("connected", "")


def test_blindness_is_a_window_from_the_last_byte_to_the_right_board(link: Link, wall: Wall) -> None:
    link.connected()
    wall.now += 100
    link.blinded(since=wall.now - 13)
    link.blinded(since=wall.now)
    wall.now += 7
    link.connected()
    assert link.wire()["blind"] == [[1_000_087.0, 1_000_107.0]]


def test_windows_that_touch_are_one(link: Link, wall: Wall) -> None:
    for _ in range(3):
        link.blinded(since=wall.now)
        wall.now += 2
        link.connected()
        wall.now += 0.5
    assert link.wire()["blind"] == [[1_000_000.0, 1_000_007.0]]


def test_the_gap_between_two_owners_is_blindness_too(link: Link, wall: Wall) -> None:
    link.restore([[999_000.0, 999_010.0]], last_seen=999_996.0)
    wall.now += 1
    link.connected()
    assert link.wire()["blind"] == [[999_000.0, 999_010.0], [999_996.0, 1_000_001.0]]


def test_windows_of_yesterday_are_forgotten(link: Link) -> None:
    link.restore([[1.0, 2.0], [5.0, 20.0]], last_seen=None)
    assert link.forget_before(10.0)
    assert not link.forget_before(10.0)
    assert link.wire()["blind"] == [[5.0, 20.0]]


def test_lag_over_five_seconds_raises_the_alarm_and_small_wobbles_tell_nobody(link: Link) -> None:
    link.connected()
    assert not link.heard(0.3)
    assert link.heard(1.2)
    assert (link.wire()["lag"], link.wire()["state"]) == (1.2, "connected")
    assert link.heard(5.5)
    assert link.wire()["state"] == "stale"
    assert link.heard(4.5)
    assert link.wire()["state"] == "stale"
    assert link.heard(0.1)
    assert (link.wire()["state"], link.wire()["lag"], link.wire()["error"]) == ("connected", 0.1, "")


def test_refused_logins_are_at_most_six_a_minute() -> None:
    for _ in range(50):
        backoff = Backoff()
        waits = [backoff.after(LoginRefused("no")) for _ in range(10)]
        assert min(waits) > 10.0
        tries, clock = 1, 0.0
        for wait in waits:
            clock += wait
            tries += clock < 60
        assert tries <= 6
        assert max(waits) <= 78


def test_a_cut_connection_is_tried_again_at_once_and_later_ever_slower_up_to_five_seconds() -> None:
    backoff = Backoff()
    waits = [backoff.after(ConnectionGone("cut")) for _ in range(12)]
    assert waits[0] <= 0.2
    assert 3.0 < waits[-1] <= 5.0
    backoff.calm()
    assert backoff.after(ConnectionGone("cut")) <= 0.2


def test_midnight_is_the_earliest_of_the_companies_days() -> None:
    now = datetime(2026, 11, 22, 1, 30, tzinfo=UTC).timestamp()
    moscow = datetime(2026, 11, 21, 21, 0, tzinfo=UTC).timestamp()
    assert midnight(["Europe/Moscow"], now) == moscow
    assert (
        midnight(["Europe/Moscow", "Asia/Vladivostok"], now)
        == datetime(2026, 11, 21, 14, 0, tzinfo=UTC).timestamp()
    )
    assert (
        midnight(["Nowhere/At all", "../../etc/passwd"], now)
        == datetime(2026, 11, 22, tzinfo=UTC).timestamp()
    )
    assert midnight([], now) == datetime(2026, 11, 22, tzinfo=UTC).timestamp()


def test_lag_does_not_depend_on_the_pbx_clock_being_right() -> None:
    clock = PbxClock(wall=5000.0, now=10.0)
    clock.read(sent=10.0, received=10.02, pbx=5000.0 + 3600)  # its clock is an hour ahead of ours
    assert clock.lag(event=8600.0, shown=10.01) == pytest.approx(0.0, abs=1e-6)
    assert clock.lag(event=8600.0, shown=17.01) == pytest.approx(7.0)
    clock.read(sent=20.0, received=24.0, pbx=8610.1)  # a slow Pong knows less than a quick one
    assert clock.lag(event=8600.0, shown=17.01) == pytest.approx(7.0)
    clock.read(sent=30.0, received=30.01, pbx=9000.0)  # its clock was set
    assert clock.at(30.005) == pytest.approx(9000.0)


async def test_a_full_inbox_drops_everything_and_says_so_until_it_is_restarted() -> None:
    inbox = Inbox(capacity=5)
    inbox.put([b"1", b"2", b"3"], 1.0)
    inbox.put([b"4", b"5", b"6"], 2.0)
    inbox.put([b"7"], 3.0)
    assert inbox.overflowed
    assert inbox.take() is None
    inbox.restart()
    inbox.put([b"8"], 4.0)
    assert inbox.take() == (4.0, [b"8"])
    assert inbox.size == 0


def test_companies_are_not_told_where_the_platforms_own_pbx_stands(wall: Wall) -> None:
    link = Link(pbx="1", simulated=False, wall=wall, hidden="10.1.2.3:5038")
    link.failed(Unreachable("10.1.2.3:5038: Connection refused"))
    assert link.wire()["error"] == "unreachable: PBX: Connection refused"
    assert "10.1.2.3:5038" in link.error
