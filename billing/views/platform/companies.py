"""All companies as those who pay: the list, its rows' usage on demand, and the same as a table to take along."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from billing.domain.periods import local_day
from billing.models import Plan
from billing.selectors import usage
from billing.selectors.companies import SORTS, STANDINGS, Asked, matching, plans_of
from billing.selectors.standing import State, state_after
from billing.services.tables import Cell, Column, workbook
from billing.views.platform.clock import today
from billing.views.platform.download import xlsx
from tenants.models import Company
from tenants.people.roles import Verb, requires

PAGE = 25
TITLES = {
    "owing": _("owe something"),
    "overdue": _("payment overdue"),
    "read_only": _("read-only"),
    "suspended": _("suspended"),
    "near": _("near a limit this month"),
    "review": _("wait for a decision"),
    "unsubscribed": _("without a plan"),
    "none": _("owe nothing"),
}
COLUMNS = (
    Column(_("Company"), width=30),
    Column(_("Short name"), width=16),
    Column(_("Legal name"), width=34),
    Column(_("INN"), width=14),
    Column(_("Plan"), width=26),
    Column(_("Plan from"), "date", 12),
    Column(_("Balance"), "money", 16),
    Column(_("Overdue since"), "date", 14),
    Column(_("Standing"), width=16),
    Column(_("Last invoice"), width=18),
    Column(_("Its month"), "month", 12),
    Column(_("Its amount"), "money", 16),
)
STATES = {State.ACTIVE: "", State.READ_ONLY: _("read-only"), State.SUSPENDED: _("suspended")}


@dataclass(frozen=True, slots=True)
class Row:
    """``late``: days since the oldest unpaid invoice was due, 0 when none is."""

    company: Any
    plan: Plan | None
    begins: date | None
    late: int
    state: State


@require_safe
@requires(Verb.SEE_BILLING)
def listing(request: HttpRequest) -> HttpResponse:
    day = today()
    asked = _asked(request)
    page = Paginator(matching(asked, today=day), PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    unsorted = query.copy()
    unsorted.pop("sort", None)
    context = {
        "asked": asked,
        "page": page,
        "rows": rows_of(list(page.object_list), day),
        "plans": Plan.objects.all(),
        "standings": [(name, TITLES[name]) for name in TITLES],
        "query": query.urlencode(),
        "unsorted": unsorted.urlencode(),
        "narrowed": bool(asked.text or asked.plan or asked.standing),
    }
    return render(request, "billing/platform/companies.html", context)


@require_safe
@requires(Verb.SEE_BILLING)
def usage_cells(request: HttpRequest, pk: int) -> HttpResponse:
    """Today's usage and the forecast of one company: asked by its row, when it comes into sight."""
    company = get_object_or_404(Company, pk=pk)
    used = usage.usage_today(company)
    day = local_day(timezone.now(), used.part.zone) if used else today()
    context = {"usage": used, "bill": usage.forecast(company, today=day)}
    return render(request, "billing/platform/company_usage_cells.html", context)


@require_safe
@requires(Verb.SEE_BILLING)
def export(request: HttpRequest) -> HttpResponse:
    day = today()
    found = matching(_asked(request), today=day)
    return xlsx("companies", workbook(COLUMNS, (_cells(row) for row in rows_of(list(found), day))), on=day)


def rows_of(companies: list[Any], day: date) -> list[Row]:
    """``companies``: as selectors.companies annotates them."""
    plans = plans_of(companies)
    found = []
    for company in companies:
        late = (day - company.due_since).days if company.due_since else 0
        begins = company.phase_from if company.phase_from and company.phase_from > day else None
        found.append(Row(company, plans.get(company.plan_id), begins, late, state_after(late)))
    return found


def _cells(row: Row) -> list[Cell]:
    company = row.company
    account = getattr(company, "account", None)
    return [
        str(company),
        str(company.schema_name),
        account.legal_name if account else "",
        account.inn if account else "",
        str(row.plan) if row.plan else "",
        company.phase_from,
        company.balance,
        company.due_since,
        str(STATES[row.state]),
        company.last_number or "",
        company.last_month,
        company.last_total,
    ]


def _asked(request: HttpRequest) -> Asked:
    get = request.GET
    plan, standing, sort = get.get("plan", ""), get.get("standing", ""), get.get("sort", "")
    return Asked(
        text=get.get("q", "")[:80],
        plan=int(plan) if plan.isascii() and plan.isdigit() and len(plan) < 10 else 0,
        standing=standing if standing in STANDINGS else "",
        sort=sort if sort in SORTS else "name",
    )
