"""Background work knows its company by its first argument and by nothing else."""

from __future__ import annotations

import pytest
from celery import shared_task

from tenants.models import Company
from tenants.people.models import Role, User
from tenants.scope import NoCompany, UnknownCompany, current_company, current_company_or_none
from tenants.services import close_company
from tenants.tasks import TenantTask, fan_out, for_every_company

pytestmark = pytest.mark.django_db

seen: list[str] = []


@shared_task(base=TenantTask, name="tests.note")
def note(company: str, word: str) -> str:
    User.objects.create_user(f"{word}@task.example", role=Role.MANAGER)
    seen.append(f"{company}:{current_company()}:{word}:{User.objects.count()}")
    return current_company()


@pytest.fixture(autouse=True)
def _nothing_seen_yet() -> None:
    seen.clear()


def test_a_task_runs_in_the_scope_of_its_first_argument(alpha: Company, beta: Company) -> None:
    assert note.delay("alpha", "a").result == "alpha"
    assert note.delay(company="beta", word="b").result == "beta"
    assert seen == ["alpha:alpha:a:1", "beta:beta:b:1"]
    assert current_company_or_none() is None


def test_a_task_for_public_or_for_nobody_is_refused_before_it_is_queued_and_when_it_runs(
    alpha: Company,
) -> None:
    with pytest.raises(NoCompany):
        note.delay("public", "x")
    with pytest.raises(NoCompany):
        note("public", "x")
    with pytest.raises(UnknownCompany):
        note.delay("", "x")
    with pytest.raises(UnknownCompany):
        note.delay("gamma", "x")
    with pytest.raises((TypeError, UnknownCompany)):
        note.delay()
    assert seen == []
    assert not User.objects.exists()


def test_fan_out_reaches_every_open_company_once(alpha: Company, beta: Company) -> None:
    assert fan_out(note, "a") == ["alpha", "beta"]
    close_company(company=beta)
    assert for_every_company("tests.note", "b") == ["alpha"]
    assert seen == ["alpha:alpha:a:1", "beta:beta:a:1", "alpha:alpha:b:2"]


def test_a_task_that_is_no_companys_is_not_fanned_out() -> None:
    with pytest.raises(TypeError, match="no task of a company"):
        for_every_company("tenants.make_company", 1)
