"""A number rings in one place, whatever two companies on one PBX type, archive and bring back.

Were it otherwise, one company could take another's calls, or leave the PBX they share without a plan it can load.
"""

from __future__ import annotations

import pytest
from django.test import Client

from monitoring.models import Line, Manager, Queue
from monitoring.services import directory, people
from monitoring.services.directory import StillNeeded
from tenants.models import Company, Pbx
from tenants.people.roles import Verb
from tenants.scope import company_scope
from tests.factories.people import signed_in_staff
from tests.factories.staff import Staff, make_staff

pytestmark = pytest.mark.django_db
NUMBER = "74951230001"


@pytest.fixture
def alphas() -> Staff:
    return make_staff("alpha")


@pytest.fixture
def betas() -> Staff:
    return make_staff("beta")


def shared(alphas: Staff, betas: Staff) -> None:
    """Both companies on alpha's PBX, beta with nothing of its own left."""
    alphas.pbx.companies.add(Company.objects.get(schema_name="beta"))
    betas.pbx.companies.clear()


def line(staff: Staff, slug: str, number: str, **more: object) -> Line:
    with company_scope(slug):
        return Line.objects.create(number=number, title="Городской", pbx=staff.pbx, queue=staff.queue, **more)


def typed(slug: str, staff: Staff, number: str) -> tuple[int, str]:
    """What an admin is told who enters this number as a line."""
    browser = Client(headers={"host": f"{slug}.localhost"})
    with company_scope(slug):
        browser.force_login(staff.admin, backend="tenants.people.backend.EmailBackend")
    form = {"number": number, "title": "Чужой", "kind": "virtual", "trunk": "trunk", "queue": staff.queue.pk}
    answer = browser.post("/manage/lines/new/", form)
    return answer.status_code, answer.text


def lines_of(slug: str) -> list[str]:
    with company_scope(slug):
        return sorted(Line.objects.live().values_list("number", flat=True))


@pytest.mark.parametrize("spelled", [NUMBER, f"+{NUMBER}"])
def test_a_company_cannot_take_the_number_of_another_on_the_same_pbx(
    alphas: Staff, betas: Staff, spelled: str
) -> None:
    shared(alphas, betas)
    line(alphas, "alpha", NUMBER)
    status, text = typed("beta", betas, spelled)
    assert status == 422
    assert "alpha" not in text
    assert "Альфа" not in text
    assert (lines_of("alpha"), lines_of("beta")) == ([NUMBER], [])


def test_on_pbxs_of_their_own_both_may_have_it(alphas: Staff, betas: Staff) -> None:
    line(alphas, "alpha", NUMBER)
    assert typed("beta", betas, NUMBER)[0] == 302
    assert lines_of("beta") == [NUMBER]


def test_with_and_without_a_plus_is_one_number(alphas: Staff) -> None:
    line(alphas, "alpha", NUMBER)
    assert typed("alpha", alphas, f"+{NUMBER}")[0] == 422
    assert lines_of("alpha") == [NUMBER]


def test_an_archived_line_does_not_come_back_to_a_number_another_company_has_now(
    alphas: Staff, betas: Staff
) -> None:
    shared(alphas, betas)
    old = line(alphas, "alpha", NUMBER)
    with company_scope("alpha"):
        directory.archive(actor=alphas.admin, verb=Verb.EDIT_LINES, row=old)
    assert typed("beta", betas, NUMBER)[0] == 302
    with company_scope("alpha"), pytest.raises(StillNeeded):
        directory.restore(actor=alphas.admin, verb=Verb.EDIT_LINES, row=Line.objects.get(pk=old.pk))
    assert lines_of("alpha") == []


def test_a_person_does_not_come_back_to_a_number_a_queue_has_now(alphas: Staff) -> None:
    assert alphas.anna.user is not None
    with company_scope("alpha"):
        people.archive(actor=alphas.admin, user=alphas.anna.user)
        Queue.objects.filter(pk=alphas.queue.pk).update(extension="101")
        with pytest.raises(StillNeeded):
            people.restore(actor=alphas.admin, user=alphas.anna.user)
        alphas.anna.user.refresh_from_db()
        assert not alphas.anna.user.is_active
        assert not Manager.objects.live().filter(extension="101").exists()


def test_a_queue_does_not_come_back_to_a_number_a_manager_has_now(alphas: Staff) -> None:
    with company_scope("alpha"):
        directory.archive(actor=alphas.admin, verb=Verb.EDIT_QUEUES, row=alphas.queue)
        Manager.objects.filter(pk=alphas.anna.pk).update(extension="801")
        with pytest.raises(StillNeeded):
            directory.restore(actor=alphas.admin, verb=Verb.EDIT_QUEUES, row=alphas.queue)
        assert not Queue.objects.live().filter(pk=alphas.queue.pk).exists()


def joined(pbx: Pbx, *slugs: str) -> str:
    """What the platform's staff is told who puts these companies on the PBX; "" when it is done."""
    client, _staff = signed_in_staff()
    form = {
        "name": pbx.name, "host": pbx.host, "port": pbx.port, "username": pbx.username, "new_secret": "s",
        "companies": [Company.objects.get(schema_name=slug).pk for slug in slugs], "enabled": "on",
    }  # fmt: skip
    answer = client.post(f"/admin/tenants/pbx/{pbx.pk}/change/", form)
    return "" if answer.status_code == 302 else answer.text


def on(pbx: Pbx) -> list[str]:
    return sorted(pbx.companies.values_list("schema_name", flat=True))


def test_a_company_that_comes_back_to_a_pbx_does_not_bring_anothers_number(
    alphas: Staff, betas: Staff
) -> None:
    shared(alphas, betas)
    line(alphas, "alpha", NUMBER)
    betas = betas._replace(pbx=alphas.pbx)
    assert joined(alphas.pbx, "beta") == ""
    brought = f"+{NUMBER}"
    line(betas, "beta", brought)
    before = Pbx.objects.get(pk=alphas.pbx.pk)
    told = joined(alphas.pbx, "alpha", "beta")
    assert "74951230001" in told
    assert Company.objects.get(schema_name="alpha").name in told
    assert on(alphas.pbx) == ["beta"]
    assert Pbx.objects.get(pk=alphas.pbx.pk).secret == before.secret
    with company_scope("beta"):
        directory.archive(actor=betas.admin, verb=Verb.EDIT_LINES, row=Line.objects.get(number=brought))
    assert joined(alphas.pbx, "alpha", "beta") == ""
    assert on(alphas.pbx) == ["alpha", "beta"]


def test_lines_on_other_pbxs_do_not_keep_companies_apart(alphas: Staff, betas: Staff) -> None:
    line(alphas, "alpha", NUMBER)
    line(betas, "beta", NUMBER)
    assert joined(alphas.pbx, "alpha", "beta") == ""
    assert on(alphas.pbx) == ["alpha", "beta"]
