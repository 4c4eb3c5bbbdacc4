"""Whose norm stands for whom: the nearest one that was set, told with where it came from."""

from __future__ import annotations

import pytest

from monitoring.domain.limits import Source
from monitoring.domain.metrics import METRICS
from monitoring.domain.statistics import Scope
from monitoring.models import Norm
from monitoring.selectors.norms import norm_book, norms_for
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(alpha: Company) -> Staff:
    return make_staff("alpha")


def norm(scope: str, number: int, warning: float | None) -> None:
    Norm.objects.create(metric="waiting", scope=scope, scope_id=number, warning=warning, alarm=None)


def queue(staff: Staff) -> Scope:
    return Scope("queue", str(staff.queue.pk))


def test_without_rows_the_usual_limits_of_the_registry_stand(alpha: Company) -> None:
    with company_scope("alpha"):
        found = norms_for()
    usual = METRICS["waiting"].norm
    assert usual is not None
    assert (found["waiting"].warning, found["waiting"].alarm) == (usual.warn, usual.alarm)
    assert found["waiting"].source == Source("usual")
    assert "talking" not in found, "of neither more nor less of it is bad"


def test_a_norm_is_inherited_from_the_nearest_that_has_one(staff: Staff) -> None:
    with company_scope("alpha"):
        norm("company", 0, 10)
        assert norms_for(queue(staff))["waiting"].source == Source("company")
        norm("group", staff.sales.pk, 8)
        found = norms_for(queue(staff))["waiting"]
        assert (found.warning, found.source) == (8, Source("group", str(staff.sales.pk)))
        norm("queue", staff.queue.pk, 6)
        found = norms_for(queue(staff))["waiting"]
        assert (found.warning, found.source) == (6, Source("queue", str(staff.queue.pk)))
        norm("profile", 77, 4)
        found = norms_for(queue(staff), profile=77)["waiting"]
        assert (found.warning, found.source) == (4, Source("profile", "77"))
        assert norms_for(queue(staff), profile=78)["waiting"].warning == 6
        assert norms_for()["waiting"].warning == 10


def test_a_queue_of_two_groups_takes_neither_groups_norm(staff: Staff) -> None:
    with company_scope("alpha"):
        staff.queue.groups.add(staff.support)
        norm("group", staff.sales.pk, 8)
        assert norms_for(queue(staff))["waiting"].source == Source("usual")
        assert norms_for(Scope("group", str(staff.sales.pk)))["waiting"].warning == 8
        assert norms_for(Scope("manager", str(staff.anna.pk)))["waiting"].warning == 8
        assert norms_for(Scope("manager", str(staff.boris.pk)))["waiting"].source == Source("usual")


def test_a_limit_that_was_emptied_is_never_reached_and_is_no_gap_to_inherit_through(staff: Staff) -> None:
    with company_scope("alpha"):
        norm("company", 0, 10)
        norm("queue", staff.queue.pk, None)
        found = norms_for(queue(staff))["waiting"]
    assert (found.warning, found.alarm, found.grade(10_000)) == (None, None, "none")


def test_another_companys_norms_are_nobodys_here(staff: Staff, beta: Company) -> None:
    with company_scope("beta"):
        norm("company", 0, 1)
        norm("queue", staff.queue.pk, 1)
    with company_scope("alpha"):
        assert norms_for(queue(staff))["waiting"].source == Source("usual")


def test_a_number_that_is_none_has_the_companys_norms(staff: Staff) -> None:
    with company_scope("alpha"):
        norm("company", 0, 10)
        book = norm_book()
        for scope in (Scope("queue", "x"), Scope("queue", ""), Scope("line", "7"), Scope("group", "999")):
            assert book.of(scope)["waiting"].warning == 10
