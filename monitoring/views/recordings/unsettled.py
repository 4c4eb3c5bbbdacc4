"""Recordings somebody has to look at: of no call, not playable, or gone from the storage."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from monitoring.models.phones import shown
from monitoring.models.recordings import Recording, State
from monitoring.models.text import visible
from monitoring.selectors.recordings import candidates
from monitoring.selectors.recordings import unsettled as rows_unsettled
from monitoring.services import recordings
from monitoring.services.errors import NotThere, ServiceError
from monitoring.views.manage.sections import SECTIONS
from monitoring.views.recordings.player import clock, person
from tenants.people.roles import Verb, demand

PAGE = 25


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    demand(request, Verb.EDIT_POLICY)
    found = Paginator(rows_unsettled(), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": found,
        "rows": [_row(recording) for recording in found.object_list],
        "sections": SECTIONS.values(),
        "section": {"slug": "recordings"},
    }
    return render(request, "monitoring/recordings/unsettled.html", context)


@require_POST
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    demand(request, Verb.EDIT_POLICY)
    recording = _unsettled(pk)
    chosen = request.POST.get("call", "")
    try:
        if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 19):
            raise NotThere(_("Choose the call this recording is of."))
        recordings.attach(actor=person(request), recording=recording, call_id=int(chosen))
        messages.success(request, _("The recording belongs to its call now."))
    except ServiceError as refusal:
        messages.error(request, str(refusal.message))
    return redirect("monitoring:recordings_unsettled")


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    demand(request, Verb.EDIT_POLICY)
    try:
        recordings.delete_unsettled(actor=person(request), recording=_unsettled(pk))
        messages.success(request, _("The recording is deleted."))
    except ServiceError as refusal:
        messages.error(request, str(refusal.message))
    return redirect("monitoring:recordings_unsettled")


def _unsettled(pk: int) -> Recording:
    recording = rows_unsettled().filter(pk=pk).first()
    if recording is None:
        raise Http404
    return recording


def _row(recording: Recording) -> dict[str, Any]:
    orphan = recording.state == State.ORPHAN
    calls = candidates(recording) if orphan else ()
    return {
        "recording": recording,
        "source": visible(recording.source, 120),
        "time": clock(recording.seconds),
        "reason": recordings.REASONS.get(recording.reason, ""),
        "choices": [
            {"pk": call.pk, "number": shown(call.customer) or call.number, "call": call} for call in calls
        ],
    }
