"""The page of lost calls: whose each role sees, what each may do, and what a stranger gets."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.models import AuditEntry, LostCall, Policy
from monitoring.services import ingest
from tenants.models import Company
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tests.factories.people import signed_in
from tests.factories.staff import Staff, make_staff
from tests.factories.told import call, leg, visit

pytestmark = pytest.mark.django_db

NOW = timezone.now().timestamp()
HOSTILE = '<img src=x onerror=alert(1)>‮"'


class Scene(NamedTuple):
    """Alpha's people and cases: Anna's, nobody's of Sales, Boris's of Support."""

    staff: Staff
    annas: LostCall
    nobodys: LostCall
    borises: LostCall


def lose(key: str, *, who: str = "", queue: str = "", number: str, ago: float = 7200.0) -> LostCall:
    at = NOW - ago
    fact = call(key, started=at, number=number, name=HOSTILE, disposition="abandoned", talk=28,
                legs=(leg(who, rang=at, talk=None),) if who else ())._replace(answered=None)  # fmt: skip
    ingest.store(
        "1", [fact, *([visit(key, queue, outcome="abandoned", joined=at, wait=30)] if queue else [])]
    )
    return LostCall.objects.get(call_key=key)


@pytest.fixture
def scene(alpha: Company, beta: Company) -> Scene:
    staff = make_staff("alpha")
    make_staff("beta")
    with company_scope("alpha"):
        Policy.objects.create(work_days=[1, 2, 3, 4, 5, 6, 7], work_from="00:00", work_until="00:00")
        annas = lose("1:1", who="alpha_101", queue="alpha_sales", number="+79160000001")
        nobodys = lose("1:2", queue="alpha_sales", number="+79160000002")
        LostCall.objects.filter(pk=nobodys.pk).update(owner=None)
        borises = lose("1:3", who="alpha_102", number="+79160000003", ago=60.0)
    with company_scope("beta"):
        lose("1:9", who="beta_101", queue="beta_sales", number="+79169999999")
    return Scene(staff, annas, LostCall(pk=nobodys.pk), borises)


def as_user(user: User) -> Client:
    client = Client(headers={"host": "alpha.localhost"})
    with company_scope("alpha"):
        client.force_login(user, backend="tenants.people.backend.EmailBackend")
    return client


def sees(client: Client, show: str) -> set[str]:
    text = client.get(f"/lost/?show={show}").content.decode()
    assert "916 999" not in text, "a number of beta's"
    return {n for n in "123" if f"+7 916 000-00-0{n}" in text}


def test_each_sees_what_is_in_reach(scene: Scene) -> None:
    assert sees(as_user(scene.staff.admin), "open") == {"1", "2", "3"}
    assert sees(as_user(scene.staff.supervisor), "open") == {"1", "2"}
    anna = scene.staff.anna.user
    assert anna is not None
    assert sees(as_user(anna), "mine") == {"1"}
    assert sees(as_user(anna), "nobodys") == {"2"}
    assert sees(as_user(anna), "open") == {"1", "2"}
    assert sees(as_user(scene.staff.admin), "overdue") == {"1", "2"}


def test_what_a_caller_wrote_is_shown_as_text(scene: Scene) -> None:
    text = as_user(scene.staff.admin).get("/lost/").content.decode()
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text
    assert "‮" not in text


@pytest.mark.parametrize("do", ["take", "give", "close", "reopen", "note"])
def test_nobody_reaches_beyond_own_groups_or_company(scene: Scene, do: str) -> None:
    stranger, _user = signed_in("beta", Role.ADMIN)
    anna = scene.staff.anna.user
    assert anna is not None
    refused = [
        (as_user(scene.staff.supervisor), scene.borises),
        (as_user(anna), scene.borises),
        (stranger, scene.annas),
    ]
    for client, row in refused:
        asked = {"do": do, "reason": "spam", "note": "чужое", "owner": ""}
        assert client.post(f"/lost/{row.pk}/do/", asked).status_code == 404
        assert client.get(f"/lost/{row.pk}/").status_code == 404
    with company_scope("alpha"):
        assert set(LostCall.objects.values_list("state", "note")) == {("open", "")}
        assert LostCall.objects.get(pk=scene.borises.pk).owner == scene.staff.boris
        assert not AuditEntry.objects.filter(outcome="done").exists()


def test_a_manager_takes_what_nobody_has(scene: Scene) -> None:
    anna = scene.staff.anna.user
    assert anna is not None
    assert as_user(anna).post(f"/lost/{scene.nobodys.pk}/do/", {"do": "take"}).status_code == 302
    with company_scope("alpha"):
        assert LostCall.objects.get(pk=scene.nobodys.pk).owner == scene.staff.anna
        assert AuditEntry.objects.get(verb="lost.close").details == {"owner": scene.staff.anna.pk}


def test_a_supervisor_gives_to_own_people_only(scene: Scene) -> None:
    client = as_user(scene.staff.supervisor)
    where = f"/lost/{scene.nobodys.pk}/do/"
    assert client.post(where, {"do": "give", "owner": str(scene.staff.boris.pk)}).status_code == 404
    assert client.post(where, {"do": "give", "owner": str(scene.staff.anna.pk)}).status_code == 302
    with company_scope("alpha"):
        assert LostCall.objects.get(pk=scene.nobodys.pk).owner == scene.staff.anna


def test_closing_takes_a_reason_and_can_be_undone(scene: Scene) -> None:
    client = as_user(scene.staff.admin)
    where = f"/lost/{scene.annas.pk}/do/"
    client.post(where, {"do": "close"})
    with company_scope("alpha"):
        assert LostCall.objects.get(pk=scene.annas.pk).state == "open"
    answer = client.post(where, {"do": "close", "reason": "spam"}, headers={"hx-request": "true"})
    assert b'value="reopen"' in answer.content
    with company_scope("alpha"):
        row = LostCall.objects.get(pk=scene.annas.pk)
        assert (row.state, row.reason, row.closed_by, row.in_time) == (
            "closed",
            "spam",
            scene.staff.admin,
            False,
        )
    client.post(where, {"do": "reopen"})
    with company_scope("alpha"):
        row = LostCall.objects.get(pk=scene.annas.pk)
        assert (row.state, row.reason, row.closed_by, row.closed_at) == ("open", "", None, None)


def test_after_a_closing_by_hand_the_next_loss_is_a_new_case(scene: Scene) -> None:
    as_user(scene.staff.admin).post(f"/lost/{scene.annas.pk}/do/", {"do": "close", "reason": "other"})
    with company_scope("alpha"):
        later = NOW - timezone.now().timestamp() - 60.0  # a minute after the closing, however late the test runs
        again = lose("1:7", queue="alpha_sales", number="+79160000001", ago=later)
        assert (again.state, again.tries, again.case_key) == ("open", 1, "1:7")


@pytest.mark.parametrize("state", ["open", "closed", "called_back"])
def test_the_page_of_one_case_offers_what_can_be_done(scene: Scene, state: str) -> None:
    with company_scope("alpha"):
        LostCall.objects.filter(pk=scene.annas.pk).update(state=state, closed_at=timezone.now())
    text = as_user(scene.staff.supervisor).get(f"/lost/{scene.annas.pk}/").content.decode()
    asked = {do for do in ("give", "close", "reopen", "note") if f'name="do" value="{do}"' in text}
    assert (
        asked
        == {"open": {"give", "close", "note"}, "closed": {"reopen", "note"}, "called_back": {"note"}}[state]
    )
    assert f'action="/lost/{scene.annas.pk}/do/"' in text
    assert "Борис" not in text, "a person of another group"


def test_the_day_is_counted(scene: Scene) -> None:
    text = as_user(scene.staff.admin).get("/lost/?part=figures").content.decode()
    assert 'id="lost-figures"' in text
    assert "<html" not in text


def test_a_vain_call_back_is_counted(scene: Scene) -> None:
    with company_scope("alpha"):
        rang = call(
            "1:8", started=NOW - 30, number="+79160000001", direction="out", disposition="no_answer", talk=10
        )
        ingest.store("1", [rang._replace(answered=None)])
    assert "безуспешно: 1" in as_user(scene.staff.admin).get("/lost/").content.decode()


def test_a_call_card_tells_what_became_of_the_caller(scene: Scene) -> None:
    with company_scope("alpha"):
        pk = LostCall.objects.get(pk=scene.annas.pk).call_id
    text = as_user(scene.staff.admin).get(f"/calls/{pk}/").content.decode()
    assert f'href="/lost/{scene.annas.pk}/"' in text
