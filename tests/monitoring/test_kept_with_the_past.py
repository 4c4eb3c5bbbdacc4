"""What a fact belonged to when it was first told stays with it: groups, people, lines; sums follow their parts."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import transaction

from monitoring.domain.facts import AutoFact, Fact, StepFact
from monitoring.models import AutoInterval, Call, Group, Leg, Line, Manager, QueueVisit
from monitoring.services import ingest
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_manager, make_staff
from tests.factories.told import NOON, call, leg, visit

LINE = "78005553535"  # as tests.factories.told says
QUEUED = (StepFact("line", LINE, NOON, NOON), StepFact("queue", "alpha_sales", NOON, None))


@pytest.fixture
def staff(alpha: Company, beta: Company) -> Staff:
    """Alpha's, with a line whose calls a third group sees; beta has the same names, and none of these rows."""
    made = make_staff("alpha")
    make_staff("beta")
    with company_scope("alpha"):
        watch = Group.objects.create(title="Линия")
        Line.objects.create(number=LINE, title="8-800", pbx=made.pbx).groups.add(watch)
    return made


def watching() -> int:
    return Group.objects.get(title="Линия").pk


def table() -> list[Any]:
    calls = Call.objects.order_by("key").values(
        "key", "groups", "wait_seconds", "talk_seconds", "merged_into", "revision"
    )
    legs = Leg.objects.order_by("call__key", "manager_name").values(
        "call__key", "manager_name", "manager_id", "groups", "wrap_up_seconds", "booked"
    )
    visits = QueueVisit.objects.order_by("uniqueid", "joined").values(
        "uniqueid", "call_key", "queue_id", "groups", "line", "wait"
    )
    autos = AutoInterval.objects.order_by("manager", "kind", "started").values(
        "manager_id", "kind", "started", "ended", "groups", "call_key"
    )
    return [list(rows) for rows in (calls, legs, visits, autos)]


def story() -> list[Fact]:
    """A call that waits, is missed by one, answered by another; a consultation it absorbs; the wrap-up after it."""
    missed = leg("alpha_101", talk=None, queue="alpha_sales")
    talk = leg("alpha_102", rang=NOON + 15, queue="alpha_sales")
    assert talk.ended is not None
    return [
        call("1:a", talk=None, revision=NOON),
        visit("1:a", "alpha_sales", outcome="open"),
        call("1:a", talk=None, revision=NOON + 17, legs=(missed, talk._replace(ended=None)), steps=QUEUED),
        visit("1:a", "alpha_sales", wait=17.0, manager="alpha_102"),
        call("1:b", talk=None, revision=NOON + 20, legs=(leg("alpha_101"),), direction="out"),
        visit("1:b", "alpha_sales", outcome="flow-out", wait=3.0, joined=NOON + 1),
        call("1:b", revision=NOON + 25, disposition="merged", merged_into="1:a"),
        call("1:a", revision=NOON + 60, talk=60.0, legs=(missed, talk), steps=QUEUED),
        AutoFact("alpha_102", "wrap_up", talk.ended, None, "1:a"),
        AutoFact("alpha_102", "wrap_up", talk.ended, talk.ended + 20, "1:a"),
        AutoFact("alpha_101", "missing_calls", NOON + 15, None),
    ]


def test_a_call_belongs_to_its_people_its_queues_and_its_line(staff: Staff) -> None:
    with company_scope("alpha"):
        ingest.store("1", story())
        row = Call.objects.get(key="1:a")
        assert row.groups == sorted([staff.sales.pk, staff.support.pk, watching()])
        assert (row.wait_seconds, row.talk_seconds) == (20.0, 30.0)
        assert Leg.objects.get(manager=staff.boris).groups == [staff.support.pk]
        assert {(v.call_key, v.line, tuple(v.groups)) for v in QueueVisit.objects.all()} == {
            ("1:a", LINE, (staff.sales.pk,))
        }
    with company_scope("beta"):
        assert table() == [[], [], [], []]


def test_an_absorbed_call_is_nobodys_any_more(staff: Staff) -> None:
    with company_scope("alpha"):
        ingest.store("1", story())
        row = Call.objects.get(key="1:b")
        assert (row.groups, row.wait_seconds, row.talk_seconds) == ([], 0.0, 0.0)


def test_a_handling_is_booked_when_its_wrap_up_ends(staff: Staff) -> None:
    with company_scope("alpha"):
        ingest.store("1", story())
        row = Leg.objects.get(manager=staff.boris)
        assert row.ended is not None
        assert row.booked is not None
        assert (row.wrap_up_seconds, (row.booked - row.ended).total_seconds()) == (20.0, 20.0)
        missed = Leg.objects.get(manager=staff.anna)
        assert (missed.wrap_up_seconds, missed.booked) == (0.0, missed.ended)


