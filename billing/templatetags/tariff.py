"""What a company's pages about money ask for: whether the menu has them for this person, and months by name."""

from __future__ import annotations

from datetime import date

from django import template
from django.template.context import RequestContext
from django.utils.formats import date_format
from django.utils.translation import get_language

from billing.selectors import sight

register = template.Library()


@register.filter
def month_name(day: date) -> str:
    """«июнь 2026», “June 2026”: within a sentence Russian writes months small."""
    name = date_format(day, "F Y")
    return name if (get_language() or "").startswith("en") else name.lower()


@register.simple_tag(takes_context=True)
def sees_money(context: RequestContext) -> bool:
    """Admins do; a supervisor where the company lets them."""
    record, request = context.get("company"), context.get("request")
    return record is not None and request is not None and sight.sees_money(request.user, record.slug)
