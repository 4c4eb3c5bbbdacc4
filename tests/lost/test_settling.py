"""Which callers are lost, which calls belong together and what ended them: the same in whatever order facts come."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F

from monitoring.domain.facts import CallFact, Fact, StepFact, VisitFact
from monitoring.models import LostCall
from monitoring.models.phones import customer_of
from monitoring.services import ingest
from monitoring.services import lost as service
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_manager, make_staff
from tests.factories.told import NOON, call, leg, visit

pytestmark = pytest.mark.django_db

PEOPLE = ("+79160000001", "89160000002", "+7 (916) 000-00-03", "")
HOUR = 3600.0
QUEUED = (StepFact("queue", "alpha_sales", NOON, NOON + 30),)


@pytest.fixture
def staff(alpha: Company, beta: Company) -> dict[str, Staff]:
    return {slug: make_staff(slug) for slug in ("alpha", "beta")}


def lost(
    key: str, at: float, number: str, *, wait: float = 30.0, who: str = "", later: float = 0.0
) -> list[Fact]:
    """A caller who gave up in alpha's queue after ``wait`` seconds; ``who`` was rung in vain; told ``later``."""
    fact = call(
        key, started=at, number=number, disposition="abandoned", talk=wait - 2,
        legs=(leg(who, rang=at, talk=None),) if who else (), revision=at + wait + later, steps=QUEUED,
    )._replace(answered=None)  # fmt: skip
    return [fact, visit(key, "alpha_sales", outcome="abandoned", joined=at, wait=wait)]


def spoken(key: str, at: float, number: str, *, direction: str = "in") -> list[Fact]:
    return [
        call(
            key,
            started=at,
            number=number,
            direction=direction,
            talk=60,
            legs=(leg("alpha_101", rang=at),),
            revision=at + 62,
            steps=QUEUED,
        )
    ]


def rows() -> list[tuple[Any, ...]]:
    """Everything that follows from the facts; the owner is dealt out by who has least at that moment."""
    return sorted(
        LostCall.objects.values_list(
            "call_key", "case_key", "tries", "customer", "number", "line", "queue__name", "groups", "lost_at",
            "deadline", "excuse", "state", "closed_at", "closing_call__key", "in_time",
        )
    )  # fmt: skip


def case(key: str) -> LostCall:
    return LostCall.objects.select_related("owner", "closing_call").get(call_key=key)


