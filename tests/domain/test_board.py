"""What the board knows and says, told with events written by hand: presence, days, groups, ghosts, restarts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from monitoring.domain import events as ev
from monitoring.domain.directory import Standing
from monitoring.domain.facts import CallFact, ListenFact, PauseFact, VisitFact

from .told import AVAILABLE, LUNCH, T0, Pbx, directory


def last_call(pbx: Pbx, company: str = "alpha") -> CallFact:
    return [f for f in pbx.facts[company] if isinstance(f, CallFact)][-1]


def visits(pbx: Pbx, company: str = "alpha") -> list[VisitFact]:
    return [f for f in pbx.facts[company] if isinstance(f, VisitFact)]


@pytest.fixture
def pbx() -> Pbx:
    return Pbx()


def test_a_queue_call_goes_from_waiting_to_talking_to_a_fact(pbx: Pbx) -> None:
    pbx.rings_in("1.1", 0)
    pbx.joins("1.1", 1, "alpha_sales")
    (call,) = pbx.calls().values()
    assert (call["state"], call["since"], call["queue"], call["groups"]) == (
        "waiting",
        T0 + 1,
        "alpha_sales",
        [1],
    )
    pbx.rings("1.1", "1.2", 2, "alpha_101", "alpha_sales")
    assert pbx.calls()["7:1.1"]["state"] == "ringing"
    pbx.answers("1.1", "1.2", 5, "alpha_101", "alpha_sales")
    assert pbx.calls()["7:1.1"]["state"] == "talking"
    assert pbx.manager("alpha_101")["activity"] == "talking"
    pbx.hangs_up("1.2", 15)
    pbx.hangs_up("1.1", 15.1)
    assert pbx.calls() == {}
    fact = last_call(pbx)
    assert (fact.disposition, fact.started, fact.ended) == ("answered", T0, T0 + 15.1)
    assert sum(end - start for start, end in fact.legs[0].talk if end) == pytest.approx(9.997)
    (visit,) = visits(pbx)
    assert (visit.outcome, visit.manager, visit.wait) == ("answered", "alpha_101", pytest.approx(4.002))
    assert pbx.queue("alpha_sales")["today"]["answered"] == 1
    assert pbx.calls("beta") == {}
    assert pbx.facts["beta"] == []


def test_a_number_the_pbx_tells_only_later_is_stored_while_the_call_still_lives(pbx: Pbx) -> None:
    pbx.rings_in("1.1", 0, number="unknown")
    pbx.tell(ev.CallerChanged(T0 + 0.1, "1.1", "alpha", "79161234567", "Anna"))
    fact = last_call(pbx)
    assert (fact.number, fact.name, fact.ended) == ("79161234567", "Anna", None)
    assert pbx.facts["beta"] == []


def test_a_caller_who_hangs_up_in_the_queue_is_abandoned_and_short_below_the_threshold(pbx: Pbx) -> None:
    for uid, until in (("1.1", 4.0), ("2.1", 9.0)):
        pbx.rings_in(uid, 0)
        pbx.joins(uid, 0.5, "alpha_sales")
        pbx.tell(ev.QueueAbandoned(T0 + until, uid, "alpha", "alpha_sales"))
        pbx.tell(ev.QueueLeft(T0 + until + 0.01, uid, "alpha", "alpha_sales"))
        pbx.hangs_up(uid, until + 0.02)
    today = pbx.queue("alpha_sales")["today"]
    assert (today["offered"], today["abandoned"], today["short_abandoned"]) == (2, 2, 1)
    assert pbx.queue("beta_sales")["today"]["offered"] == 0


def test_leaving_without_an_answer_is_a_flow_out_with_its_reason(pbx: Pbx) -> None:
    pbx.rings_in("1.1", 0)
    pbx.joins("1.1", 1, "alpha_sales")
    pbx.tell(ev.QueueLeft(T0 + 31, "1.1", "alpha", "alpha_sales"))
    pbx.tell(ev.QueueExit(T0 + 31.01, "1.1", "alpha", "TIMEOUT"))
    pbx.joins("1.1", 32, "alpha_support")
    assert pbx.calls()["7:1.1"]["groups"] == [2]
    assert [(v.queue, v.outcome, v.reason) for v in visits(pbx)][-1] == ("alpha_sales", "flow-out", "timeout")


def test_positions_move_up_when_a_caller_leaves(pbx: Pbx) -> None:
    for n in (1, 2, 3):
        pbx.rings_in(f"{n}.1", n)
        pbx.joins(f"{n}.1", n, "alpha_sales", n)
    pbx.tell(ev.QueueAbandoned(T0 + 9, "1.1", "alpha", "alpha_sales"))
    positions = [c["position"] for c in pbx.calls().values()]
    assert positions == [None, 1, 2]
    assert pbx.queue("alpha_sales")["earliest"] == T0 + 2


def test_hold_is_not_talk(pbx: Pbx) -> None:
    pbx.rings_in("1.1", 0)
    pbx.rings("1.1", "1.2", 1, "alpha_101")
    pbx.answers("1.1", "1.2", 2, "alpha_101")
    pbx.tell(ev.HoldChanged(T0 + 5, "1.2", "alpha", True))
    assert pbx.calls()["7:1.1"]["state"] == "held"
    pbx.tell(ev.HoldChanged(T0 + 9, "1.2", "alpha", False))
    pbx.hangs_up("1.2", 10)
    pbx.hangs_up("1.1", 10)
    (leg,) = last_call(pbx).legs
    assert leg.talk == ((T0 + 2.003, T0 + 5), (T0 + 9, T0 + 10))
    assert leg.hold == ((T0 + 5, T0 + 9),)


def test_three_calls_missed_in_a_row_while_available_are_flagged_and_an_answer_clears_them(pbx: Pbx) -> None:
    pbx.tell(ev.StatusDeclared(T0, "alpha_101", AVAILABLE))
    for n in range(3):
        pbx.rings_in(f"{n}.1", n)
        pbx.joins(f"{n}.1", n, "alpha_sales")
        pbx.rings(f"{n}.1", f"{n}.2", n, "alpha_101", "alpha_sales")
        pbx.tell(
            ev.AgentMissed(
                T0 + n + 0.5, f"{n}.1", "alpha", "alpha_sales", "PJSIP/alpha_101", "", f"{n}.2", 15
            )
        )
        pbx.hangs_up(f"{n}.2", n + 0.6)
    assert "missing_calls" in pbx.manager("alpha_101")["flags"]
    assert pbx.manager("alpha_101")["today"]["missed"] == 3
    assert pbx.manager("beta_101")["flags"] == []
    pbx.rings("0.1", "9.2", 9, "alpha_101", "alpha_sales")
    pbx.answers("0.1", "9.2", 10, "alpha_101", "alpha_sales")
    assert pbx.manager("alpha_101")["flags"] == []


def test_a_phone_nobody_told_us_of_is_unknown_not_free(pbx: Pbx) -> None:
    assert pbx.manager("alpha_101")["activity"] == "unknown"
    pbx.tell(ev.DeviceChanged(T0, "PJSIP/alpha_101", "NOT_INUSE"))
    assert pbx.manager("alpha_101")["activity"] == "free"
    pbx.tell(ev.DeviceChanged(T0 + 1, "PJSIP/alpha_101", "UNAVAILABLE"))
    assert (pbx.manager("alpha_101")["activity"], pbx.manager("alpha_101")["registration"]) == (
        "unavailable",
        "unregistered",
    )
    assert pbx.manager("beta_101")["registration"] == "unknown"


def pause(at: float, queue: str, *, paused: bool, reason: str = "") -> ev.MemberPaused:
    return ev.MemberPaused(T0 + at, queue, "PJSIP/alpha_101", "", paused, reason)


def test_a_pause_made_on_the_phone_is_reported_once_and_so_is_its_end(pbx: Pbx) -> None:
    pbx.tell(ev.StatusDeclared(T0, "alpha_101", AVAILABLE))
    pbx.tell(pause(1, "alpha_sales", paused=True, reason="Lunch"), pause(2, "alpha_support", paused=True))
    pbx.tell(pause(3, "alpha_sales", paused=False), pause(4, "alpha_support", paused=False))
    told = [f for f in pbx.facts["alpha"] if isinstance(f, PauseFact)]
    assert told == [PauseFact("alpha_101", T0 + 1, True, "Lunch")]
    pbx.tell(ev.StatusDeclared(T0 + 5, "alpha_101", LUNCH))
    pbx.tell(pause(6, "alpha_sales", paused=True), pause(7, "alpha_sales", paused=False))
    assert [f for f in pbx.facts["alpha"] if isinstance(f, PauseFact)][1:] == [
        PauseFact("alpha_101", T0 + 7, False, "")
    ]


def test_a_pause_the_portal_asked_for_is_not_echoed(pbx: Pbx) -> None:
    pbx.tell(ev.StatusDeclared(T0, "alpha_101", LUNCH))
    pbx.tell(pause(1, "alpha_sales", paused=True, reason="Lunch"))
    pbx.tell(ev.StatusDeclared(T0 + 9, "alpha_101", AVAILABLE), pause(10, "alpha_sales", paused=False))
    assert [f for f in pbx.facts["alpha"] if isinstance(f, PauseFact)] == []
    assert pbx.manager("alpha_101")["flags"] == []


def test_counts_begin_anew_at_the_companys_midnight_and_a_restart_keeps_them() -> None:
    pbx = Pbx()
    evening = datetime(2026, 11, 22, 20, 59, 50, tzinfo=UTC).timestamp()  # 23:59:50 in Moscow
    standing = Standing(
        day=date(2026, 11, 22), queues={"alpha_sales": {**pbx.queue("alpha_sales")["today"], "answered": 7}}
    )
    pbx.board.configure("alpha", directory("alpha"), standing)
    pbx.tell(ev.DeviceChanged(evening, "PJSIP/alpha_101", "NOT_INUSE"))
    assert pbx.queue("alpha_sales")["today"]["answered"] == 7
    pbx.tell(ev.DeviceChanged(evening + 11, "PJSIP/alpha_101", "INUSE"))
    assert pbx.queue("alpha_sales")["today"]["answered"] == 0


def test_counts_follow_the_rows_once_what_was_missed_is_filled_in_and_never_those_of_another_day() -> None:
    pbx = Pbx()
    noon = datetime(2026, 11, 22, 9, 0, tzinfo=UTC).timestamp()
    counts = {**pbx.queue("alpha_sales")["today"], "answered": 7}
    pbx.board.configure(
        "alpha", directory("alpha"), Standing(day=date(2026, 11, 22), queues={"alpha_sales": counts})
    )
    pbx.tell(ev.DeviceChanged(noon, "PJSIP/alpha_101", "NOT_INUSE"))
    before = pbx.board.counted()
    pbx.board.recount(
        "alpha", Standing(day=date(2026, 11, 21), queues={"alpha_sales": {**counts, "answered": 99}})
    )
    assert pbx.board.counted() == before
    pbx.board.recount(
        "alpha", Standing(day=date(2026, 11, 22), queues={"alpha_sales": {**counts, "answered": 9}})
    )
    assert pbx.queue("alpha_sales")["today"]["answered"] == 9
    assert pbx.board.counted()["beta"] == before["beta"]
    pbx.board.recount("nobody", Standing(day=date(2026, 11, 22)))


def snapshot(
    at: float, *channels: ev.SnapshotChannel, callers: tuple[ev.SnapshotCaller, ...] = ()
) -> ev.Snapshot:
    return ev.Snapshot(T0 + at, channels, callers, (), (), ())


def channel(uid: str, name: str, age: float, *, linked: str = "", bridge: str = "") -> ev.SnapshotChannel:
    return ev.SnapshotChannel(
        uid, linked or uid, "alpha", name, 6, "79160000000", "", "74950000001", "in", bridge, "", "", age
    )


def test_a_lost_hangup_ends_at_the_last_evidence_and_says_so(pbx: Pbx) -> None:
    pbx.rings_in("1.1", 0)
    pbx.joins("1.1", 1, "alpha_sales")
    pbx.tell(snapshot(30))
    assert pbx.calls() == {}
    fact = last_call(pbx)
    assert (fact.ended, fact.reconciled) == (T0 + 1, True)
    assert pbx.queue("alpha_sales")["waiting"] == 0


def test_a_channel_younger_than_the_snapshot_is_not_swept(pbx: Pbx) -> None:
    pbx.rings_in("1.1", 10)
    pbx.tell(snapshot(9.9))
    assert set(pbx.calls()) == {"7:1.1"}


def test_calls_that_began_before_the_collector_are_found(pbx: Pbx) -> None:
    pbx.tell(
        snapshot(
            100,
            channel("1.1", "PJSIP/trunk-00000001", 60, bridge="b"),
            channel("1.2", "PJSIP/alpha_101-00000002", 55, linked="1.1", bridge="b"),
            channel("2.1", "PJSIP/trunk-00000003", 20),
            callers=(ev.SnapshotCaller("alpha_sales", "2.1", 1, 15),),
        )
    )
    talking, waiting = pbx.calls()["7:1.1"], pbx.calls()["7:2.1"]
    assert (talking["state"], talking["started"], talking["managers"][0]["manager"]) == (
        "talking",
        T0 + 40,
        "alpha_101",
    )
    assert (waiting["state"], waiting["joined"], waiting["queue"]) == ("waiting", T0 + 85, "alpha_sales")
    assert pbx.calls("beta") == {}


def test_who_joins_while_the_snapshot_is_read_is_one_visit_of_the_moment_the_event_tells(pbx: Pbx) -> None:
    pbx.rings_in("1.1", 0)
    asked = snapshot(
        10,
        channel("1.1", "PJSIP/trunk-00000001", 10),
        callers=(ev.SnapshotCaller("alpha_sales", "1.1", 1, 0),),
    )
    pbx.tell(asked)
    pbx.joins("1.1", 10.4, "alpha_sales")
    assert pbx.calls()["7:1.1"]["joined"] == T0 + 10.4
    assert pbx.queue("alpha_sales")["today"]["offered"] == 0
    assert pbx.queue("alpha_sales")["waiting"] == 1


def test_a_channel_made_while_the_lists_are_read_is_told_by_its_own_events(pbx: Pbx) -> None:
    for name in (f"{int(T0) + 12}.7", f"pbx-{int(T0) + 12}.8"):
        pbx.tell(snapshot(10, channel(name, "PJSIP/trunk-00000007", 0)))
        assert pbx.calls() == {}
    pbx.tell(snapshot(10, channel(f"{int(T0) + 9}.9", "PJSIP/trunk-00000009", 1)))
    assert len(pbx.calls()) == 1


def test_the_same_snapshot_again_changes_nothing(pbx: Pbx) -> None:
    rows = (
        channel("1.1", "PJSIP/trunk-00000001", 60),
        channel("1.2", "PJSIP/alpha_101-00000002", 5, linked="1.1"),
    )
    pbx.tell(snapshot(100, *rows))
    before = pbx.calls()
    pbx.tell(snapshot(100, *rows))
    assert pbx.calls() == before


def test_a_restart_of_the_pbx_interrupts_its_open_calls(pbx: Pbx) -> None:
    pbx.tell(ev.PbxBooted(T0, T0 - 1000))
    pbx.rings_in("1.1", 1)
    pbx.joins("1.1", 2, "alpha_sales")
    pbx.tell(ev.PbxBooted(T0 + 3, T0 - 1001))
    assert set(pbx.calls()) == {"7:1.1"}
    pbx.tell(ev.PbxBooted(T0 + 60, T0 + 55))
    assert pbx.calls() == {}
    assert last_call(pbx).disposition == "interrupted"
    assert visits(pbx)[-1].outcome == "interrupted"
    assert pbx.queue("alpha_sales")["today"]["offered"] == 0
    assert pbx.queue("alpha_sales")["waiting"] == 0


def test_a_listener_is_no_call_and_no_party(pbx: Pbx) -> None:
    pbx.rings_in("1.1", 0)
    pbx.rings("1.1", "1.2", 1, "alpha_101")
    pbx.answers("1.1", "1.2", 2, "alpha_101")
    pbx.tell(
        ev.ChannelOpened(T0 + 3, "5.1", "5.1", "alpha", "PJSIP/alpha_103-00000051", 0, "", "", "", "spy")
    )
    pbx.tell(ev.SpyStarted(T0 + 4, "5.1", "PJSIP/alpha_103-00000051", "1.2", "alpha"))
    (call,) = pbx.calls().values()
    assert call["listeners"] == [{"who": "alpha_103", "mode": "listen", "since": T0 + 4}]
    assert pbx.manager("alpha_103")["calls"] == []
    pbx.tell(ev.SpyStopped(T0 + 8, "5.1", "1.2", "alpha"))
    pbx.hangs_up("5.1", 8.1)
    assert pbx.calls()["7:1.1"]["listeners"] == []
    assert ListenFact("7:1.1", "alpha_103", "alpha_101", "listen", T0 + 4, T0 + 8) in pbx.facts["alpha"]
    assert {f.key for f in pbx.facts["alpha"] if isinstance(f, CallFact)} == {"7:1.1"}


def test_events_nobody_can_claim_are_held_then_quarantined(pbx: Pbx) -> None:
    stranger = ev.ChannelOpened(T0, "9.1", "9.1", "gamma", "PJSIP/gamma_1-00000001", 4, "", "", "", "")
    pbx.tell(stranger, ev.ChannelClosed(T0 + 1, "9.1", "9.1", "gamma", "PJSIP/gamma_1-00000001", 16))
    assert pbx.board.quarantined == 2
    assert pbx.calls() == pbx.calls("beta") == {}


def test_a_trunk_channel_is_held_until_the_dialplan_names_its_company(pbx: Pbx) -> None:
    pbx.tell(
        ev.ChannelOpened(
            T0, "1.1", "1.1", "", "PJSIP/trunk-00000001", 4, "79160000000", "", "74950000001", "in"
        )
    )
    assert pbx.calls() == pbx.calls("beta") == {}
    pbx.tell(ev.RouteMarked(T0 + 1, "1.1", "beta", "line", "74950000001"))
    assert pbx.calls() == {}
    assert set(pbx.calls("beta")) == {"7:1.1"}


def test_one_companys_channel_never_enters_the_others_board_by_a_shared_linkedid(pbx: Pbx) -> None:
    pbx.rings_in("1.1", 0, company="alpha")
    pbx.tell(ev.ChannelOpened(T0 + 1, "1.2", "1.1", "beta", "PJSIP/beta_101-00000002", 0, "", "", "", ""))
    assert pbx.calls()["7:1.1"]["managers"] == []
    assert all("beta" not in repr(call) for call in pbx.calls().values())


def test_a_manager_in_two_queues_is_one_person_with_two_memberships(pbx: Pbx) -> None:
    for queue in ("alpha_sales", "alpha_support"):
        pbx.tell(ev.MemberChanged(T0, queue, "PJSIP/alpha_101", "", False, "", 1))
    assert pbx.manager("alpha_101")["queues"] == ["alpha_sales", "alpha_support"]
    pbx.tell(ev.MemberChanged(T0 + 1, "alpha_support", "PJSIP/alpha_101", "", False, "", 1, True))
    assert pbx.manager("alpha_101")["queues"] == ["alpha_sales"]
    assert pbx.queue("alpha_support")["managers"] == []


def test_changes_carry_only_what_differs_and_nothing_when_nothing_does(pbx: Pbx) -> None:
    pbx.rings_in("1.1", 0)
    pbx.board.feed(ev.CallerChanged(T0 + 1, "1.1", "alpha", "79161111111", "Анна"))
    pbx.board.settle()
    (changes,) = pbx.board.drain()
    assert changes.ops == [("call", "7:1.1", {"number": "79161111111", "name": "Анна"})]
    assert pbx.board.drain() == []
