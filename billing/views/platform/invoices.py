"""The list of invoices: narrowed down, summed up, issued by the hundred, taken along as a table or into 1С."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from billing.models import InvoiceState, Seller
from billing.selectors import invoices as selector
from billing.selectors.balance import ISSUED, OwedInvoice
from billing.selectors.invoices import InvoicesAsked, Sums
from billing.services import batches
from billing.services.acts import record, who_is
from billing.services.errors import BillingError, NotThere
from billing.services.exchange_1c import commerce_ml
from billing.services.sheets import invoices_xlsx
from billing.views.platform.clock import today
from billing.views.platform.download import xlsx
from tenants.models import Company
from tenants.people.roles import Verb, requires

PAGE = 50
MOST_EXPORTED = 20_000
STATES = (
    *InvoiceState.choices,
    ("issued", gettext_lazy("issued, paid or not")),
    ("unpaid", gettext_lazy("to be paid")),
    ("overdue", gettext_lazy("overdue")),
)


@require_safe
@requires(Verb.SEE_BILLING)
def listing(request: HttpRequest) -> HttpResponse:
    asked = _asked(request.GET)
    rows = selector.invoices(asked)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    sums = selector.sums(rows)
    context = {
        "asked": asked,
        "page": page,
        "rows": [(row, _overdue(row, asked.today)) for row in page.object_list],
        "sums": sums,
        "shown": _shown(sums),
        "states": STATES,
        "months": selector.months(),
        "companies": Company.objects.order_by("name").values_list("pk", "name"),
        "sellers": Seller.objects.values_list("pk", "legal_name"),
        "query": _query(request.GET),
    }
    return render(request, "billing/platform/invoices.html", context)


@require_POST
@requires(Verb.EDIT_BILLING)
def issue(request: HttpRequest) -> HttpResponse:
    """All drafts of the list as it was shown: if it came to something else meanwhile, nothing is issued."""
    rows = selector.invoices(_asked(request.POST))
    sums = selector.sums(rows)
    query = _query(request.POST)
    back = redirect("billing_admin:invoices")
    back["Location"] += f"?{query}" if query else ""
    if request.POST.get("shown") != _shown(sums):
        messages.error(request, _("The list has changed meanwhile: look at the count and the sum again."))
        return back
    try:
        act = batches.request(who=who_is(request.user), invoices=selector.drafts(rows))
    except BillingError as error:
        messages.error(request, str(error.message))
        return back
    return redirect("billing_admin:invoice_batch", act.pk)


@require_safe
@requires(Verb.SEE_BILLING)
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; asked by htmx, only the part that moves."""
    try:
        progress = batches.progress(pk, now=timezone.now())
    except NotThere as error:
        raise Http404(str(error.message)) from error
    moves = bool(request.headers.get("HX-Request"))
    page = "billing/platform/invoice_batch_progress.html" if moves else "billing/platform/invoice_batch.html"
    return render(request, page, {"progress": progress, "act": progress.act})


@require_POST
@requires(Verb.EDIT_BILLING)
def batch_again(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        batches.start(pk)
    except NotThere as error:
        raise Http404(str(error.message)) from error
    except BillingError as error:
        messages.error(request, str(error.message))
    return redirect("billing_admin:invoice_batch", pk)


@require_safe
@requires(Verb.SEE_BILLING)
def export_xlsx(request: HttpRequest) -> HttpResponse:
    rows = selector.invoices(_asked(request.GET)).select_related("company__account")
    content = invoices_xlsx(rows[:MOST_EXPORTED].iterator(), zone=settings.PLATFORM_TIME_ZONE)
    record(
        who=who_is(request.user), verb="invoice.export", what="XLSX", details={"asked": _query(request.GET)}
    )
    return xlsx("invoices", content, on=today())


@require_safe
@requires(Verb.SEE_BILLING)
def export_1c(request: HttpRequest) -> HttpResponse:
    """What of the list is issued; a file too large to be read in one go is refused rather than cut."""
    rows = selector.invoices(_asked(request.GET)).filter(state__in=ISSUED)
    if rows.count() > MOST_EXPORTED:
        messages.error(request, _("Too many invoices for one file: choose a month."))
        return redirect("billing_admin:invoices")
    now = timezone.now().astimezone(ZoneInfo(settings.PLATFORM_TIME_ZONE))
    content = commerce_ml(rows.prefetch_related("lines"), made_at=now)
    record(who=who_is(request.user), verb="invoice.export", what="1С", details={"asked": _query(request.GET)})
    answer = HttpResponse(content, content_type="application/xml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="invoices-1c-{today().isoformat()}.xml"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _shown(sums: Sums) -> str:
    """What the person sees before pressing the button."""
    return f"{sums.drafts}:{sums.drafts_total:.2f}"


def _overdue(row: OwedInvoice, day: date) -> bool:
    return (
        row.state == InvoiceState.FINALISED and row.due_on is not None and row.due_on < day and row.owed > 0
    )


def _asked(sent: QueryDict) -> InvoicesAsked:
    state = sent.get("state", "")
    return InvoicesAsked(
        today=today(),
        state=state if state in selector.STATES else "",
        month=_month(sent.get("month", "")),
        company=_number(sent.get("company", "")),
        seller=_number(sent.get("seller", "")),
        text="".join(sign for sign in sent.get("q", "").strip() if sign.isprintable())[:80],
    )


def _query(sent: QueryDict) -> str:
    """The filter as an address has it, without what is not of it."""
    kept = QueryDict(mutable=True)
    for name in ("state", "month", "company", "seller", "q"):
        if sent.get(name):
            kept[name] = str(sent[name])
    return kept.urlencode()


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _month(text: str) -> date | None:
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2999 else None
