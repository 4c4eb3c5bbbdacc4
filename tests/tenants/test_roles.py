"""Every verb, every role, two companies: what the table says is what happens, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import RequestFactory

from tenants.people.models import Refusal, Role, User
from tenants.people.roles import RIGHTS, Reach, Refused, Verb, can, demand, requires
from tenants.scope import company_scope, public_scope
from tests.factories.people import person

pytestmark = pytest.mark.django_db

COMPANY_ROLES = [Role.ADMIN, Role.SUPERVISOR, Role.MANAGER]


@dataclass(frozen=True)
class Thing:
    """Something of a company, with the people it belongs to."""

    owner: int = 0
    head: int = 0

    def is_own_of(self, user: User) -> bool:
        return user.pk == self.owner

    def is_headed_by(self, user: User) -> bool:
        return user.pk == self.head


@pytest.mark.parametrize("verb", list(Verb))
@pytest.mark.parametrize("role", COMPANY_ROLES)
def test_a_right_reaches_as_far_as_the_table_says(role: Role, verb: Verb) -> None:
    reach = RIGHTS[verb].get(role)
    with company_scope("alpha"):
        user = person(role)
        own, headed, strange = Thing(owner=user.pk), Thing(head=user.pk), Thing()
        assert can(user, verb) == (reach is not None)
        assert can(user, verb, strange) == (reach is Reach.EVERYTHING)
        assert can(user, verb, headed) == (reach in (Reach.EVERYTHING, Reach.HEADED))
        assert can(user, verb, own) == (reach is not None)


@pytest.mark.parametrize("verb", list(Verb))
@pytest.mark.parametrize("role", COMPANY_ROLES)
def test_a_person_of_alpha_may_do_nothing_in_beta_even_with_the_same_number(role: Role, verb: Verb) -> None:
    with company_scope("alpha"):
        stranger = person(role)
    with company_scope("beta"):
        native = person(role)
        User.objects.filter(pk=native.pk).update(id=stranger.pk)
        thing = Thing(owner=stranger.pk, head=stranger.pk)
        assert not can(stranger, verb)
        assert not can(stranger, verb, thing)
    with public_scope():
        assert not can(stranger, verb)


@pytest.mark.parametrize("verb", list(Verb))
def test_staff_has_its_rights_on_public_and_none_in_a_company(verb: Verb) -> None:
    staff = person(Role.STAFF)
    assert can(staff, verb) == (Role.STAFF in RIGHTS[verb])
    with company_scope("alpha"):
        assert not can(staff, verb)


@pytest.mark.parametrize("verb", list(Verb))
def test_a_disabled_person_and_a_visitor_may_do_nothing(verb: Verb) -> None:
    with company_scope("alpha"):
        admin = person(Role.ADMIN)
        admin.is_active = False
        assert not can(admin, verb)
        assert not can(AnonymousUser(), verb)


def test_an_object_that_says_nothing_of_itself_is_in_nobodys_reach_but_the_admins() -> None:
    with company_scope("alpha"):
        assert can(person(Role.ADMIN), Verb.SET_STATUS, object())
        assert not can(person(Role.SUPERVISOR), Verb.SET_STATUS, object())
        assert not can(person(Role.MANAGER), Verb.SET_STATUS, object())


def test_an_unknown_verb_is_a_mistake_and_not_a_no() -> None:
    with company_scope("alpha"), pytest.raises(ValueError, match="fly"):
        can(person(Role.ADMIN), "fly")


def test_every_verb_has_somebody_who_may() -> None:
    assert set(RIGHTS) == set(Verb)
    assert all(RIGHTS.values())


def test_a_refusal_is_written_down_in_the_company_where_it_happened(rf: RequestFactory) -> None:
    calls: list[str] = []

    @requires(Verb.EDIT_PEOPLE)
    def view(request: object) -> HttpResponse:
        calls.append("called")
        return HttpResponse()

    request = rf.get("/manage/people/" + "x" * 300)
    with company_scope("alpha"):
        request.user = person(Role.MANAGER, name="Пётр")
        with pytest.raises(Refused):
            view(request)
        with pytest.raises(Refused):
            demand(request, Verb.LISTEN, "<script>\r\n\u202e" + "y" * 10_000)
        refused = list(Refusal.objects.order_by("pk"))
        assert [(row.who, row.verb) for row in refused] == [("Пётр", "people.edit"), ("Пётр", "call.listen")]
        assert refused[1].target.startswith("<script>\N{REPLACEMENT CHARACTER}")
        assert len(refused[1].target) == 160
    assert calls == []
    with company_scope("beta"):
        assert not Refusal.objects.exists()
    assert not Refusal.objects.exists()


def test_a_view_whose_right_is_there_is_called(rf: RequestFactory) -> None:
    @requires(Verb.EDIT_PEOPLE)
    def view(request: object, number: int) -> HttpResponse:
        return HttpResponse(str(number))

    request = rf.get("/")
    with company_scope("alpha"):
        request.user = person(Role.ADMIN)
        assert view(request, number=7).content == b"7"
        assert not Refusal.objects.exists()


@pytest.mark.parametrize(("role", "company"), [(Role.STAFF, "alpha"), (Role.ADMIN, None)])
def test_staff_lives_on_public_and_a_companys_people_in_it(role: Role, company: str | None) -> None:
    with company_scope(company) if company else public_scope():
        with pytest.raises(ValueError, match="does not live"):
            person(role)
        assert not User.objects.exists()
