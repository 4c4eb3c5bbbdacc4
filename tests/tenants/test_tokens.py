"""A token opens, for its owner's company and its purpose, what the owner may do, until it is revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from tenants.people import services, tokens
from tenants.people.models import ApiToken, Role, Scope
from tenants.scope import company_scope
from tests.factories.people import person, signed_in

pytestmark = pytest.mark.django_db

FORM = {"name": "Табло", "scopes": ["board"], "days": "30"}


def test_a_token_of_alpha_opens_nothing_in_beta() -> None:
    with company_scope("alpha"):
        user = person(Role.SUPERVISOR)
        _token, text = tokens.issue(user=user, name="Табло", scopes=[Scope.BOARD])
        assert tokens.authenticate(text, Scope.BOARD) == user
    with company_scope("beta"):
        assert tokens.authenticate(text, Scope.BOARD) is None


def test_a_token_serves_its_purpose_only_and_no_longer_than_it_lives() -> None:
    with company_scope("alpha"):
        user = person(Role.SUPERVISOR)
        token, text = tokens.issue(user=user, name="Табло", scopes=[Scope.BOARD], days=1)
        assert tokens.authenticate(text, "calls") is None
        assert tokens.authenticate(text + "x", Scope.BOARD) is None
        assert tokens.authenticate("cc_" + "x" * 10_000, Scope.BOARD) is None
        ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        assert tokens.authenticate(text, Scope.BOARD) is None


def test_a_disabled_persons_tokens_are_dead_and_stay_dead() -> None:
    with company_scope("alpha"):
        user = person(Role.SUPERVISOR)
        _token, text = tokens.issue(user=user, name="Табло", scopes=[Scope.BOARD])
        services.disable(user=user)
        assert tokens.authenticate(text, Scope.BOARD) is None
        services.enable(user=user)
        assert tokens.authenticate(text, Scope.BOARD) is None


def test_the_database_cannot_tell_a_token() -> None:
    with company_scope("alpha"):
        _token, text = tokens.issue(user=person(), name="Табло", scopes=[Scope.BOARD])
        assert text not in str(ApiToken.objects.values().get())


@pytest.mark.parametrize("scopes", [[], ["everything"], ["board", "root"]])
def test_a_token_for_nothing_or_for_what_does_not_exist_is_not_made(scopes: list[str]) -> None:
    with company_scope("alpha"):
        with pytest.raises(ValidationError):
            tokens.issue(user=person(), name="Табло", scopes=scopes)
        assert not ApiToken.objects.exists()


def test_nobody_keeps_a_drawer_full_of_tokens() -> None:
    with company_scope("alpha"):
        user = person()
        for number in range(tokens.LIMIT):
            tokens.issue(user=user, name=str(number), scopes=[Scope.BOARD])
        with pytest.raises(ValidationError):
            tokens.issue(user=user, name="one more", scopes=[Scope.BOARD])
        assert ApiToken.objects.count() == tokens.LIMIT


def test_a_supervisor_makes_a_token_on_the_page_and_sees_it_once() -> None:
    client, user = signed_in("alpha", Role.SUPERVISOR)
    page = client.post("/account/tokens/", FORM)
    text = page.context["text"]
    assert text in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert text not in client.get("/account/tokens/").content.decode()
    with company_scope("alpha"):
        assert tokens.authenticate(text, Scope.BOARD) == user
        token = ApiToken.objects.get()
    assert client.post(f"/account/tokens/{token.pk}/revoke/").status_code == 302
    with company_scope("alpha"):
        assert tokens.authenticate(text, Scope.BOARD) is None


def test_a_manager_makes_none() -> None:
    client, _user = signed_in("alpha", Role.MANAGER)
    assert client.post("/account/tokens/", FORM).status_code == 403
    with company_scope("alpha"):
        assert not ApiToken.objects.exists()


def test_a_wrong_form_makes_none_and_says_why() -> None:
    client, _user = signed_in("alpha", Role.SUPERVISOR)
    answer = client.post("/account/tokens/", {"name": "", "days": "7"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"name", "scopes", "days"}
    with company_scope("alpha"):
        assert not ApiToken.objects.exists()


def test_anothers_token_is_as_if_it_did_not_exist() -> None:
    stranger, _ = signed_in("beta", Role.ADMIN)
    colleague, _ = signed_in("alpha", Role.ADMIN)
    with company_scope("alpha"):
        token, text = tokens.issue(user=person(), name="Табло", scopes=[Scope.BOARD])
    for client in (stranger, colleague):
        assert client.post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    with company_scope("alpha"):
        assert tokens.authenticate(text, Scope.BOARD) is not None
