"""The demo's companies: complete, seeded once, and rendered to the PBX as the portal's rows say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth import authenticate
from django.test import RequestFactory
from django.utils import timezone

from ccenter.demo import seed
from ccenter.lab import sample
from ccenter.lab.plan import PbxPlan
from monitoring.models import Group, Line, Manager, Queue, StatusInterval, Supervisor
from tenants.models import Company, Pbx
from tenants.people.models import Role, User
from tenants.scope import company_scope

AMI = seed.AmiAddress(host="127.0.0.1", port=5999, username="ccenter", secret="portal-secret")
pytestmark = pytest.mark.django_db


@pytest.fixture
def seeded(monkeypatch: pytest.MonkeyPatch) -> Pbx:
    """The demo's rows in the companies the tests have: making two more would take seconds each time."""
    named = [
        replace(company, plan=replace(company.plan, slug=slug))
        for slug, company in zip(("alpha", "beta"), seed.COMPANIES, strict=True)
    ]
    monkeypatch.setattr(seed, "COMPANIES", tuple(named))
    return seed.seed(ami=AMI)


def census() -> list[dict[str, int]]:
    counts = []
    for slug in ("alpha", "beta"):
        with company_scope(slug):
            models = (User, Group, Manager, Supervisor, Queue, Line, StatusInterval)
            counts.append({model.__name__: model.objects.count() for model in models})
    return counts


def test_two_companies_with_their_people(seeded: Pbx) -> None:
    alpha, beta = census()
    assert (alpha["Group"], alpha["Manager"], alpha["Supervisor"], alpha["Queue"]) == (3, 24, 3, 3)
    assert (beta["Group"], beta["Manager"], beta["Queue"]) == (1, 6, 1)


def test_seeding_twice_changes_nothing_a_visitor_edited(seeded: Pbx) -> None:
    before = census()
    with company_scope("alpha"):
        Queue.objects.filter(name="sales").update(title="Отдел продаж")
        Manager.objects.get(pbx_name="alpha_102").groups.clear()
    moved = seed.seed(
        ami=seed.AmiAddress(host="127.0.0.1", port=6000, username="ccenter", secret="s2", simulated=True)
    )
    assert census() == before
    assert (moved.pk, moved.port, moved.secret, moved.simulated) == (seeded.pk, 6000, "s2", True)
    with company_scope("alpha"):
        assert Queue.objects.get(name="sales").title == "Отдел продаж"
        assert not Manager.objects.get(pbx_name="alpha_102").groups.exists()


def test_every_printed_sign_in_works_on_its_own_host_only(seeded: Pbx) -> None:
    rows = seed.sign_ins()
    assert {row["role"] for row in rows} == {"staff", "admin", "supervisor", "manager"}
    for row in rows:
        slug = row["host"].partition(".")[0]
        request = RequestFactory().post("/account/login/")
        if not row["company"]:
            assert authenticate(request, username=row["email"], password=row["password"])
            continue
        with company_scope(slug):
            person = authenticate(request, username=row["email"], password=row["password"])
            assert isinstance(person, User)
            assert person.role == Role(row["role"])
        with company_scope("beta" if slug == "alpha" else "alpha"):
            assert not User.objects.filter(email=row["email"]).exists()


def shape(plan: PbxPlan) -> list[object]:
    """A plan without what the portal decides by itself: secrets, key numbers of menus, limits."""
    return [
        (
            company.slug,
            [(m.name, m.title, m.extension, bool(m.contact)) for m in company.managers],
            [
                (q.name, q.extension, tuple(sorted(q.members)), q.strategy, q.via_local, q.max_wait)
                for q in company.queues
            ],
            sorted((line.number, line.target, line.leads_to) for line in company.lines),
        )
        for company in plan.companies
    ]


def the_labs_own(port: int) -> PbxPlan:
    plan = sample.plan(phones_port=port)
    named = [replace(c, slug=slug) for slug, c in zip(("alpha", "beta"), plan.companies, strict=True)]
    return replace(plan, companies=tuple(named))


def test_the_portals_rows_render_to_the_labs_own_plan(seeded: Pbx) -> None:
    registering = ("alpha_123", "alpha_124", "beta_106")
    plan = seed.lab_plan(phones_port=5070, registering=registering)
    assert shape(plan) == shape(the_labs_own(5070))
    assert {account.name for account in plan.accounts} == {"ccenter", "full"}
    secrets = [manager.secret for company in plan.companies for manager in company.managers]
    assert len(set(secrets)) == len(secrets)


def test_a_queues_wrap_up_reaches_the_pbx_of_its_company_alone(seeded: Pbx) -> None:
    with company_scope("beta"):
        edited = Queue.objects.live()[0]
        Queue.objects.filter(pk=edited.pk).update(wrap_up=25)
    plan = seed.lab_plan(phones_port=5070)
    told = {company.queue_key(q.name): q.wrap_up for company in plan.companies for q in company.queues}
    assert {key for key, seconds in told.items() if seconds} == {edited.pbx_name}
    assert told[edited.pbx_name] == 25


def test_what_is_archived_is_not_on_the_pbx(seeded: Pbx) -> None:
    with company_scope("beta"):
        gone = Manager.objects.get(pbx_name="beta_101")
        gone.archived_at = timezone.now()
        gone.save()
    beta = seed.lab_plan(phones_port=5070).company("beta")
    assert "101" not in {manager.name for manager in beta.managers}
    assert all("101" not in queue.members for queue in beta.queues)


def test_companies_that_are_not_there_are_made() -> None:
    said: list[str] = []
    seed.seed(ami=AMI, say=said.append)
    assert set(Company.objects.values_list("schema_name", flat=True)) >= {"romashka", "vektor"}
    with company_scope("romashka"):
        assert Manager.objects.count() == 24
    with company_scope("alpha"):
        assert not Manager.objects.exists()
    assert any("romashka" in line for line in said)
