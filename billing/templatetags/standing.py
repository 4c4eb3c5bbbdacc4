"""The band that tells a company's people how the company stands, on every page; nothing while all is paid."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context

from billing.selectors.sight import sees_money
from billing.selectors.standing import State, standing

register = template.Library()


@register.inclusion_tag("components/standing.html", takes_context=True)
def standing_band(context: Context) -> dict[str, Any]:
    """Those who may see money are told the sum from the first day overdue; the others only that a door is closed."""
    request = context.get("request")
    company = getattr(request, "company", None)
    user = getattr(request, "user", None)
    if company is None or user is None or not user.is_authenticated:
        return {"standing": None}
    found = standing(company.slug)
    if found.invoice is None:
        return {"standing": None}
    tells = sees_money(user, company.slug)
    if found.state == State.ACTIVE and not tells:
        return {"standing": None}
    return {"standing": found, "sees_money": tells}