def test_a_lost_caller_is_somebodys_and_due_by_a_deadline(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        ingest.store("1", lost("1:1", NOON, "+79160000001", who="alpha_101"))
        row = case("1:1")
        assert (row.state, row.tries, row.owner, row.queue) == (
            "open",
            1,
            staff["alpha"].anna,
            staff["alpha"].queue,
        )
        assert row.customer == "79160000001"
        assert row.groups == [staff["alpha"].sales.pk]
        # Sunday: thirty minutes of work end on Monday at 9:30 in Moscow.
        assert row.deadline == datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    with company_scope("beta"):
        assert not LostCall.objects.exists()


def test_a_call_that_a_person_answered_is_not_lost(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        ingest.store("1", spoken("1:1", NOON, PEOPLE[0]))
        ingest.store("1", spoken("1:2", NOON, PEOPLE[0], direction="out"))
        internal = call("1:3", direction="internal", disposition="no_answer")._replace(answered=None)
        ingest.store("1", [internal])
        assert not LostCall.objects.exists()


@pytest.mark.parametrize(("direction", "state"), [("out", "called_back"), ("in", "answered_later")])
def test_a_later_answered_call_closes_it(staff: dict[str, Staff], direction: str, state: str) -> None:
    with company_scope("alpha"):
        ingest.store("1", lost("1:1", NOON, "+79160000001"))
        ingest.store("1", spoken("1:2", NOON + HOUR, "89160000001", direction=direction))
        row = case("1:1")
        assert (row.state, row.in_time, row.closing_call and row.closing_call.key) == (state, True, "1:2")
        assert row.closed_at is not None
        assert row.closed_at.timestamp() == pytest.approx(NOON + HOUR + 2)


def test_a_call_back_that_nobody_answers_closes_nothing(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        ingest.store("1", lost("1:1", NOON, PEOPLE[0]))
        rang = call("1:2", started=NOON + 60, number=PEOPLE[0], direction="out", disposition="no_answer")
        ingest.store("1", [rang._replace(answered=None)])
        assert case("1:1").state == "open"


def test_who_calls_again_joins_the_open_case(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        for place in range(3):
            ingest.store("1", lost(f"1:{place}", NOON + place * HOUR, PEOPLE[0]))
        assert [(row.case_key, row.tries) for row in LostCall.objects.order_by("lost_at")] == [
            ("1:0", 3), ("1:0", 0), ("1:0", 0),
        ]  # fmt: skip
        ingest.store("1", spoken("1:9", NOON + 5 * HOUR, PEOPLE[0], direction="out"))
        ingest.store("1", lost("1:10", NOON + 6 * HOUR, PEOPLE[0]))
        assert {row.state for row in LostCall.objects.filter(case_key="1:0")} == {"called_back"}
        assert (case("1:10").state, case("1:10").tries) == ("open", 1)


def test_who_hangs_up_at_once_or_hides_the_number_is_kept_but_needs_no_call(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        ingest.store("1", [*lost("1:1", NOON, PEOPLE[0], wait=4.0), *lost("1:2", NOON, "", wait=40.0)])
        found = {row.call_key: (row.state, row.excuse) for row in LostCall.objects.all()}
        assert found == {"1:1": ("not_needed", "short"), "1:2": ("not_needed", "withheld")}


def test_late_and_corrected_facts_change_the_outcome(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        ingest.store("1", lost("1:2", NOON + HOUR, PEOPLE[0]))
        ingest.store("1", lost("1:1", NOON, PEOPLE[0]))
        assert (case("1:1").tries, case("1:2").tries) == (2, 0)
        # The PBX's own records say that the first was answered after all.
        corrected = spoken("1:1", NOON, PEOPLE[0])[0]
        assert isinstance(corrected, CallFact)
        ingest.store("1", [corrected._replace(revision=NOON + 9000, reconciled=True)])
        assert [row.call_key for row in LostCall.objects.all()] == ["1:2"]
        assert (case("1:2").tries, case("1:2").state) == (1, "open")


def test_nobody_rung_means_the_one_with_fewest_open(staff: dict[str, Staff]) -> None:
    with company_scope("alpha"):
        carla = make_manager(staff["alpha"].pbx, "103", "Карла", staff["alpha"].sales)
        ingest.store("1", [fact for n in range(4) for fact in lost(f"1:{n}", NOON + n, f"+7916000000{n}")])
        owners = list(LostCall.objects.order_by("lost_at").values_list("owner_id", flat=True))
        assert sorted(owners) == sorted([staff["alpha"].anna.pk, carla.pk] * 2)


def facts_of(seed: int) -> list[Fact]:
    """A few days of four customers: lost, short, answered, called back, corrected afterwards."""
    dice = random.Random(seed)
    told: list[Fact] = []
    for number in range(dice.randint(2, 14)):
        at, who = NOON + dice.randint(0, 60) * HOUR / 2 + number / 7, dice.choice(PEOPLE)
        key = f"1:{number}"
        match dice.randrange(6):
            case 0 | 1 | 2:
                facts = lost(
                    key, at, who, wait=dice.choice((3.0, 8.0, 90.0)), who=dice.choice(("", "alpha_101"))
                )
            case 3:
                facts = spoken(key, at, who)
            case 4:
                facts = spoken(key, at, who, direction="out")
            case _:
                facts = lost(key, at, who, later=dice.choice((0.0, 900.0)))
                told += spoken(key, at, who)
        told.append(
            call(key, started=at, number=who, talk=None, revision=at, steps=QUEUED)._replace(answered=None)
        )
        told += facts
    return told


def batches(facts: Sequence[Fact], dice: random.Random) -> list[list[Fact]]:
    cuts = sorted({0, len(facts), *(dice.randrange(len(facts)) for _ in range(dice.randint(0, 6)))})
    return [list(facts[a:b]) for a, b in pairwise(cuts)]


@pytest.mark.parametrize("seed", range(25))
def test_any_order_of_the_same_facts_gives_the_same_rows(staff: dict[str, Staff], seed: int) -> None:
    told = facts_of(seed)
    found = []
    with company_scope("alpha"):
        for turn in range(3):
            dice = random.Random(seed * 10 + turn)
            facts = [*told, *dice.choices(told, k=3)] if turn else list(told)
            if turn:
                dice.shuffle(facts)
            before = transaction.savepoint()
            for batch in batches(facts, dice):
                ingest.store("1", batch)
            found.append(rows())
            assert not LostCall.objects.exclude(groups=F("call__groups")).exists()
            changed = xmins()
            service.rebuild(datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
            assert rows() == found[-1]
            assert xmins() == changed, "a second look writes nothing"
            transaction.savepoint_rollback(before)
    assert found[0] == found[1] == found[2]
    assert in_short(found[0]) == expected(told)


def xmins() -> list[Any]:
    """Where each row lies: another place means that it was written again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text FROM monitoring_lostcall ORDER BY id")
        return list(cursor.fetchall())


def in_short(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [(key, first, tries, excuse, state, closing) for
            key, first, tries, _c, _n, _l, _q, _g, _at, _d, excuse, state, _closed, closing, _t in found]  # fmt: skip


def expected(told: Sequence[Fact]) -> list[tuple[Any, ...]]:
    """The rules once more, said plainly, over the last word of every fact."""
    calls: dict[str, CallFact] = {}
    for fact in told:
        if isinstance(fact, CallFact):
            known = calls.get(fact.key)
            if known is None or (known.revision, known.ended is not None) <= (
                fact.revision,
                fact.ended is not None,
            ):
                calls[fact.key] = fact
    waits = {fact.call: fact.wait for fact in told if isinstance(fact, VisitFact)}
    found: list[tuple[Any, ...]] = []
    for customer in {customer_of(fact.number) for fact in calls.values()}:
        cases: dict[str, list[str]] = {}
        now: str | None = None
        ends: dict[str, CallFact] = {}
        theirs = [fact for fact in calls.values() if customer_of(fact.number) == customer]
        for fact in sorted(theirs, key=lambda call: call.answered or call.ended or 0):
            if fact.answered:
                if now:
                    ends[now], now = fact, None
            elif fact.ended:
                if not customer or waits[fact.key] < 5:
                    found.append(
                        (fact.key, fact.key, 1, "short" if customer else "withheld", "not_needed", None)
                    )
                    continue
                now = now or fact.key
                cases.setdefault(now, []).append(fact.key)
        for first, keys in cases.items():
            end = ends.get(first)
            state = "open" if end is None else "called_back" if end.direction == "out" else "answered_later"
            for key in keys:
                tries = len(keys) if key == first else 0
                found.append((key, first, tries, "", state, end.key if end else None))
    return sorted(found)
