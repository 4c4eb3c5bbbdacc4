"""Two companies' people for monitoring's tests: the same names on both sides, so that a mix-up shows."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection

from monitoring.models import Group, Manager, Queue, Supervisor
from tenants.models import Company, Pbx
from tenants.people.models import Role, User
from tenants.scope import company_scope


class Staff(NamedTuple):
    """One company's rows: two groups with a manager each, a supervisor of the first, an admin."""

    pbx: Pbx
    sales: Group
    support: Group
    anna: Manager
    boris: Manager
    supervisor: User
    admin: User
    queue: Queue


def make_staff(slug: str) -> Staff:
    """Call it outside every scope; the rows are made inside the company's."""
    pbx, _ = Pbx.objects.get_or_create(name=f"АТС {slug}", defaults={"host": "127.0.0.1", "username": "x"})
    pbx.companies.add(Company.objects.get(schema_name=slug))
    with company_scope(slug):
        sales, support = Group.objects.create(title="Продажи"), Group.objects.create(title="Поддержка")
        anna, boris = make_manager(pbx, "101", "Анна", sales), make_manager(pbx, "102", "Борис", support)
        supervisor = User.objects.create_user(
            f"head@{slug}.example", "pw", name="Глава", role=Role.SUPERVISOR
        )
        Supervisor.objects.create(user=supervisor).groups.add(sales)
        admin = User.objects.create_user(f"admin@{slug}.example", "pw", name="Админ", role=Role.ADMIN)
        queue = Queue.objects.create(
            name="sales", title="Продажи", extension="801", pbx=pbx, pbx_name=f"{slug}_sales"
        )
        queue.groups.add(sales)
    return Staff(pbx, sales, support, anna, boris, supervisor, admin, queue)


def make_manager(pbx: Pbx, extension: str, name: str, *groups: Group) -> Manager:
    """In the open scope."""
    slug = str(connection.schema_name)
    user = User.objects.create_user(f"m{extension}@{slug}.example", "pw", name=name, role=Role.MANAGER)
    manager = Manager.objects.create(
        user=user,
        title=name,
        extension=extension,
        pbx=pbx,
        pbx_name=f"{slug}_{extension}",
        interfaces=[f"PJSIP/{slug}_{extension}"],
    )
    manager.groups.set(groups)
    return manager
