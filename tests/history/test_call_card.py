"""The call card: clocks apart, everybody's part, what was not seen, who listened, and whose card stays closed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring.models import AuditEntry, BlindWindow, Leg, Step
from monitoring.selectors.call_card import card, timeline
from monitoring.selectors.journal import Reach
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff
from tests.history.past import TODAY, make_call
from tests.history.test_journal import signed_in


@pytest.fixture
def alpha_staff(db: None) -> Staff:
    return make_staff("alpha")


@pytest.fixture
def beta_staff(db: None) -> Staff:
    return make_staff("beta")


def test_whose_card_opens_to_whom(alpha_staff: Staff, beta_staff: Staff) -> None:
    with company_scope("alpha"):
        call = make_call("a", groups=[alpha_staff.sales.pk], manager=alpha_staff.anna)
    where = f"/calls/{call.pk}/"
    for user, status in (
        (alpha_staff.admin, 200), (alpha_staff.supervisor, 200), (alpha_staff.anna.user, 200),
        (alpha_staff.boris.user, 404),
    ):  # fmt: skip
        assert signed_in("alpha", user).get(where).status_code == status
    for user in (beta_staff.admin, beta_staff.supervisor, beta_staff.anna.user):
        assert signed_in("beta", user).get(where).status_code == 404


def test_clocks_are_apart_and_two_phones_ringing_ring_once(alpha_staff: Staff) -> None:
    anna, boris = alpha_staff.anna, alpha_staff.boris
    with company_scope("alpha"):
        call = make_call("a", wait=20, talk=60, manager=anna, queue=alpha_staff.queue)
        Step.objects.filter(call=call).delete()
        at = call.started
        spans = [
            ("ivr", "main", 0, 5, "1"), ("queue", alpha_staff.queue.pbx_name, 5, 25, "answered"),
            ("ring", anna.pbx_name, 6, 25, "answered"), ("ring", boris.pbx_name, 10, 20, "cancelled"),
            ("talk", anna.pbx_name, 25, 85, ""),
        ]  # fmt: skip
        for place, (kind, what, begin, end, note) in enumerate(spans):
            Step.objects.create(
                call=call, position=place, kind=kind, what=what, note=note,
                at=at + timedelta(seconds=begin), until=at + timedelta(seconds=end),
            )  # fmt: skip
        Leg.objects.filter(call=call).update(wrap_up_seconds=7)
        made = card(call, Reach(None))
    clocks = made.clocks
    assert (clocks.ivr, clocks.wait, clocks.ring, clocks.talk, clocks.hold, clocks.wrap_up) == (
        5,
        20,
        19,
        60,
        0,
        7,
    )
    assert [stop.what for stop in made.stops] == ["", "Продажи", "Анна", "Борис", "Анна"]
    picture = timeline(made)
    assert picture["wraps"][0]["who"] == "Анна"
    assert picture["steps"][1]["title"] == "Продажи"


def test_the_card_says_what_was_not_seen_and_who_listened(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        call = make_call("a", manager=alpha_staff.anna, queue=alpha_staff.queue)
        BlindWindow.objects.create(
            pbx="1", began=TODAY - timedelta(minutes=1), ended=TODAY + timedelta(seconds=5), cause="down",
            state=BlindWindow.State.UNFILLED,
        )  # fmt: skip
        BlindWindow.objects.create(pbx="2", began=TODAY - timedelta(hours=1), cause="down")
        AuditEntry.objects.create(
            at=timezone.now(), who="Глава", verb="listen", kind="call", what=call.key, outcome="done",
            details={"mode": "whisper"},
        )  # fmt: skip
        AuditEntry.objects.create(
            at=timezone.now(), who="Посторонний", verb="listen", kind="call", what="other", outcome="done"
        )
        made = card(call, Reach(None))
    assert len(made.gaps) == 1
    page = signed_in("alpha", alpha_staff.admin).get(f"/calls/{call.pk}/").text
    assert "Глава" in page
    assert "Посторонний" not in page
    assert page.count('data-tone="warn"') >= 1


def test_a_customers_other_calls_are_those_the_asker_may_see(alpha_staff: Staff) -> None:
    sales, support = alpha_staff.sales.pk, alpha_staff.support.pk
    with company_scope("alpha"):
        call = make_call("a", number="8 (916) 111-22-33", groups=[sales])
        same = make_call("b", number="+79161112233", groups=[sales], started=TODAY - timedelta(days=1))
        theirs = make_call("c", number="79161112233", groups=[support], started=TODAY - timedelta(days=2))
        make_call("d", number="+79169999999", groups=[sales])
        assert [row.call for row in card(call, Reach(None)).others] == [same, theirs]
        assert [row.call for row in card(call, Reach(frozenset({sales}))).others] == [same]


def test_one_goes_on_to_the_next_call_of_the_same_question(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        old, call, new = (
            make_call(key, started=timezone.now() - timedelta(hours=hours), direction="out")
            for key, hours in (("old", 3), ("mid", 2), ("new", 1))
        )
        other = make_call("in", started=timezone.now() - timedelta(hours=2.5))
    page = signed_in("alpha", alpha_staff.admin).get(f"/calls/{call.pk}/?direction=out").text
    assert f"/calls/{old.pk}/?direction=out" in page
    assert f"/calls/{new.pk}/?direction=out" in page
    assert f"/calls/{other.pk}/?direction" not in page


def test_a_call_the_pbx_told_nonsense_of_still_has_a_card(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        call = make_call("odd", direction="sideways"[:8], disposition="what", number="", talk=0)
        call.ended = None
        call.hung_up_by = ""
        call.save()
        Step.objects.create(call=call, position=9, kind="strange", what="?", at=TODAY, until=None, note="x")
        Leg.objects.create(
            call=call, uniqueid="x", manager=None, manager_name="acme_gone", queue_name="", rang=TODAY,
            outcome="odd", available=False, talk=[["junk"], None, [1.0, None]], talk_seconds=0, hold_seconds=0,
        )  # fmt: skip
    page = signed_in("alpha", alpha_staff.admin).get(f"/calls/{call.pk}/")
    assert page.status_code == 200
    assert "acme_gone" in page.text
