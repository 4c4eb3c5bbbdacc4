"""Who may be told what a company pays: the account answers, so that a supervisor is let in only where it says so."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from billing.models import Account
from tenants.people.models import Role, User
from tenants.people.roles import Verb, can


def sees_money(user: User | AnonymousUser, company_slug: str) -> bool:
    """Whether the person may be told this company's amounts. A company without papers of its own lets nobody but
    its admins in. The database is asked for a supervisor alone: menus ask on every page."""
    if not can(user, Verb.SEE_MONEY):
        return False
    if isinstance(user, User) and user.role == Role.ADMIN:
        return True
    account = Account.objects.filter(company__schema_name=company_slug).select_related("company").first()
    return account is not None and can(user, Verb.SEE_MONEY, account)