@pytest.mark.parametrize("seed", range(40))
def test_any_order_and_any_batches_keep_the_same(staff: Staff, seed: int) -> None:
    facts = story()
    with company_scope("alpha"):
        with transaction.atomic():
            for fact in facts:
                ingest.store("1", [fact])
            expected = table()
            transaction.set_rollback(True)
        assert [len(rows) for rows in expected] == [2, 2, 2, 2]
        chance = random.Random(seed)
        shuffled = facts + chance.sample(facts, 5)
        chance.shuffle(shuffled)
        while shuffled:
            size = chance.randint(1, 5)
            ingest.store("1", shuffled[:size])
            shuffled = shuffled[size:]
        assert table() == expected


def test_the_past_stays_where_it_happened_when_people_and_queues_move(staff: Staff) -> None:
    with company_scope("alpha"):
        for fact in story():
            ingest.store("1", [fact])
        before = table()
        staff.anna.groups.set([staff.support])
        staff.boris.groups.set([staff.sales])
        staff.queue.groups.set([staff.support])
        Line.objects.get().groups.set([staff.sales])
        for fact in story():
            ingest.store("1", [fact])
        ingest.store("1", story())
        assert table() == before
        ingest.store("1", [call("1:new", legs=(leg("alpha_101"),))])
        assert Call.objects.get(key="1:new").groups == sorted([staff.support.pk, staff.sales.pk])


def test_who_comes_later_is_added(staff: Staff) -> None:
    with company_scope("alpha"):
        ingest.store("1", [call("1:a", revision=1, legs=(leg("alpha_101"),))])
        ingest.store("1", [call("1:a", revision=2, legs=(leg("alpha_101"), leg("alpha_102")))])
        assert Call.objects.get().groups == sorted([staff.sales.pk, staff.support.pk, watching()])


def test_a_name_given_to_the_next_person_leaves_the_legs_with_the_first(staff: Staff) -> None:
    with company_scope("alpha"):
        ingest.store("1", [call("1:a", revision=1, legs=(leg("alpha_101"),))])
        Manager.objects.filter(pk=staff.anna.pk).update(archived_at="2026-11-22T12:00:00Z")
        heir = make_manager(staff.pbx, "1010", "Вера", staff.support)
        Manager.objects.filter(pk=heir.pk).update(pbx_name="alpha_101", extension="101")
        ingest.store("1", [call("1:a", revision=2, legs=(leg("alpha_101"),))])
        assert Leg.objects.get().manager_id == staff.anna.pk
        ingest.store("1", [call("1:b", revision=2, legs=(leg("alpha_101"),))])
        assert Leg.objects.get(call__key="1:b").manager_id == heir.pk


def test_an_archived_group_takes_nothing_new(staff: Staff) -> None:
    with company_scope("alpha"):
        Group.objects.filter(pk=staff.sales.pk).update(archived_at="2026-11-22T12:00:00Z")
        ingest.store("1", [call("1:a", legs=(leg("alpha_101"),)), visit("1:a", "alpha_sales")])
        assert Call.objects.get().groups == [watching()]


def test_what_was_interrupted_waited_too(staff: Staff) -> None:
    with company_scope("alpha"):
        ingest.store("1", [call("1:a", talk=None), visit("1:a", "alpha_sales", outcome="open")])
        ingest.close_interrupted("1", NOON + 100)
        assert Call.objects.get().wait_seconds == pytest.approx(100)


def test_the_automatic_status_of_somebody_archived_meanwhile_still_ends(staff: Staff) -> None:
    begun = AutoFact("alpha_101", "unregistered", NOON, None)
    with company_scope("alpha"):
        ingest.store("1", [begun, AutoFact("nobody_9", "unregistered", NOON, None)])
        Manager.objects.filter(pk=staff.anna.pk).update(archived_at="2026-11-22T12:00:00Z")
        ingest.store("1", [begun._replace(ended=NOON + 5)])
        row = AutoInterval.objects.get()
        assert row.ended is not None
        assert row.ended.timestamp() == pytest.approx(NOON + 5)


def test_one_that_nobody_ended_lasts_until_the_next_of_its_kind(staff: Staff) -> None:
    told = [
        AutoFact("alpha_101", "unregistered", NOON, None),
        AutoFact("alpha_101", "unregistered", NOON + 50, None),
    ]
    with company_scope("alpha"):
        for fact in told:
            ingest.store("1", [fact])
        first, second = AutoInterval.objects.order_by("started")
        assert (first.ended, second.ended) == (second.started, None)
        ingest.store("1", [told[0]._replace(ended=NOON + 10)])
        first.refresh_from_db()
        assert first.ended is not None
        assert first.ended.timestamp() == pytest.approx(NOON + 10)
