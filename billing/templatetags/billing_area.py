"""The billing area's own navigation: which of its pages there are, which is shown, and how much waits for a person."""

from __future__ import annotations

from dataclasses import dataclass

from django import template
from django.conf import settings
from django.template.context import RequestContext
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import Payment, PaymentState, ReviewItem

register = template.Library()

PAGES: tuple[tuple[str, str | Promise], ...] = (
    ("companies", _("Companies")),
    ("invoices", _("Invoices")),
    ("payments", _("Payments")),
    ("runs", _("Runs")),
    ("review", _("To be decided")),
    ("plans", _("Plans")),
    ("charts", _("Charts")),
    ("audit", _("Audit")),
    ("settings", _("Settings")),
)


@dataclass(frozen=True, slots=True)
class AreaLink:
    """``waiting``: how many things on that page wait for a person."""

    name: str
    title: str | Promise
    url: str
    current: bool
    waiting: int = 0


@register.simple_tag(takes_context=True)
def billing_pages(context: RequestContext) -> list[AreaLink]:
    """The area's pages that exist, in order. A page is current when it or one beneath it is shown."""
    path = context.request.path
    known = [(name, title, url) for name, title in PAGES if (url := _address(name))]
    # The longest address that begins the path wins: the companies' page is the root of all the others.
    here = max((url for _, _, url in known if path.startswith(url)), key=len, default="")
    if "companies/" in path:
        here = _address("companies")
    waiting = _waiting()
    return [AreaLink(name, title, url, url == here, waiting.get(name, 0)) for name, title, url in known]


@register.simple_tag
def platform_zone() -> str:
    """The clock times are shown by: ``{% platform_zone as zone %}{% timezone zone %}``."""
    return str(settings.PLATFORM_TIME_ZONE)


def _waiting() -> dict[str, int]:
    return {
        "review": ReviewItem.objects.filter(settled_at=None).count(),
        "payments": Payment.objects.filter(state=PaymentState.UNMATCHED).count(),
    }


def _address(name: str) -> str:
    try:
        return reverse(f"billing_admin:{name}")
    except NoReverseMatch:
        return ""
