"""Removing one customer's data: a number, what there is of it, the number once more, then progress."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from monitoring.models.phones import customer_of, shown
from monitoring.models.retention import Erasure, Progress
from monitoring.selectors.policy import policy
from monitoring.services import erasure as service
from monitoring.services.errors import ServiceError
from monitoring.views.manage.sections import SECTIONS
from tenants.people.models import User
from tenants.people.roles import Verb, demand

SHOWN = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest) -> HttpResponse:
    """``number`` typed any way shows what there is; ``again``, the same number, begins. Never in the address."""
    demand(request, Verb.DELETE_CUSTOMER)
    context: dict[str, Any] = {
        "rows": _rows(),
        "typed": "",
        "sections": SECTIONS.values(),
        "section": {"slug": "policy"},
    }
    if request.method == "POST":
        if not isinstance(request.user, User):
            raise Http404  # nobody comes here without having signed in
        region = policy().region
        typed = request.POST.get("number", "")[:40]
        customer, again = customer_of(typed, region), request.POST.get("again")
        try:
            if again is not None and customer_of(again[:40], region) == customer:
                service.ask(actor=request.user, customer=customer)
                return redirect("monitoring:erase")
            found = service.preview(actor=request.user, customer=customer)
            context |= {"found": found, "number": shown(customer, region), "typed": typed}
            if again is not None:
                context["error"] = _("The numbers differ. Nothing was removed.")
        except ServiceError as refusal:
            context |= {"error": str(refusal.message), "typed": typed}
    return render(request, "monitoring/policy/erase.html", context)


@never_cache
@require_safe
def erase_rows(request: HttpRequest) -> HttpResponse:
    demand(request, Verb.DELETE_CUSTOMER)
    return render(request, "monitoring/policy/erase_rows.html", {"rows": _rows()})


def _rows() -> list[dict[str, Any]]:
    return [
        {"erasure": row, "open": row.state in (Progress.WAITING, Progress.RUNNING), "code": row.digest[:8]}
        for row in Erasure.objects.all()[:SHOWN]
    ]
