"""Whose money it is and whether this person may see it, asked at the beginning of every page."""

from __future__ import annotations

from django.http import HttpRequest

from billing.models import Account
from billing.selectors.held import account_of
from tenants.asker import company_of
from tenants.models import Company
from tenants.people.roles import Verb, demand


def payer(request: HttpRequest, verb: Verb = Verb.SEE_MONEY) -> tuple[Company, Account]:
    """The host's company and its account. Raises roles.Refused (403), written down."""
    company = Company.objects.get(schema_name=company_of(request).slug)
    account = account_of(company)
    # With the account: without an object every supervisor would be let in.
    demand(request, verb, account)
    return company, account
