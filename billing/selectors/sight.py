"""Who may be told what a company pays: the account answers, so that a supervisor is let in only where it says so."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from billing.models import Account
from tenants.models import Company
from tenants.people.models import User
from tenants.people.roles import Verb, can


def sees_money(user: User | AnonymousUser, company_slug: str) -> bool:
    """Whether the person may be told this company's amounts. A company without papers of its own lets nobody but
    its admins in."""
    company = Company.objects.filter(schema_name=company_slug).first()
    if company is None:
        return False
    account = Account.objects.filter(company=company).first() or Account(company=company)
    return can(user, Verb.SEE_MONEY, account)
