"""Signing in in two steps: the code is asked for, its seed is unreadable in the database, and it works per company."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from cryptography.fernet import Fernet
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from tenants import secrets
from tenants.people.models import Role
from tenants.scope import company_scope
from tests.factories.people import PASSWORD, person

pytestmark = pytest.mark.django_db

ACTIVATE = "/account/2fa/totp/activate/"


def code_of(seed: str) -> str:
    return format_hotp_value(hotp_value(seed, next(yield_hotp_counters_from_time())))


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


@pytest.fixture
def seed(alpha_client: Client) -> str:
    """The seed of a person who has just switched the second step on, and signed out again."""
    with company_scope("alpha"):
        person(Role.ADMIN, email="anna@alpha.example")
    alpha_client.post("/account/login/", {"login": "anna@alpha.example", "password": PASSWORD})
    assert "reauthenticate" in alpha_client.get(ACTIVATE)["Location"], "an unwatched screen is not enough"
    alpha_client.post("/account/reauthenticate/", {"password": PASSWORD})
    page = alpha_client.get(ACTIVATE)
    shown = re.search(r'id="authenticator_secret"[^>]*value="(?P<seed>[A-Z2-7]+)"', page.content.decode())
    assert shown is not None
    assert alpha_client.post(ACTIVATE, {"code": code_of(shown["seed"])}).status_code == 302
    alpha_client.post("/account/logout/")
    with company_scope("alpha"):
        cache.clear()  # a code serves once; the test uses it again within its half minute
    return shown["seed"]


def test_a_password_alone_lets_nobody_in_any_more(alpha_client: Client, seed: str) -> None:
    alpha_client.post("/account/login/", {"login": "anna@alpha.example", "password": PASSWORD})
    assert not is_in(alpha_client)
    assert alpha_client.post("/account/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert not is_in(alpha_client)
    alpha_client.post("/account/2fa/authenticate/", {"code": code_of(seed)})
    assert is_in(alpha_client)


def test_the_seed_is_unreadable_in_the_database_and_outlives_a_change_of_keys(
    seed: str, settings: Any
) -> None:
    new, old = Fernet.generate_key().decode(), settings.FIELD_KEYS[0]
    settings.FIELD_KEYS = [new, old]
    call_command("rotate_field_key", verbosity=0)
    settings.FIELD_KEYS = [new]
    with company_scope("alpha"):
        kept = Authenticator.objects.get(type="totp").data
        assert seed not in str(kept)
        assert secrets.decrypt(kept["secret"]) == seed


def test_the_same_e_mail_in_another_company_is_another_person(beta_client: Client, seed: str) -> None:
    with company_scope("beta"):
        person(Role.ADMIN, email="anna@alpha.example")
    beta_client.post("/account/login/", {"login": "anna@alpha.example", "password": PASSWORD})
    assert is_in(beta_client)
