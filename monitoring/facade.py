"""Monitoring's front door for the rooms above it. It opens the company's scope itself and answers in contracts."""

from __future__ import annotations

from monitoring.contracts import CompanySize
from monitoring.models import Group, Line, Manager, Queue, Supervisor
from tenants.scope import company_scope


def company_size(company: str) -> CompanySize:
    """How much of everything ``company`` uses now. Raises tenants.scope.UnknownCompany."""
    with company_scope(company):
        return CompanySize(
            company=company,
            managers=Manager.objects.live().count(),
            supervisors=Supervisor.objects.filter(user__is_active=True).count(),
            groups=Group.objects.live().count(),
            queues=Queue.objects.live().count(),
            lines=Line.objects.live().count(),
        )
