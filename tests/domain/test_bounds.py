"""What keeps the board small and quick must not change what it says: forgetting, positions, listeners, rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitoring.domain import board as board_module
from monitoring.domain import events as ev
from monitoring.domain import presence
from monitoring.domain.routing import Router
from monitoring.domain.sequence import DEPTH, Sequencer

from .told import T0, Pbx, directory

NOTHING = ((), (), (), ())


def listed(uid: str, company: str) -> ev.SnapshotChannel:
    return ev.SnapshotChannel(uid, uid, company, "PJSIP/trunk-1", 6, "", "", "", "", "", "", "", 1.0)


def test_owners_are_forgotten_only_after_two_looks_found_nothing() -> None:
    router = Router(("alpha", "beta"))
    for uid, company in (("1.1", "alpha"), ("2.1", "beta")):
        opened = ev.ChannelOpened(T0, uid, uid, company, "PJSIP/trunk-1", 4, "", "", "", "")
        assert list(router.route(opened)) == [(company, opened)]
    for _ in range(2):
        router.split(ev.Snapshot(T0, (listed("1.1", "alpha"),), *NOTHING))
        assert router.owner("1.1") == "alpha"
    assert router.owner("2.1") is None
    assert router.owner("1.1") == "alpha"


def test_a_look_too_early_forgets_nobody() -> None:
    router = Router(("alpha", "beta"))
    list(router.route(ev.ChannelOpened(T0, "2.1", "2.1", "beta", "PJSIP/trunk-1", 4, "", "", "", "")))
    for channels in ((), (listed("2.1", "beta"),), ()):
        router.split(ev.Snapshot(T0, channels, *NOTHING))
        assert router.owner("2.1") == "beta"


def test_a_snapshot_is_cut_so_that_each_company_gets_its_own_rows_and_no_other() -> None:
    router = Router(("alpha", "beta"))
    snapshot = ev.Snapshot(
        T0,
        (listed("1.1", "alpha"), listed("2.1", "beta"), listed("3.1", "stranger")),
        (ev.SnapshotCaller("alpha_sales", "1.1", 1, 3.0), ev.SnapshotCaller("beta_sales", "2.1", 1, 3.0)),
        tuple(
            ev.MemberChanged(T0, f"{c}_sales", f"PJSIP/{c}_101", "", False, "", 1) for c in ("alpha", "beta")
        ),
        tuple(ev.DeviceChanged(T0, f"PJSIP/{c}_101", "INUSE") for c in ("alpha", "beta", "stranger")),
        (ev.RegistrationChanged(T0, "beta_101", registered=True),),
    )
    parts = router.split(snapshot)
    assert {company: [len(rows) for rows in part[1:]] for company, part in parts.items()} == {
        "alpha": [1, 1, 1, 1, 0],
        "beta": [1, 1, 1, 1, 1],
    }
    for company, part in parts.items():
        assert {row.tenant for row in part.channels} == {company}
        assert {row.queue for row in part.callers} == {f"{company}_sales"}
        assert {row.device for row in part.devices} == {f"PJSIP/{company}_101"}
    assert router.quarantined == 1


def test_a_name_once_nobodys_is_heard_when_its_company_comes() -> None:
    router = Router(("alpha",))
    event = ev.DeviceChanged(T0, "PJSIP/beta_101", "INUSE")
    assert router.sure(event) is None
    assert list(router.route(event)) == []
    router.serve(("alpha", "beta"))
    assert list(router.route(event)) == [("beta", event)]
    assert router.sure(event) == "beta"
    router.serve(("alpha",))
    assert router.sure(event) is None


def test_doubles_are_known_again_after_the_pbxs_clock_was_set_back() -> None:
    order = Sequencer()
    late = [ev.HangupAsked(T0 + 100 + n, f"{n}.1", "alpha") for n in range(DEPTH)]
    early = [ev.HangupAsked(T0 + n, f"{n}.2", "beta") for n in range(DEPTH)]
    out = []
    for event in [*late, None, *early, *late, *early]:
        ready = order.settle() if event is None else [order.push(event)]
        out += [e for e in ready if e is not None]
    assert sorted([*out, *order.settle()]) == sorted([*late, *early])


def test_callers_behind_one_who_leaves_move_up_and_the_fact_keeps_the_place_he_had() -> None:
    pbx = Pbx()
    for place, uid in enumerate(("1.1", "1.2", "1.3"), 1):
        pbx.rings_in(uid, place)
        pbx.joins(uid, place + 0.1, "alpha_sales", place)
    pbx.rings_in("2.1", 4, company="beta")
    pbx.joins("2.1", 4.1, "beta_sales")
    pbx.tell(
        ev.HangupAsked(T0 + 9, "1.2", "alpha"),
        ev.QueueAbandoned(T0 + 9.1, "1.2", "alpha", "alpha_sales"),
    )
    pbx.hangs_up("1.2", 9.2)
    assert {key: call["position"] for key, call in pbx.calls().items()} == {"7:1.1": 1, "7:1.3": 2}
    assert [call["position"] for call in pbx.calls("beta").values()] == [1]
    assert [f.position for f in pbx.facts["alpha"] if hasattr(f, "position") and f.uniqueid == "1.2"] == [2]


def test_positions_are_the_same_whether_anybody_looked_in_between() -> None:
    boards = []
    for looks in (True, False):
        pbx = Pbx()
        for n in range(1, 6):
            uid = f"1.{n}"
            pbx.board.feed(
                ev.ChannelOpened(T0 + n, uid, uid, "alpha", f"PJSIP/trunk-{n}", 4, "7", "", "749", "in")
            )
            pbx.board.feed(ev.QueueJoined(T0 + n + 0.1, uid, uid, "alpha", "", "alpha_sales", 1, "", ""))
            if looks:
                pbx.tell()
        pbx.board.feed(ev.ChannelClosed(T0 + 9, "1.3", "1.3", "alpha", "", 16))
        pbx.tell()
        boards.append({key: call["position"] for key, call in pbx.calls().items()})
    assert boards[0] == boards[1] == {"7:1.5": 1, "7:1.4": 2, "7:1.2": 3, "7:1.1": 4}


def test_a_line_a_group_and_a_status_taken_away_leave_the_panel() -> None:
    pbx = Pbx()
    pbx.tell()
    pbx.board.configure("alpha", replace(directory("alpha"), lines=(), groups=(), statuses=()))
    pbx.gone.clear()
    pbx.tell()
    assert sorted(pbx.gone) == ["1", "1", "2", "2", "3", "74950000001"]
    board = pbx.board.board("beta")
    assert (len(board["line"]), len(board["group"]), len(board["status"])) == (1, 2, 3)


def test_a_listener_who_stops_is_found_also_when_two_calls_became_one() -> None:
    pbx = Pbx()
    pbx.rings_in("1.1", 0)
    pbx.rings("1.1", "1.2", 1, "alpha_101")
    pbx.answers("1.1", "1.2", 2, "alpha_101")
    pbx.tell(
        ev.ChannelOpened(T0 + 3, "9.1", "9.1", "alpha", "PJSIP/alpha_103-00000009", 4, "103", "", "", ""),
        ev.SpyStarted(T0 + 4, "9.1", "PJSIP/alpha_103-00000009", "1.2", "alpha"),
    )
    pbx.rings_in("3.1", 5)
    pbx.enters("3.1", 6, "bridge-1.1")
    assert [len(call["listeners"]) for call in pbx.calls().values()] == [1]
    pbx.tell(ev.SpyStopped(T0 + 8, "9.1", "1.2", "alpha"))
    assert [call["listeners"] for call in pbx.calls().values()] == [[]]
    assert [(f.manager, f.until) for f in pbx.facts["alpha"] if hasattr(f, "spyer")] == [
        ("alpha_101", T0 + 8)
    ]
    assert [f for f in pbx.facts["beta"] if hasattr(f, "spyer")] == []


def test_a_member_told_again_and_again_changes_nothing_anybody_sees() -> None:
    pbx = Pbx()
    told = ev.MemberChanged(T0, "alpha_sales", "PJSIP/alpha_101", "", True, "Lunch", 1)
    pbx.tell(told)
    before = pbx.manager("alpha_101")
    assert (before["paused"], before["pause_reason"], before["registration"]) == (True, "Lunch", "registered")
    for n, device in enumerate((6, 2, 1), 1):
        pbx.board.feed(told._replace(at=T0 + n, device=device))
    pbx.board.settle()
    assert pbx.board.drain() == []
    assert pbx.manager("alpha_101") == before


def member(company: str, queue: str, interface: str, at: float = 0) -> ev.MemberChanged:
    return ev.MemberChanged(T0 + at, f"{company}_{queue}", interface, "", False, "", 1)


@pytest.fixture
def _few_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "MOST_UNKNOWN_QUEUES", 3)
    monkeypatch.setattr(board_module, "MOST_UNKNOWN_MANAGERS", 4)


def sizes(pbx: Pbx, company: str) -> tuple[int, int]:
    board: Any = pbx.board.board(company)
    return len(board["queue"]), len(board["manager"])


@pytest.mark.usefixtures("_few_unknown")
def test_a_pbx_that_makes_up_names_is_believed_up_to_a_bound_and_counted_beyond() -> None:
    pbx = Pbx()
    pbx.tell(*(member("alpha", f"made{n}", "PJSIP/alpha_101", n) for n in range(10)))
    assert sizes(pbx, "alpha") == (2 + 3, 3)
    assert pbx.board.quarantined == 7
    pbx.tell(*(member("alpha", "sales", f"SIP/made{n}", 20 + n) for n in range(10)))
    assert sizes(pbx, "alpha") == (2 + 3, 3 + 4)
    assert pbx.board.quarantined == 7 + 6
    pbx.rings_in("1.1", 40)
    pbx.joins("1.1", 41, "alpha_unheard")
    assert sizes(pbx, "alpha") == (2 + 3, 3 + 4)
    assert pbx.board.quarantined == 7 + 6 + 1
    # The known go on being heard, and a neighbour has all of its own room.
    pbx.rings_in("1.2", 50)
    pbx.joins("1.2", 51, "alpha_sales")
    assert {key: call["queue"] for key, call in pbx.calls().items()} == {
        "7:1.1": None,
        "7:1.2": "alpha_sales",
    }
    pbx.tell(member("beta", "made", "PJSIP/beta_101", 60), member("beta", "sales", "SIP/made", 61))
    assert sizes(pbx, "beta") == (2 + 1, 3 + 1)
    assert pbx.board.quarantined == 14


@pytest.mark.usefixtures("_few_unknown")
def test_a_snapshot_that_makes_up_names_is_bounded_too() -> None:
    pbx = Pbx()
    made = (
        *(member("alpha", f"made{n}", "PJSIP/alpha_101") for n in range(10)),
        *(member("alpha", "sales", f"SIP/alpha_made{n}") for n in range(10)),
    )
    pbx.rings_in("1.1", 0)
    callers = (ev.SnapshotCaller("alpha_unheard", "1.1", 1, 3.0),)
    pbx.tell(ev.Snapshot(T0 + 5, (listed("1.1", "alpha"),), callers, made, (), ()))
    assert sizes(pbx, "alpha") == (2 + 3, 3 + 4)
    assert pbx.board.quarantined > 0
    assert sizes(pbx, "beta") == (2, 3)


def test_nobody_is_in_queues_without_end_nor_rung_by_ways_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(presence, "MOST_QUEUES", 3)
    pbx = Pbx()
    pbx.tell(
        *(member("alpha", f"made{n}", "PJSIP/alpha_101", n) for n in range(10)),
        *(
            ev.MemberPaused(T0 + 20 + n, f"alpha_other{n}", "PJSIP/alpha_102", "", True, "x")
            for n in range(10)
        ),
        *(member("alpha", "sales", f"Local/101@way{n}", 40 + n) for n in range(100)),
    )
    assert len(pbx.manager("alpha_101")["queues"]) == 3
    assert len(pbx.board._boards["alpha"].managers["alpha_102"].paused) == 3
    assert len(pbx.board.member_interfaces("alpha", "alpha_101")) == board_module.MOST_INTERFACES
    pbx.tell(member("beta", "sales", "PJSIP/beta_101", 200))
    assert pbx.manager("beta_101")["queues"] == ["beta_sales"]
