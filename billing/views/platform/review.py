"""What only a person can decide: open findings by kind, each with what to do next; decided ones below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from billing.models import ReviewItem, ReviewKind
from billing.services import review
from billing.services.acts import who_is
from billing.services.errors import BillingError
from tenants.people.roles import Verb, requires

NOTE = 300
PAGE = 50
MOST_OPEN = 500

ADVICE: dict[str, str | Promise] = {
    ReviewKind.TOO_OLD: gettext_lazy(
        "The month is more than two periods back: nothing is corrected by itself. Compare the calls; give money back "
        "by a credit note on that invoice, or leave it as it is."
    ),
    ReviewKind.FEWER_CALLS: gettext_lazy(
        "Calls that were billed are not there any more, removed by the company's own rules or by hand. The invoice "
        "stands on what was measured then. Ask the company only if it disputes it."
    ),
    ReviewKind.NO_PRICE: gettext_lazy(
        "The month went above the last tier. Agree on a price with the company and enter it on its page; the next "
        "run counts the draft anew."
    ),
    ReviewKind.FAILED: gettext_lazy(
        "The month could not be counted. Look at the reason, mend it, and run the month again: what is there stays."
    ),
    ReviewKind.NO_SUBSCRIPTION: gettext_lazy(
        "The company works here without a plan. Put it on one on its page, or close it."
    ),
    ReviewKind.NO_PAPERS: gettext_lazy(
        "An invoice needs the buyer's legal name and INN. Ask the company to enter its details, then issue it."
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """``facts``: what was found, in words and figures."""

    item: ReviewItem
    facts: list[tuple[str, str]]
    links: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Pile:
    kind: str
    title: str
    advice: str | Promise
    findings: list[Finding]


@require_safe
@requires(Verb.SEE_BILLING)
def listing(request: HttpRequest) -> HttpResponse:
    rows = ReviewItem.objects.select_related("company", "invoice", "subscription")
    waiting = list(rows.filter(settled_at=None).order_by("kind", "-found_at", "-pk")[:MOST_OPEN])
    piles = [
        Pile(kind, str(label), ADVICE.get(kind, ""), [finding(row) for row in waiting if row.kind == kind])
        for kind, label in ReviewKind.choices
    ]
    settled = rows.exclude(settled_at=None).order_by("-settled_at", "-pk")
    context = {
        "piles": [pile for pile in piles if pile.findings],
        "page": Paginator(settled, PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "billing/platform/review.html", context)


@require_POST
@requires(Verb.EDIT_BILLING)
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide one finding, with a note that says how."""
    item = get_object_or_404(ReviewItem, pk=pk)
    note = " ".join(request.POST.get("note", "").split())[:NOTE]
    if not note:
        messages.error(request, _("Say in a few words what was decided: the note is what is left of it."))
    else:
        try:
            review.settle(who=who_is(request.user), item=item, note=note)
        except BillingError as error:
            messages.error(request, str(error.message))
        else:
            messages.success(request, _("Decided and written down."))
    back = request.POST.get("back", "")
    own = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if own and back.startswith("/billing/") else "billing_admin:review")


def finding(item: ReviewItem) -> Finding:
    """One row, with the pages on which it is mended."""
    links = [(_("Company"), reverse("billing_admin:company", args=[item.company_id]))]
    if item.invoice_id:
        links.append((_("Invoice"), reverse("billing_admin:invoice", args=[item.invoice_id])))
    run = item.details.get("run") if isinstance(item.details, dict) else None
    if isinstance(run, int):
        links.append((_("Run"), reverse("billing_admin:run", args=[run])))
    return Finding(item, list(_facts(item)), links)


def _facts(item: ReviewItem) -> list[tuple[str, str]]:
    titles: dict[str, str] = {
        "why": _("reason"), "was": _("before"), "now": _("now"), "amount": _("difference"), "left": _("not given back"),
        "calls": _("calls"), "profiles": _("monitoring profiles"), "payer": _("the payer lacks"),
        "seller": _("the seller lacks"),
    }  # fmt: skip
    details: dict[str, Any] = item.details if isinstance(item.details, dict) else {}
    return [(title, told) for name, title in titles.items() if (told := _told(details.get(name)))]


def _told(value: object) -> str:
    """A figure, a text or several; what is deeper is evidence for programs."""
    reasons = {
        "removed": _("calls were removed before they were counted"),
        "nothing_left": _("there is no invoice left to give it back on"),
        "old": _("calls changed in a month too old to correct"),
        "no_next_invoice": _("no next invoice is left to correct it on"),
        "corrected": _("the corrected month went above the last tier"),
    }
    if isinstance(value, list):
        return ", ".join(str(one) for one in value if isinstance(one, str))
    if isinstance(value, str):
        return reasons.get(value, value)
    return str(value) if isinstance(value, int) else ""
