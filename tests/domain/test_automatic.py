"""What nobody declares: begun and ended by events alone, told once each, taken over by the next collector."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitoring.domain import events as ev
from monitoring.domain.directory import Standing, StandingAuto
from monitoring.domain.facts import AutoFact, CallFact
from monitoring.domain.switchboard import Switchboard

from .streams import Told, companies, events, furnished, names
from .told import AVAILABLE, AWAY, LUNCH, T0, Pbx, directory

WRAP_UP = 30.0


def wrapped(company: str) -> Any:
    rows = directory(company)
    return replace(rows, queues=tuple(replace(queue, wrap_up=WRAP_UP) for queue in rows.queues))


def began(pbx: Pbx, standing: Standing | None = None) -> Pbx:
    """A collector that has just read the portal's rows: everybody available, phones not heard of yet."""
    for company in ("alpha", "beta"):
        statuses = {f"{company}_{ext}": (AVAILABLE, T0 - 100) for ext in ("101", "102", "103")}
        known = replace(standing or Standing(), statuses=statuses)
        pbx.board.configure(company, wrapped(company), known if company == "alpha" else None)
    return pbx


@pytest.fixture
def pbx() -> Pbx:
    return began(Pbx())


def declare(pbx: Pbx, at: float, status: int, manager: str = "alpha_101") -> None:
    pbx.tell(ev.StatusDeclared(T0 + at, manager, status))


def phone(pbx: Pbx, at: float, *, registered: bool, manager: str = "alpha_101") -> None:
    pbx.tell(ev.RegistrationChanged(T0 + at, manager, registered))


def later(pbx: Pbx, at: float) -> None:
    """Something else happens: only events have a clock."""
    pbx.tell(ev.RegistrationChanged(T0 + at, "alpha_103", True))


def told(pbx: Pbx, kind: str) -> list[tuple[str, float, float | None]]:
    """(manager, started, ended) of each interval of ``kind``, seconds after T0, the last word of each."""
    last: dict[tuple[str, float], AutoFact] = {}
    for fact in pbx.facts["alpha"]:
        if isinstance(fact, AutoFact) and fact.kind == kind:
            last[fact.manager, fact.started] = fact
    assert not any(isinstance(fact, AutoFact) for fact in pbx.facts["beta"])
    return [
        (f.manager, round(f.started - T0, 3), None if f.ended is None else round(f.ended - T0, 3))
        for f in last.values()
    ]


def answered_call(pbx: Pbx, uid: str, at: float, *, until: float, manager: str = "alpha_101") -> str:
    """A caller waits, ``manager`` answers and the call ends; returns the call's key."""
    leg = f"{uid}9"
    pbx.rings_in(uid, at)
    pbx.joins(uid, at + 0.1, "alpha_sales")
    pbx.rings(uid, leg, at + 0.2, manager, "alpha_sales")
    pbx.answers(uid, leg, at + 1, manager, "alpha_sales")
    pbx.hangs_up(leg, until)
    pbx.hangs_up(uid, until + 0.001)
    return f"7:{uid}"


def missed_call(pbx: Pbx, uid: str, at: float) -> None:
    leg = f"{uid}9"
    pbx.rings_in(uid, at)
    pbx.joins(uid, at + 0.1, "alpha_sales")
    pbx.rings(uid, leg, at + 0.2, "alpha_101", "alpha_sales")
    pbx.tell(
        ev.AgentMissed(T0 + at + 5, uid, "alpha", "alpha_sales", "PJSIP/alpha_101", "", leg, rang=5000.0)
    )
    pbx.hangs_up(leg, at + 5.1)
    pbx.hangs_up(uid, at + 6)


# no phone, no answer


def test_a_lost_phone_counts_only_while_the_status_takes_calls(pbx: Pbx) -> None:
    phone(pbx, 1, registered=True)
    phone(pbx, 10, registered=False)
    declare(pbx, 20, LUNCH)
    declare(pbx, 30, AVAILABLE)
    phone(pbx, 40, registered=True)
    assert told(pbx, "unregistered") == [("alpha_101", 10, 20), ("alpha_101", 30, 40)]


