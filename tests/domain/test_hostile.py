"""What a caller or a confused PBX may do to the board: play with keys, go round in circles, set the clock back."""

from __future__ import annotations

import pytest

from monitoring.domain import channels
from monitoring.domain import events as ev
from monitoring.domain.calls import MOST_STEPS
from monitoring.domain.facts import CallFact, VisitFact

from .told import T0, Pbx


@pytest.fixture
def pbx() -> Pbx:
    return Pbx()


def test_a_caller_who_plays_with_keys_for_an_hour_is_not_sent_again_with_each_of_them(pbx: Pbx) -> None:
    pbx.rings_in("1.1", 0)
    for number in range(2000):
        pbx.tell(ev.KeyPressed(T0 + 1 + number * 0.1, "1.1", "alpha", "12"[number % 2]))
    (call,) = pbx.calls().values()
    (menu,) = (step for step in call["steps"] if step["kind"] == "ivr")
    assert 0 < len(menu["note"]) <= 32


def test_a_caller_who_goes_round_in_circles_keeps_the_beginning_and_the_end_of_the_way(pbx: Pbx) -> None:
    pbx.rings_in("1.1", 0)
    for turn in range(1000):
        pbx.joins("1.1", 1 + turn, "alpha_sales")
        pbx.tell(ev.QueueLeft(T0 + 1.5 + turn, "1.1", "alpha", "alpha_sales"))
    (call,) = pbx.calls().values()
    assert len(call["steps"]) <= MOST_STEPS
    assert call["steps"][0]["kind"] == "line"
    assert call["steps"][-1]["at"] == T0 + 1000
    pbx.hangs_up("1.1", 1002)
    assert pbx.calls() == {}
    visits = [fact for fact in pbx.facts["alpha"] if isinstance(fact, VisitFact)]
    assert len(visits) == 1000, "every stay in the queue is still counted"
    assert pbx.queue("alpha_sales")["today"]["offered"] == 1000
    assert pbx.queue("alpha_sales")["waiting"] == 0


def test_a_clock_set_back_makes_nothing_last_less_than_no_time(pbx: Pbx) -> None:
    back = -3600.0
    pbx.rings_in("1.1", 0)
    pbx.joins("1.1", 1, "alpha_sales")
    pbx.rings_in("2.1", 2)
    pbx.joins("2.1", 3, "alpha_sales")
    pbx.rings("2.1", "2.2", 4, "alpha_101", "alpha_sales")
    pbx.answers("2.1", "2.2", 6, "alpha_101", "alpha_sales")
    pbx.tell(ev.QueueAbandoned(T0 + back + 9, "1.1", "alpha", "alpha_sales"))
    for uid in ("1.1", "2.2", "2.1"):
        pbx.hangs_up(uid, back + 20)
    assert pbx.calls() == {}
    for fact in pbx.facts["alpha"]:
        if isinstance(fact, VisitFact):
            assert fact.wait >= 0
            assert fact.left is None or fact.left >= fact.joined
        if isinstance(fact, CallFact):
            assert fact.ended is None or fact.ended >= fact.started
            spans = [(step.at, step.until) for step in fact.steps]
            spans += [(leg.answered or leg.rang, leg.ended) for leg in fact.legs]
            spans += [span for leg in fact.legs for span in (*leg.talk, *leg.hold)]
            assert all(until is None or until >= at for at, until in spans)


def test_names_that_begin_alike_are_two_companies() -> None:
    pbx = Pbx()
    pbx.rings_in("1.1", 0, company="alphab")
    pbx.tell(ev.DeviceChanged(T0, "PJSIP/alphab_101", "INUSE"))
    pbx.tell(ev.QueueJoined(T0, "9.9", "9.9", "", "PJSIP/alphab_101-00000001", "alphab_sales", 1, "", ""))
    assert pbx.calls("alpha") == {}
    assert pbx.facts["alpha"] == []


def test_a_pbx_that_tells_of_channels_without_end_is_not_believed_without_end(
    pbx: Pbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A company's own PBX may be anything; its collector's neighbours must live on."""
    monkeypatch.setattr(channels, "MOST_CHANNELS", 20)
    for number in range(50):
        pbx.rings_in(f"{number}.1", 0)
        pbx.tell(
            ev.ChannelState(
                T0 + 1, f"x{number}.1", f"x{number}.1", "alpha", "PJSIP/trunk-1", 6, "", "", "", ""
            )
        )
    rows = tuple(
        ev.SnapshotChannel(f"{n}.1", f"{n}.1", "alpha", "PJSIP/trunk-1", 4, "", "", "", "", "", "", "", 1.0)
        for n in range(50)
    )
    pbx.tell(ev.Snapshot(T0 + 2, rows, (), (), (), ()))
    assert len(pbx.calls()) == 20
    assert pbx.calls("beta") == {}
    pbx.rings_in("99.1", 3, company="beta")
    assert list(pbx.calls("beta")) == ["7:99.1"]
    pbx.hangs_up("0.1", 4)
    pbx.rings_in("200.1", 5)
    assert "7:200.1" in pbx.calls()
