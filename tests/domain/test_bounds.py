"""What keeps the board small and quick must not change what it says: forgetting, positions, listeners, rows."""

from __future__ import annotations

from dataclasses import replace

from monitoring.domain import events as ev
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