def test_the_flag_on_the_board_and_the_interval_say_the_same(pbx: Pbx) -> None:
    phone(pbx, 10, registered=False)
    assert pbx.manager("alpha_101")["flags"] == ["unregistered"]
    assert told(pbx, "unregistered") == [("alpha_101", 10, None)]


def test_three_misses_in_a_row_begin_an_interval_that_an_answer_ends(pbx: Pbx) -> None:
    for number in range(3):
        missed_call(pbx, f"{number}.1", 10.0 * number)
    assert told(pbx, "missing_calls") == [("alpha_101", 25, None)]
    assert pbx.manager("alpha_101")["flags"] == ["missing_calls"]
    answered_call(pbx, "8.1", 50, until=60)
    assert told(pbx, "missing_calls") == [("alpha_101", 25, 51)]


def test_a_break_ends_the_misses_and_the_return_begins_them_anew(pbx: Pbx) -> None:
    for number in range(3):
        missed_call(pbx, f"{number}.1", 10.0 * number)
    declare(pbx, 40, AWAY)
    declare(pbx, 50, AVAILABLE)
    assert told(pbx, "missing_calls") == [("alpha_101", 25, 40)]


# wrap-up


def test_a_wrap_up_follows_an_answered_queue_call_for_as_long_as_its_queue_says(pbx: Pbx) -> None:
    key = answered_call(pbx, "1.1", 0, until=20)
    assert pbx.manager("alpha_101")["wrap_until"] == T0 + 20 + WRAP_UP
    assert told(pbx, "wrap_up") == [("alpha_101", 20, None)]
    later(pbx, 49.9)
    assert told(pbx, "wrap_up") == [("alpha_101", 20, None)]
    later(pbx, 300)
    assert told(pbx, "wrap_up") == [("alpha_101", 20, 50)]
    assert pbx.manager("alpha_101")["wrap_until"] is None
    assert [fact.call for fact in pbx.facts["alpha"] if isinstance(fact, AutoFact)] == [key, key]


def test_a_new_answer_cuts_a_wrap_up_short(pbx: Pbx) -> None:
    answered_call(pbx, "1.1", 0, until=20)
    answered_call(pbx, "2.1", 25, until=40)
    assert told(pbx, "wrap_up") == [("alpha_101", 20, 26), ("alpha_101", 40, None)]


def test_ringing_alone_does_not(pbx: Pbx) -> None:
    answered_call(pbx, "1.1", 0, until=20)
    missed_call(pbx, "2.1", 25)
    assert told(pbx, "wrap_up") == [("alpha_101", 20, None)]


@pytest.mark.parametrize("status", [LUNCH, AWAY])
def test_break_and_away_cut_a_wrap_up_short(pbx: Pbx, status: int) -> None:
    answered_call(pbx, "1.1", 0, until=20)
    declare(pbx, 30, status)
    declare(pbx, 35, AVAILABLE)
    assert told(pbx, "wrap_up") == [("alpha_101", 20, 30)]


def test_who_is_on_a_break_by_the_end_of_the_call_has_no_wrap_up(pbx: Pbx) -> None:
    declare(pbx, 0, LUNCH)
    answered_call(pbx, "1.1", 1, until=20)
    assert told(pbx, "wrap_up") == []


def test_who_talks_with_somebody_else_when_the_call_ends_has_begun_new_work(pbx: Pbx) -> None:
    pbx.rings("7.1", "7.19", 0, "alpha_101")  # their own call first, from elsewhere
    pbx.rings_in("8.1", 0.5)
    pbx.rings("8.1", "8.19", 1, "alpha_101")
    pbx.answers("8.1", "8.19", 2, "alpha_101")
    answered_call(pbx, "1.1", 5, until=20)
    pbx.hangs_up("8.19", 60)
    pbx.hangs_up("8.1", 60.1)
    assert told(pbx, "wrap_up") == []


def test_a_queue_without_wrap_up_owes_none(pbx: Pbx) -> None:
    pbx.board.configure("alpha", directory("alpha"))
    answered_call(pbx, "1.1", 0, until=20)
    assert told(pbx, "wrap_up") == []


