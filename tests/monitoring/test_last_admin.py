"""A company is never left without an admin, also when two admins remove each other in the same moment."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from monitoring.services import people
from monitoring.services.directory import StillNeeded
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tests.factories.people import person


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_archive_each_other_at_once_leave_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with company_scope("alpha"):
        User.objects.filter(role=Role.ADMIN).update(is_active=False)
        anna, boris = person(Role.ADMIN), person(Role.ADMIN)
    # Both have been allowed before either begins to write.
    both, allowed = threading.Barrier(2), people.check

    def check(**asked: object) -> None:
        allowed(**asked)  # type: ignore[arg-type] # handed on as it came
        both.wait(5)

    monkeypatch.setattr(people, "check", check)
    refused: list[str] = []

    def remove(actor: User, other: User) -> None:
        try:
            with company_scope("alpha"):
                people.archive(actor=actor, user=other)
        except StillNeeded as why:
            refused.append(str(why))
        finally:
            connection.close()

    pairs = [(anna, boris), (boris, anna)]
    threads = [threading.Thread(target=remove, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with company_scope("alpha"):
        assert User.objects.filter(role=Role.ADMIN, is_active=True).count() == 1
    assert len(refused) == 1
