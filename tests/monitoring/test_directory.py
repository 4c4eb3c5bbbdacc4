"""What a collector learns from the database: who is who, and how the day stands."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from monitoring.domain.directory import Directory, Standing, StandingAuto
from monitoring.domain.facts import AutoFact, CallFact, LegFact, VisitFact
from monitoring.models import Line, Queue, Status
from monitoring.selectors import board_rights
from monitoring.selectors.directory import load
from monitoring.services import ingest, statuses
from tenants.models import Company, Pbx
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_manager, make_staff
from tests.factories.told import call, leg, visit

QUERIES = 26  # thirteen, and each sets the search path first


@pytest.fixture
def staff(db: None) -> Staff:
    make_staff("beta")
    return make_staff("alpha")


def known(slug: str) -> tuple[Directory, Standing]:
    with company_scope(slug):
        return load(slug)


def test_the_directory_names_everything_as_the_pbx_does(staff: Staff) -> None:
    with company_scope("alpha"):
        line = Line.objects.create(number="74950000001", title="Главный", pbx=staff.pbx, queue=staff.queue)
        line.groups.add(staff.sales)
    directory, _ = known("alpha")
    assert (directory.company, directory.time_zone) == ("alpha", "Europe/Moscow")
    assert [(m.key, m.interfaces, m.groups) for m in directory.managers] == [
        ("alpha_101", ("PJSIP/alpha_101",), (staff.sales.pk,)),
        ("alpha_102", ("PJSIP/alpha_102",), (staff.support.pk,)),
    ]
    assert [(q.key, q.groups, q.answer_within, q.short_abandon) for q in directory.queues] == [
        ("alpha_sales", (staff.sales.pk,), 20.0, 5.0)
    ]
    assert [(entry.number, entry.groups) for entry in directory.lines] == [("74950000001", (staff.sales.pk,))]
    assert directory.trunks == {"trunk"}
    assert {status.kind for status in directory.statuses} == {"available", "break", "away"}


def test_nothing_of_another_company_is_in_it(staff: Staff) -> None:
    alpha, beta = known("alpha")[0], known("beta")[0]
    assert not {m.key for m in alpha.managers} & {m.key for m in beta.managers}
    assert all(manager.key.startswith("alpha_") for manager in alpha.managers)


def test_what_is_archived_is_not_in_it(staff: Staff) -> None:
    with company_scope("alpha"):
        for row in (staff.boris, staff.sales, staff.queue):
            row.archived_at = timezone.now()
            row.save()
    directory, _ = known("alpha")
    assert [(m.key, m.groups) for m in directory.managers] == [("alpha_101", ())]
    assert [group.title for group in directory.groups] == ["Поддержка"]
    assert directory.queues == ()


def test_the_number_of_queries_does_not_grow_with_the_company(
    staff: Staff, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with company_scope("alpha"):
        for extension in range(200, 240):
            make_manager(staff.pbx, str(extension), f"Менеджер {extension}", staff.sales, staff.support)
        ingest.store("1", [call(f"1:{n}", legs=(leg("alpha_101"),)) for n in range(50)])
        with django_assert_max_num_queries(QUERIES):
            load("alpha")


def test_the_day_so_far_is_restored_in_raw_counts(staff: Staff) -> None:
    now = timezone.now().timestamp()
    with company_scope("alpha"):
        ingest.store("1", today(now))
        _, standing = load("alpha")
    assert standing.queues["alpha_sales"] == {
        "offered": 5, "answered": 2, "answered_within": 1, "abandoned": 2, "short_abandoned": 1, "flow_out": 1,
        "wait_answered": 40.0,
    }  # fmt: skip
    assert standing.managers["alpha_101"] == {
        "answered": 1, "missed": 1, "outgoing": 1, "talk_in": 30.0, "talk_out": 12.0, "hold": 0.0,
    }  # fmt: skip
    assert known("beta")[1].queues == {}


def today(now: float) -> list[CallFact | VisitFact]:
    """Five settled visits, one open, one of the day before yesterday; one call each of in, missed, out,
    merged."""

    def ended(manager: str, talk: float | None) -> tuple[LegFact, ...]:
        return (leg(manager, rang=now, talk=talk),)

    def placed(manager: str, talk: float) -> tuple[LegFact, ...]:
        return (leg(manager, rang=now, talk=talk)._replace(origin=True),)

    return [
        visit("1:a", "alpha_sales", joined=now - 60, wait=10.0),
        visit("1:b", "alpha_sales", joined=now - 60, wait=30.0),
        visit("1:c", "alpha_sales", joined=now - 60, wait=3.0, outcome="abandoned"),
        visit("1:d", "alpha_sales", joined=now - 60, wait=33.0, outcome="abandoned"),
        visit("1:e", "alpha_sales", joined=now - 60, wait=50.0, outcome="flow-out"),
        visit("1:f", "alpha_sales", joined=now, outcome="open"),
        visit("1:g", "alpha_sales", joined=now - 2 * 86_400, wait=10.0),
        call("1:a", started=now, legs=ended("alpha_101", 30.0)),
        call("1:b", started=now, legs=ended("alpha_101", None)),
        call("1:m", started=now, legs=placed("alpha_101", 12.0), direction="out"),
        call("1:k", started=now, legs=ended("alpha_102", 5.0), direction="internal"),
        call("1:i", started=now, legs=ended("alpha_101", 99.0), disposition="merged", merged_into="1:a"),
        call("1:j", started=now - 2 * 86_400, legs=(leg("alpha_101", rang=now - 2 * 86_400),)),
    ]


def test_the_day_is_the_companys_own(staff: Staff) -> None:
    Company.objects.filter(schema_name="alpha").update(time_zone="Pacific/Kiritimati")
    Company.objects.filter(schema_name="beta").update(time_zone="Pacific/Pago_Pago")
    days = [known(slug)[1].day for slug in ("alpha", "beta")]
    assert days[0] != days[1]


def test_standing_statuses_are_restored_whatever_day_they_began(staff: Staff) -> None:
    with company_scope("alpha"):
        days_ago = float(int(timezone.now().timestamp()) - 5 * 86_400)
        statuses.from_phone(manager="alpha_101", paused=True, reason="Обед", at=days_ago)
        lunch = Status.objects.get(label="Обед")
    assert known("alpha")[1].statuses == {"alpha_101": (lunch.pk, days_ago)}
    assert known("beta")[1].statuses == {}


def test_whose_calls_and_people_somebody_may_see(staff: Staff) -> None:
    with company_scope("alpha"):
        assert board_rights(staff.admin) is None
        assert board_rights(staff.supervisor) == {staff.sales.pk}
        assert staff.anna.user is not None
        assert board_rights(staff.anna.user) == frozenset()
        staff.admin.is_active = False
        assert board_rights(staff.admin) == frozenset()


def test_each_of_a_companys_pbxs_tells_of_its_own_people_and_queues(
    db: None,
) -> None:
    """Told by both, a phone on the second was shown as the first knows it: not registered, never in a call."""
    staff = make_staff("alpha")
    make_staff("beta")
    second = Pbx.objects.create(name="Вторая АТС", host="127.0.0.1", username="x")
    second.companies.add(Company.objects.get(schema_name="alpha"))
    with company_scope("alpha"):
        make_manager(second, "201", "Вера", staff.sales)
        first_knows, _ = load("alpha", str(staff.pbx.pk))
        second_knows, _ = load("alpha", str(second.pk))
        whole, _ = load("alpha")
    assert [manager.key for manager in first_knows.managers] == ["alpha_101", "alpha_102"]
    assert [queue.key for queue in first_knows.queues] == ["alpha_sales"]
    assert [manager.key for manager in second_knows.managers] == ["alpha_201"]
    assert second_knows.queues == ()
    assert len(whole.managers) == 3


def test_a_queue_archived_today_does_not_come_back_by_its_counts(db: None) -> None:
    staff = make_staff("alpha")
    now = timezone.now().timestamp()
    with company_scope("alpha"):
        ingest.store(str(staff.pbx.pk), [visit("1:1.1", "alpha_sales", joined=now - 60)])
        assert load("alpha")[1].queues["alpha_sales"]["answered"] == 1
        Queue.objects.filter(pk=staff.queue.pk).update(archived_at=timezone.now())
        assert "alpha_sales" not in load("alpha")[1].queues


def test_what_stood_by_itself_is_restored_with_the_queue_of_its_call(staff: Staff) -> None:
    talk = leg("alpha_101", queue="alpha_sales")
    assert talk.ended is not None
    with company_scope("alpha"):
        ingest.store("1", [
            call("1:a", legs=(talk,)),
            AutoFact("alpha_101", "wrap_up", talk.ended, None, "1:a"),
            AutoFact("alpha_101", "unregistered", talk.ended, talk.ended + 5),
            AutoFact("alpha_102", "missing_calls", talk.ended, None),
        ])  # fmt: skip
    assert known("alpha")[1].automatic == {
        "alpha_101": {"wrap_up": StandingAuto(talk.ended, "1:a", "alpha_sales")},
        "alpha_102": {"missing_calls": StandingAuto(talk.ended)},
    }
    assert known("beta")[1].automatic == {}