TRANSFERS = [n for n in names("*.filtered.ami") if n.startswith(("attended_", "local_attended_", "blind_"))]


@pytest.mark.parametrize("name", TRANSFERS)
def test_a_transfer_of_any_kind_leaves_a_whole_wrap_up_to_who_answered_the_queue(name: str) -> None:
    """Recorded from a real Asterisk, whose own wrap-up an attended transfer breaks: it waits for the customer's
    end."""
    known = furnished(name, wrap_up=1.5)
    stream = [*events(name), ev.RegistrationChanged(events(name)[-1].at + 60, "romashka_101", True)]
    run = Told(stream, companies(name), known)
    ends = {
        (leg.manager, leg.ended)
        for call in run.calls.values()
        if isinstance(call, CallFact)
        for leg in call.legs
        if leg.queue and leg.talk and leg.ended is not None
    }
    assert {(auto.manager, auto.started) for auto in run.autos.values() if auto.kind == "wrap_up"} == ends
    assert ends
    assert all(
        auto.ended == pytest.approx(auto.started + 1.5)
        for auto in run.autos.values()
        if auto.kind == "wrap_up"
    )


# a restart


def restarted(**standing: StandingAuto) -> Pbx:
    return began(Pbx(), Standing(automatic={"alpha_101": standing}))  # type: ignore[dict-item]  # kinds as keywords


def snapshot(at: float, *, registered: bool) -> ev.Snapshot:
    state = "NOT_INUSE" if registered else "UNAVAILABLE"
    return ev.Snapshot(T0 + at, (), (), (), (ev.DeviceChanged(T0 + at, "PJSIP/alpha_101", state),), ())


def test_what_still_stands_after_a_restart_is_taken_over_and_not_told_again() -> None:
    pbx = restarted(unregistered=StandingAuto(T0 - 50))
    pbx.tell(snapshot(1, registered=False))
    assert told(pbx, "unregistered") == []
    phone(pbx, 10, registered=True)
    assert told(pbx, "unregistered") == [("alpha_101", -50, 10)]


def test_what_ended_while_nobody_listened_ends_with_the_first_snapshot() -> None:
    pbx = restarted(unregistered=StandingAuto(T0 - 50))
    pbx.tell(snapshot(1, registered=True))
    assert told(pbx, "unregistered") == [("alpha_101", -50, 1)]


def test_misses_in_a_row_survive_a_restart() -> None:
    pbx = restarted(missing_calls=StandingAuto(T0 - 50))
    pbx.tell(snapshot(1, registered=True))
    assert pbx.manager("alpha_101")["flags"] == ["missing_calls"]
    answered_call(pbx, "1.1", 10, until=20)
    assert told(pbx, "missing_calls") == [("alpha_101", -50, 11)]


@pytest.mark.parametrize(("heard_at", "ended"), [(1.0, None), (200.0, 25.0)])
def test_a_wrap_up_goes_on_over_a_restart_or_ended_when_it_should_have(
    heard_at: float, ended: float | None
) -> None:
    pbx = restarted(wrap_up=StandingAuto(T0 - 5, "7:1.1", "alpha_sales"))
    assert pbx.manager("alpha_101")["wrap_until"] == T0 + 25
    pbx.tell(snapshot(heard_at, registered=True))
    assert told(pbx, "wrap_up") == ([] if ended is None else [("alpha_101", -5, ended)])


def test_who_leaves_the_company_leaves_nothing_open(pbx: Pbx) -> None:
    phone(pbx, 10, registered=False)
    rows = wrapped("alpha")
    pbx.board.configure("alpha", replace(rows, managers=rows.managers[1:]))
    later(pbx, 20)
    assert told(pbx, "unregistered") == [("alpha_101", 10, 10)]


def test_replaying_the_same_events_tells_the_same(pbx: Pbx) -> None:
    def run() -> list[object]:
        fresh = began(Pbx())
        phone(fresh, 1, registered=False)
        answered_call(fresh, "1.1", 5, until=20)
        later(fresh, 100)
        return list(fresh.facts["alpha"])

    assert run() == run()
    assert isinstance(pbx.board, Switchboard)
