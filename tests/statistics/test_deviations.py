"""Who and what stands out: exactly the one who was planted, against colleagues and against the own past."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation

from monitoring.domain.robust import OUTLIER, usual
from monitoring.domain.statistics import Question, Scope
from monitoring.models import Call, Group, Leg, Manager, QueueVisit
from monitoring.selectors.deviations import Deviation, deviations, sentence
from monitoring.services import rollups
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_manager, make_staff

FIRST = date(2026, 9, 7)  # a Monday
WEEKS = 9
LAST = FIRST + timedelta(days=7 * WEEKS - 1)
NOW = datetime(2026, 11, 10, tzinfo=UTC).timestamp()
ASKED = Question(Scope(), LAST - timedelta(days=6), LAST, "Europe/Moscow")


@dataclass
class Team:
    staff: Staff
    people: list[Manager]


Misses = Callable[[Manager, date], float]
Talks = Callable[[Manager, date], float]


def fill(
    team: Team,
    *,
    misses: Misses,
    talks: Talks = lambda who, day: 180.0,
    seed: int = 7,
    rush: date | None = None,
) -> None:
    """Nine weeks of working days: about six rings a person and day, of which ``misses`` says how many are missed."""
    luck = random.Random(seed)
    calls, legs, visits = list[Call](), list[Leg](), list[QueueVisit]()
    for number in range(7 * WEEKS):
        day = FIRST + timedelta(days=number)
        if day.isoweekday() > 5:
            continue
        for person in team.people:
            for _ring in range(luck.randint(5, 8)):
                at = datetime(
                    day.year, day.month, day.day, luck.randint(6, 14), luck.randint(0, 55), tzinfo=UTC
                )
                missed = luck.random() < misses(person, day)
                talk = 0.0 if missed else luck.gauss(talks(person, day), 25)
                _add(
                    team,
                    calls,
                    legs,
                    visits,
                    person,
                    at,
                    missed=missed,
                    talk=max(talk, 1.0 if not missed else 0.0),
                )
        if day == rush:
            for extra in range(40):
                at = datetime(day.year, day.month, day.day, 10, extra, tzinfo=UTC)
                _add(team, calls, legs, visits, None, at, missed=True, talk=0.0)
    Call.objects.bulk_create(calls)
    Leg.objects.bulk_create(legs)
    QueueVisit.objects.bulk_create(visits)
    rollups.build(now=NOW, seconds=120)


def _add(
    team: Team, calls: list[Call], legs: list[Leg], visits: list[QueueVisit], person: Manager | None, at: datetime,
    *, missed: bool, talk: float,
) -> None:  # fmt: skip
    sales, queue = team.staff.sales.pk, team.staff.queue
    end = at + timedelta(seconds=15 + talk)
    call = Call(
        key=f"1:{len(calls)}", pbx="1", direction="in", number="+74951234567", name="", line="78005550001",
        started=at, answered=None if missed else at, ended=end, disposition="no_answer" if missed else "answered",
        hung_up_by="customer", revision=1.0, groups=[sales],
    )  # fmt: skip
    calls.append(call)
    visits.append(
        QueueVisit(
            pbx="1", uniqueid=str(len(calls)), call_key=call.key, queue=queue, queue_name=queue.pbx_name, joined=at,
            left=end, outcome="abandoned" if missed else "answered", wait=15.0, position=1, answer_within=20,
            short_abandon=5, groups=[sales],
        )
    )  # fmt: skip
    if person is not None:
        spoke = [[end.timestamp() - talk, end.timestamp()]] if talk else []
        legs.append(
            Leg(
                call=call, uniqueid=f"{len(calls)}-2", manager=person, manager_name=person.pbx_name,
                queue_name=queue.pbx_name, rang=at, answered=None if missed else at, ended=end, booked=end,
                outcome="missed" if missed else "answered", available=True, talk=spoke, talk_seconds=talk,
                hold_seconds=0.0, groups=[sales],
            )
        )  # fmt: skip


@pytest.fixture
def team(alpha: Company, beta: Company) -> Iterator[Team]:
    make_staff("beta")
    staff = make_staff("alpha")
    with company_scope("alpha"):
        people = [staff.anna] + [
            make_manager(staff.pbx, str(110 + n), f"Сотрудник {n}", staff.sales) for n in range(7)
        ]
        yield Team(staff, people)


def who(found: tuple[Deviation, ...], metric: str) -> set[tuple[int | None, str]]:
    return {(one.manager, one.against) for one in found if one.metric.key == metric}


@pytest.mark.django_db
def test_who_regularly_misses_calls_although_available_stands_out_by_itself(team: Team) -> None:
    planted = team.people[3]
    fill(team, misses=lambda person, day: 0.45 if person == planted else 0.06)
    found = deviations(ASKED, now=NOW)
    assert {one.manager for one in found if one.manager is not None} == {planted.pk}
    first = found[0]
    assert (first.manager, first.metric.key, first.against) == (planted.pk, "missed_share", "peers")
    assert first.bad
    assert first.value > 0.25
    assert first.usual < 0.15
    assert first.calls
    legs = Leg.objects.filter(call__in=first.calls, manager=planted)
    assert {leg.outcome for leg in legs} == {"missed"}
    with translation.override("ru"):
        assert planted.title in sentence(first)
        assert "пропускает звонки при статусе «доступен»" in sentence(first)


@pytest.mark.django_db
def test_a_team_in_which_nobody_is_unusual_has_no_deviations(team: Team) -> None:
    for seed in range(3):
        Leg.objects.all().delete()
        Call.objects.all().delete()
        QueueVisit.objects.all().delete()
        fill(team, misses=lambda person, day: 0.08, seed=seed)
        rollups.mark([(NOW - 86_400.0 * day, NOW - 86_400.0 * (day - 1)) for day in range(1, 70)])
        rollups.build(now=NOW, seconds=120)
        assert deviations(ASKED, now=NOW) == ()


@pytest.mark.django_db
def test_who_changed_stands_out_against_the_own_past(team: Team) -> None:
    planted = team.people[2]
    fill(
        team, misses=lambda person, day: 0.05,
        talks=lambda person, day: 420.0 if person == planted and day >= ASKED.first else 180.0,
    )  # fmt: skip
    found = deviations(ASKED, now=NOW)
    assert who(found, "aht") <= {(planted.pk, "own"), (planted.pk, "peers")}
    [one] = [one for one in found if one.metric.key == "aht"]
    assert one.value > 2 * one.usual
    assert one.above
    assert one.calls


@pytest.mark.django_db
def test_an_hour_in_which_callers_were_lost_stands_out_with_its_calls(team: Team) -> None:
    day = ASKED.first + timedelta(days=1)
    fill(team, misses=lambda person, day: 0.05, rush=day)
    found = [one for one in deviations(ASKED, now=NOW) if one.against == "hours"]
    hour = datetime(day.year, day.month, day.day, 10, tzinfo=UTC).timestamp()
    assert {one.at for one in found} == {hour}
    assert {one.metric.key for one in found} >= {"offered", "abandonment"}
    lost = next(one for one in found if one.metric.key == "abandonment")
    outcomes = Call.objects.filter(pk__in=lost.calls).values_list("disposition", flat=True)
    assert lost.calls
    assert set(outcomes) == {"no_answer"}


@pytest.mark.django_db
def test_a_supervisor_of_another_group_is_told_nothing(team: Team) -> None:
    planted = team.people[3]
    fill(team, misses=lambda person, day: 0.45 if person == planted else 0.06)
    other = Group.objects.get(pk=team.staff.support.pk)
    asked = Question(Scope(), ASKED.first, ASKED.last, ASKED.zone, groups=frozenset({other.pk}))
    assert deviations(asked, now=NOW) == ()
    own = Question(Scope(), ASKED.first, ASKED.last, ASKED.zone, groups=frozenset({team.staff.sales.pk}))
    assert {one.manager for one in deviations(own, now=NOW)} == {planted.pk}


def test_a_yardstick_is_not_moved_by_what_it_judges() -> None:
    alike = usual([0.05] * 7, floor=0.03)
    assert (alike.middle, alike.scale) == (0.05, 0.03)
    assert usual([1, 2, 3, 4, 1000], floor=0.1).middle == 3
    assert usual([1, 2, 3, 4, 1000], floor=0.1).scale == pytest.approx(1.4826)


def test_few_cases_prove_little() -> None:
    assert usual([0.0] * 7, floor=0.03, share_of=4).z(0.25) < OUTLIER
    assert usual([0.0] * 7, floor=0.03, share_of=100).z(0.25) > OUTLIER
