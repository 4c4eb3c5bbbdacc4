"""Windows in which nobody listened are filled from the PBX's own call log; what was heard whole stays as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring.domain.facts import CallFact, VisitFact
from monitoring.models.calls import Call, Leg, QueueVisit
from monitoring.models.quality import BlindWindow, Correction
from monitoring.services import ingest
from monitoring.services.reconcile import reconcile
from monitoring.tasks.reconcile import reconcile_where_needed
from tenants.models import Company, Pbx
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_manager, make_staff
from tests.monitoring import call_log

pytestmark = pytest.mark.django_db

State = BlindWindow.State


@pytest.fixture
def staff(alpha: Company, beta: Company) -> Staff:
    made, other = make_staff("alpha"), make_staff("beta")
    Pbx.objects.filter(pk=made.pbx.pk).update(managed=True)
    made.pbx.companies.add(beta)
    Pbx.objects.filter(pk=other.pbx.pk).update(enabled=False)
    with company_scope("alpha"):
        for extension in range(103, 109):
            make_manager(made.pbx, str(extension), f"№ {extension}", made.support)
    return made


def key_of(staff: Staff) -> str:
    return str(staff.pbx.pk)


def span(name: str) -> tuple[float, float]:
    log = call_log.rows(name)
    return log[0].at, log[-1].at


def blind(staff: Staff, begin: float, end: float | None, **more: Any) -> BlindWindow:
    return BlindWindow.objects.create(
        pbx=key_of(staff), began=_moment(begin), ended=_moment(end) if end else None,
        cause="unwatched", state=State.WAITING if end else State.OPEN, **more,
    )  # fmt: skip


def later(end: float, seconds: float = 60) -> datetime:
    return _moment(end) + timedelta(seconds=seconds)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def shown() -> list[Any]:
    """What reports count of every stored call, times as numbers of seconds."""
    return [
        [
            call.key, call.direction, call.number, call.line, call.disposition, call.hung_up_by, call.merged_into,
            call.talk_seconds, call.wait_seconds, _legs(call), _visits(call), [step.kind for step in call.steps.all()],
        ]
        for call in Call.objects.order_by("key")
    ]  # fmt: skip


def _legs(call: Call) -> list[Any]:
    return [
        [leg.manager_name, leg.queue_name, leg.outcome, leg.available, leg.talk_seconds, leg.hold_seconds]
        for leg in call.legs.order_by("uniqueid")
    ]


def _visits(call: Call) -> list[Any]:
    return [
        [visit.queue_name, visit.outcome, visit.reason, visit.manager_name, visit.wait]
        for visit in QueueVisit.objects.filter(call_key=call.key).order_by("joined")
    ]


def alike(one: Any, other: Any) -> bool:
    """Equal but for the few milliseconds by which two accounts of a moment differ."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 0.05
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)


def whole_calls() -> list[Any]:
    return [row for row in shown() if row[6] == ""]


@pytest.mark.parametrize(
    "name",
    ["queue_answered", "queue_abandoned", "queue_timeout", "ringall_many_legs", "blind_refer_queue", "attended_keys",
     "attended_replaces", "pickup_queue", "outgoing_answered", "internal_answered", "hold", "local_member"],
)  # fmt: skip
def test_calls_nobody_heard_are_there_as_if_they_had_been_heard(staff: Staff, name: str) -> None:
    begin, end = span(name)
    call_log.write(key_of(staff), call_log.rows(name))
    with company_scope("alpha"):
        ingest.store(key_of(staff), call_log.facts_of(call_log.heard(name), key_of(staff)))
        wanted = whole_calls()
        Call.objects.all().delete()
        QueueVisit.objects.all().delete()
        window = blind(staff, begin - 1, end + 1)
        reconcile("alpha", now=later(end))
        assert alike(whole_calls(), wanted), (whole_calls(), wanted)
        window.refresh_from_db()
        assert (window.state, window.found, window.added, window.corrected) == (State.RECONCILED, 1, 1, 0)
        assert Call.objects.filter(merged_into="", reconciled=False).count() == 0
        assert Correction.objects.get().kind == Correction.Kind.ADDED


