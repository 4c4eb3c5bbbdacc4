"""The portal's rows as a plan of the PBX they describe: what managed provisioning will do for good.

One Asterisk serves the companies its row names; everything about a company is read in that company's own
scope.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable
from typing import cast

from django.conf import settings

from ccenter.lab.plan import (
    AmiAccount,
    CompanyPlan,
    IvrPlan,
    LinePlan,
    ManagerPlan,
    PbxPlan,
    QueuePlan,
    Strategy,
)
from monitoring.models import Line, Manager, Queue
from monitoring.selectors.policy import policy
from tenants.models import Company, Pbx
from tenants.scope import company_scope

MENU = "main"
NO_LIMIT = 3600  # seconds a caller may wait where the portal sets no limit: nobody waits longer


def plan_of(
    pbx: Pbx, *, accounts: Iterable[AmiAccount], phones_port: int, registering: Collection[str] = ()
) -> PbxPlan:
    """``pbx`` as its companies' rows describe it. Call it outside every scope. Raises PlanError.

    ``phones_port``: UDP port on loopback of the phones that do not register; ``registering``: names on the
    PBX (``acme_101``) of those that do.
    """
    companies = list(pbx.companies.filter(active=True).order_by("schema_name"))
    return PbxPlan(
        companies=tuple(_company(company, pbx, phones_port, registering) for company in companies),
        accounts=tuple(accounts),
    )


def phone_secret(pbx_name: str) -> str:
    """A phone's SIP password: derived, so that the lab needs to keep none."""
    return hmac.new(settings.SECRET_KEY.encode(), f"phone {pbx_name}".encode(), hashlib.sha256).hexdigest()[
        :32
    ]


def _company(company: Company, pbx: Pbx, phones_port: int, registering: Collection[str]) -> CompanyPlan:
    with company_scope(company.slug):
        managers = list(Manager.objects.live().filter(pbx=pbx).order_by("extension"))
        queues = list(
            Queue.objects.live()
            .filter(pbx=pbx)
            .order_by("extension")
            .prefetch_related("extra_members", "groups")
        )
        lines = list(
            Line.objects.live().filter(pbx=pbx).select_related("queue", "manager").order_by("number")
        )
        members = {queue.pk: _member_names(queue) for queue in queues}
        records = policy().record_calls
    names = {queue.name for queue in queues}
    return CompanyPlan(
        slug=company.slug,
        title=company.name,
        records=records,
        managers=tuple(
            ManagerPlan(
                name=_name(manager),
                title=manager.title,
                extension=manager.extension,
                secret=phone_secret(manager.pbx_name),
                contact=""
                if manager.pbx_name in registering
                else f"sip:{manager.pbx_name}@127.0.0.1:{phones_port}",
            )
            for manager in managers
        ),
        queues=tuple(
            QueuePlan(
                name=queue.name,
                title=queue.title,
                extension=queue.extension,
                members=members[queue.pk],
                strategy=cast(Strategy, queue.strategy),
                ring_timeout=queue.ring_for,
                max_wait=queue.max_wait or NO_LIMIT,
                exit_key=queue.exit_key,
                via_local=queue.via_local,
                wrap_up=queue.wrap_up,
            )
            for queue in queues
        ),
        lines=tuple(_line(line) for line in lines if _leads_somewhere(line, names)),
        ivrs=tuple(_menus(lines, queues)),
    )


def _name(manager: Manager) -> str:
    """The part of the name on the PBX behind the company's prefix."""
    return str(manager.pbx_name).partition("_")[2]


def _member_names(queue: Queue) -> tuple[str, ...]:
    return tuple(sorted(_name(manager) for manager in queue.members()))


def _leads_somewhere(line: Line, queues: Collection[str]) -> bool:
    """A number whose queue or manager is archived rings nowhere; the PBX says so to the caller."""
    if line.manager is not None:
        return line.manager.archived_at is None
    return line.queue is not None and line.queue.name in queues


def _line(line: Line) -> LinePlan:
    number = line.number.lstrip("+")
    if line.manager is not None:
        return LinePlan(number, line.title, _name(line.manager), "manager")
    assert line.queue is not None, "_leads_somewhere was asked first"
    return (
        LinePlan(number, line.title, MENU, "ivr")
        if line.menu
        else LinePlan(number, line.title, line.queue.name)
    )


def _menus(lines: Iterable[Line], queues: Iterable[Queue]) -> Iterable[IvrPlan]:
    """One menu a company: keys 1–9 lead to its queues in the order of their numbers."""
    with_menu = next((line for line in lines if line.menu and line.queue is not None), None)
    if with_menu is not None and with_menu.queue is not None:
        keys = tuple((str(key), queue.name) for key, queue in enumerate(list(queues)[:9], start=1))
        yield IvrPlan(MENU, keys, otherwise=with_menu.queue.name)
