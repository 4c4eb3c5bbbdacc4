"""Every act about money: newest first, narrowed down by who, company, what and when; taken along as a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from billing.models import Act
from billing.selectors.audit import SIDES, ActsAsked, acts, verbs
from billing.services.tables import Cell, Column, workbook
from billing.views.platform.act_words import said, title_of
from billing.views.platform.clock import today
from billing.views.platform.download import xlsx
from tenants.models import Company
from tenants.people.roles import Verb, requires

PAGE = 100
MOST_EXPORTED = 50_000
COLUMNS = (
    Column(_("When"), "moment", 20),
    Column(_("Who"), width=26),
    Column(_("What"), width=30),
    Column(_("Code"), width=22),
    Column(_("Company"), width=26),
    Column(_("To what"), width=34),
    Column(_("Details"), width=60),
)


@require_safe
@requires(Verb.SEE_BILLING)
def audit(request: HttpRequest) -> HttpResponse:
    asked = _asked(request)
    page = Paginator(acts(asked), PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "asked": asked,
        "page": page,
        "rows": [(act, said(act), _details(act)) for act in page.object_list],
        "verbs": sorted(((verb, title_of(verb)) for verb in verbs()), key=lambda pair: pair[1]),
        "companies": Company.objects.order_by("name").values_list("pk", "name"),
        "query": query.urlencode(),
        "narrowed": asked != ActsAsked(zone=asked.zone),
    }
    return render(request, "billing/platform/audit.html", context)


@require_safe
@requires(Verb.SEE_BILLING)
def export(request: HttpRequest) -> HttpResponse:
    rows: Iterator[list[Cell]] = (
        [act.at, act.who, said(act), act.verb, str(act.company or ""), act.what, _line(act)]
        for act in acts(_asked(request))[:MOST_EXPORTED].iterator()
    )
    return xlsx("acts", workbook(COLUMNS, rows, zone=settings.PLATFORM_TIME_ZONE), on=today())


def _asked(request: HttpRequest) -> ActsAsked:
    get = request.GET
    company = get.get("company", "")
    side = get.get("side", "")
    return ActsAsked(
        who=get.get("who", "")[:80],
        company=int(company) if company.isascii() and company.isdigit() and len(company) < 10 else 0,
        verb=get.get("verb", "")[:40],
        side=side if side in SIDES else "",
        begin=_day(get.get("begin", "")),
        end=_day(get.get("end", "")),
        zone=settings.PLATFORM_TIME_ZONE,
    )


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2999 else None


def _details(act: Act) -> list[tuple[str, str]]:
    """Name and value of what was written down; a change as "before → now"."""
    details = act.details if isinstance(act.details, dict) else {}
    flat = {**details, **changed} if isinstance(changed := details.get("changed"), dict) else details
    return [
        (name, _value(value))
        for name, value in flat.items()
        if name != "changed" and value not in (None, "", [], {})
    ]


def _value(value: object) -> str:
    if isinstance(value, list) and len(value) == 2:
        return f"{_value(value[0]) or '—'} → {_value(value[1]) or '—'}"
    if isinstance(value, bool):
        return "✓" if value else "—"
    return "" if value is None else str(value)


def _line(act: Act) -> str:
    return "; ".join(f"{name}: {value}" for name, value in _details(act))
