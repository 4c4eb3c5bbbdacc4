"""Saving what the journal is narrowed to under a name, and forgetting it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from monitoring.selectors.journal_question import BadFilter, parse
from monitoring.services import saved_filters
from monitoring.services.errors import NotThere, ServiceError
from tenants.asker import person, zone_of
from tenants.people.roles import Verb, demand


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    demand(request, Verb.SEE_HISTORY)
    try:
        wanted = parse(
            QueryDict(request.POST.get("query", "")[:2000]), zone=zone_of(request), now=timezone.now()
        )
        kept = saved_filters.keep(
            owner=person(request),
            title=request.POST.get("title", ""),
            query=wanted.query,
            shared=request.POST.get("shared") == "1",
        )
    except BadFilter as error:
        messages.error(request, str(error))
        return redirect("monitoring:calls")
    except ServiceError as error:
        messages.error(request, str(error.message))
        return redirect(f"{reverse('monitoring:calls')}?{wanted.query}")
    messages.success(request, _("Saved: %(what)s") % {"what": kept.title})
    return redirect(f"{reverse('monitoring:calls')}?{kept.query}")


@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    demand(request, Verb.SEE_HISTORY)
    try:
        saved_filters.forget(owner=person(request), pk=pk)
    except NotThere as error:
        raise Http404 from error
    messages.success(request, _("The filter is gone; the calls are where they were."))
    return redirect("monitoring:calls")
