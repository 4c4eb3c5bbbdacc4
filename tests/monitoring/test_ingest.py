"""Facts become the same rows however often, in whatever order and by however many writers they are told."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from django.db import connection, transaction

from monitoring.domain.facts import CallFact, Fact, ListenFact, StepFact
from monitoring.models import AuditEntry, Call, Leg, QueueVisit, Step
from monitoring.services import ingest
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.staff import make_staff
from tests.factories.told import NOON, call, leg, visit

STEPS = (
    StepFact("line", "78005553535", NOON, NOON + 1),
    StepFact("queue", "alpha_sales", NOON + 1, None, "1-й"),
)


def story(number: int) -> list[Fact]:
    """One call from its start to its end, as three facts and two of its visit."""
    key, at = f"1:{NOON + number:.3f}", NOON + number
    talk = leg("alpha_101", rang=at, queue="alpha_sales")
    return [
        call(key, revision=at, started=at, talk=None),
        visit(key, "alpha_sales", outcome="open", joined=at),
        call(key, revision=at + 2, started=at, talk=None, legs=(talk._replace(ended=None, talk=()),)),
        visit(key, "alpha_sales", joined=at, wait=2.0, manager="alpha_101"),
        call(key, revision=at + 32, started=at, legs=(talk,), steps=STEPS),
    ]


def table() -> list[Any]:
    """Everything ingest writes in the open scope, without row numbers."""
    calls = Call.objects.order_by("key").values(
        "key", "number", "started", "answered", "ended", "disposition", "revision", "merged_into"
    )
    legs = Leg.objects.order_by("call__key", "uniqueid").values(
        "call__key", "uniqueid", "manager_name", "answered", "ended", "talk", "talk_seconds", "hold_seconds"
    )
    steps = Step.objects.order_by("call__key", "position").values(
        "call__key", "kind", "what", "at", "until", "note"
    )
    visits = QueueVisit.objects.order_by("call_key", "joined").values(
        "uniqueid", "call_key", "queue_name", "left", "outcome", "wait", "manager_name"
    )
    return [list(rows) for rows in (calls, legs, steps, visits)]


def test_a_call_told_to_its_end_is_one_row_with_its_legs_and_route(alpha: Company) -> None:
    with company_scope("alpha"):
        for fact in story(0):
            ingest.store("1", [fact])
        row = Call.objects.get()
        assert (row.disposition, row.legs.get().talk_seconds) == ("answered", 30.0)
        assert [step.kind for step in row.steps.all()] == ["line", "queue"]
        assert row.started.timestamp() == pytest.approx(NOON, abs=1e-6)
        assert QueueVisit.objects.get().outcome == "answered"


def test_the_other_company_gets_no_row(alpha: Company, beta: Company) -> None:
    with company_scope("alpha"):
        ingest.store("1", story(0))
    with company_scope("beta"):
        assert table() == [[], [], [], []]
        ingest.store("1", story(0)[:1])
        assert Call.objects.get().ended is None
    with company_scope("alpha"):
        assert Call.objects.get().ended is not None


def test_telling_it_twice_changes_nothing(alpha: Company) -> None:
    facts = [fact for number in range(20) for fact in story(number)]
    with company_scope("alpha"):
        ingest.store("1", facts)
        first = table()
        ingest.store("1", facts)
        assert table() == first


@pytest.mark.parametrize("seed", range(12))
def test_any_order_and_any_batches_give_the_same_rows(alpha: Company, seed: int) -> None:
    facts = [fact for number in range(6) for fact in story(number)]
    with company_scope("alpha"):
        with transaction.atomic():
            ingest.store("1", facts)
            expected = table()
            transaction.set_rollback(True)
        chance = random.Random(seed)
        shuffled = facts + chance.sample(facts, 10)
        chance.shuffle(shuffled)
        while shuffled:
            size = chance.randint(1, 7)
            ingest.store("1", shuffled[:size])
            shuffled = shuffled[size:]
        assert table() == expected


def test_an_earlier_revision_never_overwrites_a_later_one(alpha: Company) -> None:
    early, late = story(0)[0], story(0)[-1]
    with company_scope("alpha"):
        ingest.store("1", [late])
        told = table()
        ingest.store("1", [early])
        assert table() == told


def test_a_later_revision_replaces_legs_and_steps(alpha: Company) -> None:
    with company_scope("alpha"):
        ingest.store("1", [call("1:a", revision=5, legs=(leg("alpha_101"), leg("alpha_102")), steps=STEPS)])
        ingest.store("1", [call("1:a", revision=6, legs=(leg("alpha_103"),), steps=STEPS[:1])])
        assert [row.manager_name for row in Leg.objects.all()] == ["alpha_103"]
        assert Step.objects.count() == 1


def test_a_merged_call_points_to_the_survivor(alpha: Company) -> None:
    merged = call("1:b", revision=9, disposition="merged", merged_into="1:a")
    with company_scope("alpha"):
        ingest.store("1", [call("1:a"), merged])
        assert Call.objects.get(key="1:b").merged_into == "1:a"


def test_legs_and_visits_find_their_people_and_queues(alpha: Company, beta: Company) -> None:
    staff = make_staff("alpha")
    make_staff("beta")
    with company_scope("alpha"):
        ingest.store("1", [*story(0), call("1:x", legs=(leg("stranger_9"),))])
        assert Leg.objects.get(manager_name="alpha_101").manager_id == staff.anna.pk
        assert Leg.objects.get(manager_name="stranger_9").manager_id is None
        assert QueueVisit.objects.get().queue_id == staff.queue.pk


def test_a_hostile_caller_is_stored_harmlessly(alpha: Company) -> None:
    evil = "\x00\r\nAction: Originate\u202e<script>" + "Ж" * 10_000 + "\udfff"
    with company_scope("alpha"):
        ingest.store("1", [call("1:a", name=evil, number=evil, legs=(leg("alpha_101"),))])
        row = Call.objects.get()
    assert len(row.name) == 120
    assert row.name.startswith("Action: Originate<script>ЖЖ")
    assert row.number.isprintable()


def test_a_hostile_step_breaks_no_copy(alpha: Company) -> None:
    step = StepFact("ivr", "1\t\\N\\.\n", NOON, None, "\\")
    with company_scope("alpha"):
        ingest.store("1", [call("1:a", steps=(step,))])
        stored = Step.objects.get()
    assert (stored.what, stored.note) == ("1\\N\\.", "\\")


def test_listening_is_in_the_audit_once_with_its_end(alpha: Company) -> None:
    begun = ListenFact("1:a", "alpha_900", "alpha_101", "listen", NOON, None)
    with company_scope("alpha"):
        for fact in (begun, begun._replace(until=NOON + 60, mode="whisper"), begun):
            ingest.store("1", [fact])
        entry = AuditEntry.objects.get()
        assert (entry.who, entry.verb, entry.details["mode"]) == ("alpha_900", "listen", "whisper")
        assert entry.until is not None


def test_what_the_pbx_no_longer_has_is_closed_as_interrupted(alpha: Company, beta: Company) -> None:
    facts = [
        call("1:gone", talk=None, legs=(leg("alpha_101")._replace(ended=None),)),
        call("1:alive", talk=None),
        call("1:done"),
        visit("1:gone", "alpha_sales", outcome="open"),
        call("1:new", talk=None, started=NOON + 500),
    ]
    for slug in ("alpha", "beta"):
        with company_scope(slug):
            ingest.store("1", facts)
            ingest.store("2", [call("2:other", talk=None)])
    with company_scope("alpha"):
        assert ingest.close_interrupted("1", NOON + 100, alive=["1:alive"]) == 1
        gone = Call.objects.get(key="1:gone")
        assert (gone.disposition, gone.reconciled) == ("interrupted", True)
        assert gone.legs.get().outcome == "interrupted"
        seen = QueueVisit.objects.get()
        assert (seen.outcome, seen.wait) == ("interrupted", pytest.approx(100))
        assert set(Call.objects.filter(ended=None).values_list("key", flat=True)) == {
            "1:alive",
            "1:new",
            "2:other",
        }
        assert Call.objects.get(key="1:done").disposition == "answered"
    with company_scope("beta"):
        assert Call.objects.filter(ended=None).count() == 4


def test_the_real_end_told_late_beats_interrupted(alpha: Company) -> None:
    with company_scope("alpha"):
        ingest.store("1", [call("1:a", talk=None, revision=2), visit("1:a", "alpha_sales", outcome="open")])
        ingest.close_interrupted("1", NOON + 100)
        ingest.store("1", [call("1:a", revision=3), visit("1:a", "alpha_sales", outcome="abandoned", wait=7)])
        assert Call.objects.get().disposition == "answered"
        assert (QueueVisit.objects.get().outcome, QueueVisit.objects.get().wait) == ("abandoned", 7)


@pytest.mark.django_db(transaction=True)
def test_eight_writers_of_the_same_facts_write_the_same_rows() -> None:
    facts = [fact for number in range(60) for fact in story(number)]
    errors: list[BaseException] = []

    def write(seed: int) -> None:
        chance = random.Random(seed)
        mine: list[Fact] = facts.copy()
        chance.shuffle(mine)
        try:
            for start in range(0, len(mine), 40):
                with company_scope("alpha"):
                    ingest.store("1", mine[start : start + 40])
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert errors == []
    with company_scope("alpha"):
        calls, legs, steps, visits = table()
        assert [len(rows) for rows in (calls, legs, steps, visits)] == [60, 60, 120, 60]
        assert {row["disposition"] for row in calls} == {"answered"}
        assert {row["outcome"] for row in visits} == {"answered"}


def test_one_batch_may_tell_one_call_many_times(alpha: Company) -> None:
    told: list[CallFact] = [call("1:a", revision=revision) for revision in (3, 1, 2)]
    with company_scope("alpha"):
        ingest.store("1", told)
        assert Call.objects.get().revision == 3
