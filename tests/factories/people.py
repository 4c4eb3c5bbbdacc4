"""People of a company, ready to sign in. Call these inside the company's scope."""

from __future__ import annotations

import itertools

from django.test import Client

from tenants.people.models import Role, User
from tenants.scope import company_scope

PASSWORD = "correct-horse-battery"

_numbers = itertools.count(1)


def person(
    role: Role | str = Role.MANAGER, *, email: str = "", name: str = "", password: str = PASSWORD
) -> User:
    """A person of the scope in force (platform staff outside of any)."""
    number = next(_numbers)
    return User.objects.create_user(
        email or f"{role}{number}@people.example", password, role=Role(role), name=name or f"Человек {number}"
    )


def signed_in(company: str, role: Role | str = Role.ADMIN, **details: str) -> tuple[Client, User]:
    """A browser at the company's host in which a new person of that role is signed in, and the person."""
    client = Client(headers={"host": f"{company}.localhost"})
    with company_scope(company):
        user = person(role, **details)
        client.force_login(user, backend="tenants.people.backend.EmailBackend")
    return client, user


def signed_in_staff(**details: str) -> tuple[Client, User]:
    """A browser at the platform's own host with a new member of staff signed in, and the member."""
    client = Client(headers={"host": "localhost"})
    user = person(Role.STAFF, **details)
    client.force_login(user, backend="tenants.people.backend.EmailBackend")
    return client, user
