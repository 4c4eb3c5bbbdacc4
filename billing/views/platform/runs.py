"""Billing runs: the list with the button, and one run to watch, to look through, to stop or to do again."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from billing.models import BillingRun
from billing.selectors import runs as selector
from billing.selectors.subscriptions import in_month
from billing.services import batches, runs
from billing.services.acts import who_is
from billing.services.errors import BillingError
from billing.views.platform.clock import month_before, today
from tenants.people.roles import Verb, requires

PAGE = 50
LISTED = 25
WORDS: dict[str, str | Promise] = {
    "failed": gettext_lazy("failed"),
    "approval": gettext_lazy("a price is to be agreed"),
    "made": gettext_lazy("draft made"),
    "recalculated": gettext_lazy("draft recalculated"),
    "unchanged": gettext_lazy("unchanged"),
    "final": gettext_lazy("issued already"),
    "nothing": gettext_lazy("nothing to bill"),
    "waiting": gettext_lazy("waiting"),
}


@require_safe
@requires(Verb.SEE_BILLING)
def listing(request: HttpRequest) -> HttpResponse:
    page = Paginator(BillingRun.objects.all(), LISTED).get_page(request.GET.get("page"))
    told = selector.told(list(page.object_list))
    month = _month(request.GET.get("month", "")) or month_before(today())
    context = {
        "page": page,
        "rows": [(run, told.get(run.pk, {})) for run in page.object_list],
        "month": month,
        "months": _months(),
        "subscriptions": len(in_month(month)),
        "was_dry": BillingRun.objects.filter(period_start=month, dry=True).exists(),
    }
    return render(request, "billing/platform/runs.html", context)


@require_POST
@requires(Verb.EDIT_BILLING)
def start(request: HttpRequest) -> HttpResponse:
    """A dry run unless the other button was pressed."""
    month = _month(request.POST.get("month", ""))
    if month is None:
        messages.error(request, _("Choose a month."))
        return redirect("billing_admin:runs")
    dry = request.POST.get("kind") != "real"
    try:
        run = runs.start(who=who_is(request.user), month=month, dry=dry, now=timezone.now())
    except BillingError as error:
        messages.error(request, str(error.message))
        return redirect("billing_admin:runs")
    return redirect("billing_admin:run", run.pk)


@require_safe
@requires(Verb.SEE_BILLING)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of one run; asked by htmx, only the part that moves."""
    run = get_object_or_404(BillingRun, pk=pk)
    outcome = request.GET.get("outcome", "")
    text = request.GET.get("q", "")[:80]
    progress = selector.progress(run)
    context: dict[str, Any] = {
        "run": run,
        "progress": progress,
        "outcomes": [(name, WORDS[name], count) for name, count in progress.by_outcome.items()],
        "outcome": outcome if outcome in selector.OUTCOMES else "",
        "text": text,
    }
    if request.headers.get("HX-Request") and "progress" in request.GET:
        answer = render(request, "billing/platform/run_progress.html", context)
        if not progress.moving:
            answer["HX-Refresh"] = "true"  # what came out is on the page itself
        return answer
    rows = selector.items(run, context["outcome"], text=text)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context |= {
        "page": page,
        "rows": [
            (item, WORDS.get(selected(item), selected(item)), selected(item)) for item in page.object_list
        ],
        "query": query.urlencode(),
    }
    return render(request, "billing/platform/run.html", context)


@require_POST
@requires(Verb.EDIT_BILLING)
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(BillingRun, pk=pk)
    try:
        runs.stop(who=who_is(request.user), run=run)
    except BillingError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("Stopped. What is made stays; “Go on” does the rest."))
    return redirect("billing_admin:run", pk)


@require_POST
@requires(Verb.EDIT_BILLING)
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Do what failed or was left, once more."""
    run = get_object_or_404(BillingRun, pk=pk)
    try:
        runs.again(who=who_is(request.user), run=run)
    except BillingError as error:
        messages.error(request, str(error.message))
    return redirect("billing_admin:run", pk)


@require_POST
@requires(Verb.EDIT_BILLING)
def issue(request: HttpRequest, pk: int) -> HttpResponse:
    """Issue every draft of the run that is ready; a worker does it, its page shows how far it is."""
    run = get_object_or_404(BillingRun, pk=pk)
    ready = [item.invoice_id for item in selector.ready(run) if item.invoice_id]
    try:
        act = batches.request(who=who_is(request.user), invoices=ready)
    except BillingError as error:
        messages.error(request, str(error.message))
        return redirect("billing_admin:run", pk)
    return redirect("billing_admin:invoice_batch", act.pk)


def selected(item: Any) -> str:
    """The outcome one reads: what failed or waits has none of its own."""
    return str(item.outcome) if item.state == "done" else str(item.state)


def _month(text: str) -> date | None:
    try:
        found = date.fromisoformat(f"{text}-01") if len(text) == 7 else date.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(day=1) if 2000 <= found.year <= 2999 else None


def _months() -> list[tuple[str, str]]:
    """The months one may bill: that of today is not over and can only be tried, dry."""
    found = [today().replace(day=1)]
    for _number in range(12):
        found.append(month_before(found[-1]))
    return [(f"{month:%Y-%m}", date_format(month, "F Y")) for month in found]
