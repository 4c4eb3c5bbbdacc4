"""What a company's pages about money ask for: whether the menu has them for this person, and months by name."""

from __future__ import annotations

from datetime import date

from django import template
from django.template.context import RequestContext
from django.utils.formats import date_format
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from billing.selectors.held import account_of
from tenants.models import Company
from tenants.people.models import Role, User
from tenants.people.roles import Verb, can

register = template.Library()


@register.filter
def month_name(day: date) -> str:
    """«июнь 2026», “June 2026”: within a sentence Russian writes months small."""
    name = date_format(day, "F Y")
    return name if (get_language() or "").startswith("en") else name.lower()


@register.simple_tag(takes_context=True)
def sees_money(context: RequestContext) -> bool:
    """Admins do; a supervisor where the company lets them. Asks the database for a supervisor alone."""
    record = context.get("company")
    user = context.get("user")
    if isinstance(user, SimpleLazyObject):
        user = context.request.user
    if record is None or user is None or not can(user, Verb.SEE_MONEY):
        return False
    if isinstance(user, User) and user.role == Role.ADMIN:
        return True
    company = Company.objects.filter(schema_name=record.slug).first()
    return company is not None and can(user, Verb.SEE_MONEY, account_of(company))
