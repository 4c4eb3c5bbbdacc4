"""Refusals are written down for people to read: no one who tries on and on, and no year, may bury them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.utils import timezone

from tenants.people import services
from tenants.people.models import Refusal, Role, User
from tenants.people.roles import Verb
from tenants.scope import company_scope, public_scope
from tenants.tasks import for_every_company, forget_platform_refusals
from tests.factories.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("alpha", "beta")]


def refuse(user: User | AnonymousUser, verb: Verb = Verb.EDIT_PEOPLE, path: str = "/manage/people/") -> None:
    request = RequestFactory().get(path)
    request.user = user
    services.record_refusal(request=request, verb=verb, target=None)


def rows() -> list[tuple[str, str, int]]:
    return list(Refusal.objects.order_by("pk").values_list("verb", "path", "times"))


def test_the_same_within_a_minute_is_one_row_that_counts() -> None:
    with company_scope("alpha"):
        peter, anna = person(Role.MANAGER), person(Role.MANAGER)
        for _ in range(5):
            refuse(peter)
        refuse(peter, Verb.EDIT_LINES)
        refuse(peter, path="/manage/lines/")
        refuse(anna)
        assert rows() == [
            ("people.edit", "/manage/people/", 5),
            ("lines.edit", "/manage/people/", 1),
            ("people.edit", "/manage/lines/", 1),
            ("people.edit", "/manage/people/", 1),
        ]
        Refusal.objects.update(at=timezone.now() - timedelta(seconds=61))
        refuse(peter)
        assert [row[2] for row in rows()] == [5, 1, 1, 1, 1]
    with company_scope("beta"):
        assert rows() == []


def test_made_up_paths_do_not_fill_the_table_and_do_not_hide_another_person() -> None:
    with company_scope("alpha"):
        peter, anna = person(Role.MANAGER), person(Role.MANAGER)
        for number in range(services.MOST_REFUSALS + 20):
            refuse(peter, path=f"/team/{number}/")
        refuse(anna)
        assert Refusal.objects.filter(user=peter).count() == services.MOST_REFUSALS
        assert sum(Refusal.objects.filter(user=peter).values_list("times", flat=True)) == 50
        assert Refusal.objects.filter(user=anna).count() == 1
        for number in range(services.MOST_REFUSALS + 20):
            refuse(AnonymousUser(), path=f"/team/{number}/")
        assert Refusal.objects.filter(user=None).count() == services.MOST_REFUSALS


def test_old_refusals_go_in_each_schema_and_younger_ones_stay() -> None:
    for slug in ("alpha", "beta", None):
        with company_scope(slug) if slug else public_scope():
            for days in (89, 91):
                Refusal.objects.create(verb="x", path=str(days), at=timezone.now() - timedelta(days=days))
    assert for_every_company("tenants.forget_refusals") == ["alpha", "beta"]
    assert [row[1] for row in rows()] == ["89", "91"], "public is not a company's"
    forget_platform_refusals()
    for slug in ("alpha", "beta", None):
        with company_scope(slug) if slug else public_scope():
            assert [row[1] for row in rows()] == ["89"]