def test_what_a_collector_that_came_late_made_of_a_call_is_corrected(staff: Staff) -> None:
    begin, end = span("queue_answered")
    call_log.write(key_of(staff), call_log.rows("queue_answered"))
    heard = call_log.facts_of(call_log.heard("queue_answered"), key_of(staff))
    (call,) = (fact for fact in heard if isinstance(fact, CallFact))
    with company_scope("alpha"):
        ingest.store(key_of(staff), heard)
        wanted = shown()
        Call.objects.all().delete()
        QueueVisit.objects.all().delete()
        assert call.legs[0].answered is not None
        late = call.legs[0]._replace(talk=((end - 1.0, end),), answered=end - 1.0)
        visit = next(fact for fact in heard if isinstance(fact, VisitFact))
        ingest.store(
            key_of(staff),
            [call._replace(legs=(late,), steps=call.steps[:2], reconciled=True),
             visit._replace(joined=visit.joined - 0.8, wait=9.9, outcome="interrupted")],
        )  # fmt: skip
        QueueVisit.objects.update(groups=[77])
        window = blind(staff, begin - 1, end - 1)
        reconcile("alpha", now=later(end))
        assert alike(shown(), wanted), (shown(), wanted)
        window.refresh_from_db()
        assert (window.state, window.found, window.added, window.corrected) == (State.RECONCILED, 1, 0, 1)
        changes = Correction.objects.get().changes
        assert {"talk", "queues", "route"} <= changes.keys()
        assert changes["queues"][0][0][1] == "interrupted"
        assert QueueVisit.objects.get().groups == [77], "the past stays with the group it happened in"


def test_a_call_heard_from_beginning_to_end_is_left_as_it_was_heard(staff: Staff) -> None:
    _, end = span("queue_answered")
    call_log.write(key_of(staff), call_log.rows("queue_answered"))
    with company_scope("alpha"):
        ingest.store(key_of(staff), call_log.facts_of(call_log.heard("queue_answered"), key_of(staff)))
        Leg.objects.update(talk_seconds=1.25)
        before = shown()
        window = blind(staff, end + 2, end + 4)
        reconcile("alpha", now=later(end))
        assert shown() == before
        window.refresh_from_db()
        assert (window.state, window.found, window.corrected) == (State.RECONCILED, 1, 0)


def test_filling_a_window_twice_leaves_the_same_rows(staff: Staff) -> None:
    begin, end = span("ringall_many_legs")
    call_log.write(key_of(staff), call_log.rows("ringall_many_legs"))
    with company_scope("alpha"):
        window = blind(staff, begin - 1, end + 1)
        reconcile("alpha", now=later(end))
        once = shown(), list(Correction.objects.values_list("pk", "kind"))
        BlindWindow.objects.update(state=State.WAITING)
        reconcile("alpha", now=later(end))
        assert (shown(), list(Correction.objects.values_list("pk", "kind"))) == once
        window.refresh_from_db()
        assert (window.added, window.corrected) == (1, 0)


def test_each_company_is_filled_with_its_own_calls_only(staff: Staff) -> None:
    begin, end = span("two_companies")
    call_log.write(key_of(staff), call_log.rows("two_companies"))
    stored: dict[str, set[str]] = {}
    for company in ("alpha", "beta"):
        with company_scope(company):
            blind(staff, begin - 1, end + 1)
    with company_scope("alpha"):
        reconcile("alpha", now=later(end))
        stored["alpha"] = set(Call.objects.values_list("key", flat=True))
    with company_scope("beta"):
        assert not Call.objects.exists()
        assert BlindWindow.objects.get().state == State.WAITING
        reconcile("beta", now=later(end))
        stored["beta"] = set(Call.objects.values_list("key", flat=True))
    assert stored["alpha"]
    assert stored["beta"]
    assert not stored["alpha"] & stored["beta"]


def test_a_call_that_lasts_keeps_its_window_waiting_until_it_has_ended(staff: Staff) -> None:
    begin, end = span("queue_answered")
    log = call_log.rows("queue_answered")
    cut = next(place for place, row in enumerate(log) if row.kind == "BRIDGE_EXIT")
    call_log.write(key_of(staff), log[:cut])
    with company_scope("alpha"):
        window = blind(staff, begin - 1, begin + 1)
        reconcile("alpha", now=later(begin))
        window.refresh_from_db()
        assert (window.state, window.details["pending"]) == (State.WAITING, 1)
        assert not Call.objects.exists()
    call_log.write(key_of(staff), log[cut:])
    with company_scope("alpha"):
        reconcile("alpha", now=later(end))
        window.refresh_from_db()
        assert (window.state, window.added, Call.objects.count()) == (State.RECONCILED, 1, 1)


