"""The scope is the one door to a company's rows, and it stays shut when nobody says whose."""

from __future__ import annotations

import pytest
from django.db import connection

from tenants.models import Company
from tenants.people.models import User
from tenants.scope import (
    AnotherCompany,
    NoCompany,
    UnknownCompany,
    company_scope,
    current_company,
    current_company_or_none,
    in_company,
    public_scope,
)

pytestmark = pytest.mark.django_db


def test_a_person_of_alpha_is_unknown_in_beta_and_on_public(alpha: Company, beta: Company) -> None:
    with company_scope("alpha"):
        User.objects.create_user("anna@alpha.example", role="manager")
        assert User.objects.count() == 1
    with company_scope("beta"):
        assert not User.objects.exists()
    assert not User.objects.exists()


def test_public_is_no_company(alpha: Company) -> None:
    with pytest.raises(NoCompany), company_scope("public"):
        pass
    with pytest.raises(NoCompany):
        current_company()
    assert current_company_or_none() is None


@pytest.mark.parametrize(
    "name", ["nobody", "", "Alpha", 'alpha"; DROP SCHEMA beta', "alpha,beta", "pg_catalog"]
)
def test_a_name_that_is_no_company_opens_nothing(alpha: Company, name: str) -> None:
    with pytest.raises(UnknownCompany), company_scope(name):
        pass
    assert connection.schema_name == "public"


def test_another_companys_scope_is_refused_inside_one(alpha: Company, beta: Company) -> None:
    with company_scope("alpha"):
        with pytest.raises(AnotherCompany), company_scope("beta"):
            pass
        assert current_company() == "alpha"


def test_the_same_scope_may_be_entered_twice_and_public_looked_at_from_within(alpha: Company) -> None:
    with company_scope("alpha"), company_scope("alpha"):
        with public_scope():
            assert current_company_or_none() is None
        assert current_company() == "alpha"
    assert current_company_or_none() is None


def test_an_error_inside_closes_the_scope(alpha: Company) -> None:
    with pytest.raises(ZeroDivisionError), company_scope("alpha"):
        1 / 0  # noqa: B018 - the error is the point
    assert current_company_or_none() is None


def test_a_decorated_function_takes_its_company_first(alpha: Company, beta: Company) -> None:
    @in_company
    def whose(suffix: str) -> str:
        return current_company() + suffix

    assert [whose("alpha", "!"), whose("beta", "?")] == ["alpha!", "beta?"]
