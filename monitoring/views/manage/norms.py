"""The page of norms: the company's, a group's, a queue's or a monitoring profile's, one scope at a time.

A profile's norms are reached from the profile too, by whoever may change it.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from monitoring.models.norms import NormScope
from monitoring.models.people import Group
from monitoring.models.profiles import Profile
from monitoring.models.queues import Queue
from monitoring.selectors.norms import graded, norm_book
from monitoring.services import norms as service
from monitoring.services.errors import NotThere
from monitoring.views.manage.norm_form import NormsForm, row
from monitoring.views.manage.sections import SECTIONS
from tenants.people.models import User
from tenants.people.roles import Verb, demand

Option = tuple[str, str]
OF = {NormScope.GROUP: Group, NormScope.QUEUE: Queue, NormScope.PROFILE: Profile}


@require_http_methods(["GET", "HEAD", "POST"])
def norms(request: HttpRequest) -> HttpResponse:
    """``?of=queue:3`` chooses whose; without it the company's."""
    demand(request, Verb.EDIT_NORMS)
    scope, number, title = _asked(request.GET.get("of", ""))
    address = reverse("monitoring:manage_norms")
    again = address if scope == NormScope.COMPANY else f"{address}?of={scope.value}:{number}"
    frame = {
        "options": _options(),
        "chosen": f"{scope.value}:{number}" if number else "",
        "sections": SECTIONS.values(),
        "section": {"slug": "norms"},
        "whose": title,
    }
    return page(request, scope, number, again, "monitoring/manage/norms.html", frame)


def page(
    request: HttpRequest, scope: NormScope, number: int, again: str, template: str, frame: dict[str, Any]
) -> HttpResponse:
    """Show and store the norms of one scope; rights are the caller's and, again, the service's."""
    if not isinstance(request.user, User):
        raise Http404  # nobody comes here without having signed in
    book = norm_book()
    posted = request.POST if request.method == "POST" else None
    back = posted.get("back", "") if posted is not None else ""
    form = NormsForm(None if back else posted, book=book, scope=scope, number=number)
    if posted is not None and (back in form.own or (not back and form.is_valid())):
        try:
            service.save(
                actor=request.user,
                norms={back: None} if back else form.limits(),
                scope=scope,
                number=number,
            )
        except NotThere as error:
            raise Http404 from error
        messages.success(request, _("Saved. Open panels take the norms over when they are reloaded."))
        return redirect(again)
    titles = _titles()
    rows = [row(form, metric, titles) for metric in graded()]
    context = {
        "form": form,
        "metrics": [entry for entry in rows if entry["common"]],
        "others": [entry for entry in rows if not entry["common"]],
        "top": scope == NormScope.COMPANY,
        **frame,
    }
    return render(request, template, context, status=422 if form.errors else 200)


def _asked(text: str) -> tuple[NormScope, int, str]:
    """Raises Http404 for what is not there."""
    if not text:
        return NormScope.COMPANY, 0, ""
    kind, _colon, digits = text.partition(":")
    if kind not in (NormScope.GROUP, NormScope.QUEUE, NormScope.PROFILE) or not digits.isdecimal():
        raise Http404
    scope = NormScope(kind)
    found = OF[scope].objects.live().filter(pk=int(digits[:15])).first()
    if found is None:
        raise Http404
    return scope, found.pk, found.title


def _options() -> list[tuple[str, list[Option]]]:
    """Everything that may have norms of its own, by kind."""
    heads = {
        NormScope.GROUP: _("Groups"), NormScope.QUEUE: _("Queues"), NormScope.PROFILE: _("Monitoring profiles"),
    }  # fmt: skip
    return [
        (str(heads[scope]), [(f"{scope.value}:{found.pk}", found.title) for found in kind.objects.live()])
        for scope, kind in OF.items()
    ]


def _titles() -> dict[tuple[str, str], str]:
    """By which words the table says where a limit came from."""
    named = {
        (scope.value, str(pk)): title
        for scope, kind in OF.items()
        for pk, title in kind.objects.live().values_list("pk", "title")
    }
    return named | {("company", ""): _("the company's"), ("usual", ""): _("usual")}