def test_a_call_the_log_does_not_know_to_its_end_is_said_to_be_missing(staff: Staff) -> None:
    begin, end = span("queue_answered")
    call_log.write(key_of(staff), call_log.rows("queue_answered")[:6])
    with company_scope("alpha"):
        ingest.store(key_of(staff), call_log.facts_of(call_log.heard("queue_answered"), key_of(staff)))
        before = shown()
        window = blind(staff, begin + 1, begin + 2)
        reconcile("alpha", now=later(end, 120))
        window.refresh_from_db()
        assert (window.state, window.details["reason"]) == (State.UNFILLED, "incomplete")
        assert shown() == before


def test_a_part_of_a_call_that_a_late_collector_took_for_a_call_is_absorbed(staff: Staff) -> None:
    begin, end = span("outgoing_answered")
    log = call_log.rows("outgoing_answered")
    call_log.write(key_of(staff), log)
    second = next(row.uniqueid for row in log if row.uniqueid != log[0].uniqueid)
    part = CallFact(
        f"{key_of(staff)}:{second}",
        "in",
        "7916",
        "",
        "",
        begin + 1,
        None,
        end,
        "abandoned",
        "",
        (),
        (),
        None,
        end,
        True,
    )
    with company_scope("alpha"):
        ingest.store(key_of(staff), [part])
        blind(staff, begin - 1, end + 1)
        reconcile("alpha", now=later(end))
        whole = f"{key_of(staff)}:{log[0].uniqueid}"
        assert dict(Call.objects.values_list("key", "merged_into")) == {whole: "", part.key: whole}


def test_calls_cut_by_a_restart_within_the_window_end_as_interrupted(staff: Staff) -> None:
    begin, _ = span("queue_answered")
    log = call_log.rows("queue_answered")
    cut = next(place for place, row in enumerate(log) if row.kind == "BRIDGE_EXIT")
    call_log.write(key_of(staff), log[:cut])
    boot = log[cut - 1].at + 5
    with company_scope("alpha"):
        window = blind(staff, begin - 1, boot + 2, booted=_moment(boot))
        reconcile("alpha", now=later(boot))
        window.refresh_from_db()
        call = Call.objects.get()
        assert (window.state, call.disposition) == (State.RECONCILED, "interrupted")
        assert call.ended is not None
        assert call.ended <= _moment(boot)


def test_what_cannot_be_filled_is_said_with_its_reason(staff: Staff) -> None:
    begin, end = span("queue_answered")
    with company_scope("alpha"):
        window = blind(staff, begin, end)
        reconcile("alpha", now=later(end))
        window.refresh_from_db()
        assert (window.state, window.details) == (State.UNFILLED, {"reason": "no_records"})
    Pbx.objects.filter(pk=staff.pbx.pk).update(managed=False)
    call_log.write(key_of(staff), call_log.rows("queue_answered"))
    with company_scope("alpha"):
        BlindWindow.objects.update(state=State.WAITING)
        reconcile("alpha", now=later(end))
        window.refresh_from_db()
        assert (window.state, window.details) == (State.UNFILLED, {"reason": "external"})
        assert not Call.objects.exists()


def test_a_window_is_left_in_peace_until_the_collectors_last_facts_have_arrived(staff: Staff) -> None:
    begin, end = span("queue_answered")
    call_log.write(key_of(staff), call_log.rows("queue_answered"))
    with company_scope("alpha"):
        blind(staff, begin, end)
        assert reconcile("alpha", now=later(end, 2)) == []
        assert not Call.objects.exists()


def test_a_pbx_that_was_taken_away_is_not_blind_for_ever(staff: Staff) -> None:
    begin, _ = span("queue_answered")
    with company_scope("alpha"):
        window = blind(staff, begin, None)
        reconcile("alpha", now=later(begin))
        window.refresh_from_db()
        assert window.state == State.OPEN
    Pbx.objects.filter(pk=staff.pbx.pk).update(enabled=False)
    with company_scope("alpha"):
        reconcile("alpha", now=later(begin))
        window.refresh_from_db()
        assert (window.state, window.ended, window.details) == (
            State.UNFILLED,
            later(begin),
            {"reason": "gone"},
        )


def test_only_companies_with_an_unsettled_window_are_given_work(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "monitoring.tasks.reconcile.reconcile.apply_async", lambda args, **_: asked.append(args[0])
    )
    with company_scope("beta"):
        blind(staff, 1_795_000_000.0, 1_795_000_010.0)
    assert reconcile_where_needed() == asked == ["beta"]
