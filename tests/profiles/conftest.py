"""Two companies with the same people, and a second supervisor in each who heads the other group."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from monitoring.models import Profile, Supervisor
from monitoring.services import profiles
from monitoring.services.profiles import View
from tenants.models import Company
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff

TILES = ("waiting", "service_level")


class House(NamedTuple):
    """One company: ``other`` heads Support, ``staff.supervisor`` Sales; ``mine`` is the latter's own profile."""

    slug: str
    staff: Staff
    other: User
    mine: Profile

    def person(self, role: str) -> User:
        return {
            "admin": self.staff.admin,
            "maker": self.staff.supervisor,
            "other": self.other,
            "manager": self.manager,
        }[role]

    @property
    def manager(self) -> User:
        assert self.staff.anna.user is not None, "the factory gives every manager a sign-in"
        return self.staff.anna.user


def make_house(slug: str) -> House:
    staff = make_staff(slug)
    with company_scope(slug):
        other = User.objects.create_user(f"other@{slug}.example", "pw", name="Вторая", role=Role.SUPERVISOR)
        Supervisor.objects.create(user=other).groups.add(staff.support)
        view = View(
            title=f"Продажи {slug}",
            groups=[staff.sales],
            queues=[staff.queue],
            tiles=TILES,
            columns=("offered",),
        )
        mine = profiles.make(actor=fresh(staff.supervisor), view=view)
    return House(slug, staff, other, mine)


def fresh(user: User) -> User:
    """The row as a request reads it: told which company it is of."""
    return User.objects.get(pk=user.pk)


@pytest.fixture
def house(alpha: Company) -> House:
    return make_house("alpha")


@pytest.fixture
def beta_house(beta: Company) -> House:
    return make_house("beta")
