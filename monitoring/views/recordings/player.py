"""Hearing a recording: the page, the short-lived link to its sound, what was heard, taking it along.

Whose it is not to hear learns not even that there is one; that somebody tried is written down.
"""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from monitoring.models.calls import Call
from monitoring.models.phones import shown
from monitoring.models.recordings import Recording, State
from monitoring.selectors.recordings import recordings_of
from monitoring.selectors.reviews import offers, usable_cards
from monitoring.sending import send, sound_of
from monitoring.services import recordings
from monitoring.views.recordings.marks import marks_of
from tenants.people.models import User
from tenants.people.roles import Verb, can, demand
from tenants.people.services import record_refusal

MOST_TOLD = 64 * 1024


@never_cache
@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    recording = allowed(request, pk)
    call = recording.call
    players = players_of([recording], call)
    context = {
        "recording": recording,
        "call": call,
        "number": (shown(call.customer) or call.number) if call else "",
        "players": players,
        "others": [other for other in recordings_of(person(request), call) if other.pk != pk] if call else [],
        "reason": recordings.REASONS.get(recording.reason, ""),
        "offers": offers(person(request), call) if call else [],
        "cards": usable_cards(),
    }
    return render(request, "monitoring/recordings/recording.html", context)


@never_cache
@require_POST
def link(request: HttpRequest, pk: int) -> JsonResponse:
    """Where the sound is for the next minutes, in this session."""
    recording = allowed(request, pk)
    if not recording.is_playable:
        raise Http404
    word = recordings.link(user=person(request), recording=recording, session=_session(request))
    _pk, listening = recordings.opened(word=word, user=person(request), session=_session(request))
    return JsonResponse({"sound": reverse("monitoring:recording_sound", args=[word]), "listening": listening})


@require_safe
def sound(request: HttpRequest, word: str) -> HttpResponseBase:
    """The bytes. A right that ended a minute ago has ended here too."""
    try:
        pk, listening = recordings.opened(word=word, user=person(request), session=_session(request))
    except recordings.BadLink:
        raise Http404 from None
    recording = allowed(request, pk)
    if not recording.is_playable:
        raise Http404
    answer = _sent(request, recording)
    if request.method == "GET":
        recordings.listening_began(user=person(request), recording=recording, listening=listening)
    return answer


@require_POST
def heard(request: HttpRequest, pk: int) -> HttpResponse:
    """From where to where the player has played: {"listening": …, "spans": [[from, to], …]} in seconds."""
    recording = allowed(request, pk)
    try:
        told = json.loads(request.body[:MOST_TOLD])
        listening, spans = str(told["listening"])[:64], [list(span) for span in told["spans"]]
    except (ValueError, KeyError, TypeError):
        return HttpResponse(status=400)
    known = recordings.heard(user=person(request), recording=recording, listening=listening, spans=spans)
    return HttpResponse(status=204 if known else 404)


@require_POST
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A POST: no prefetching browser and no foreign page takes a recording along."""
    recording = allowed(request, pk)
    answer = _sent(request, recording, save_as=_name(recording))
    recordings.downloaded(user=person(request), recording=recording)
    return answer


def players_of(rows: list[Recording], call: Call | None) -> list[dict[str, Any]]:
    """What templates/monitoring/recordings/of_call.html shows: one player a recording, the route's marks on it."""
    marks = marks_of(rows, call) if call is not None else {}
    return [
        {
            "pk": row.pk,
            "row": row,
            "marks": marks.get(row.pk, []),
            "time": clock(row.seconds),
            "reason": recordings.REASONS.get(row.reason, ""),
            "config": {
                "seconds": row.seconds,
                "peaks": row.peaks,
                "marks": marks.get(row.pk, []),
                "link": reverse("monitoring:recording_link", args=[row.pk]),
                "heard": reverse("monitoring:recording_heard", args=[row.pk]),
                "texts": _texts(),
            },
        }
        for row in rows
    ]


def players_of_call(user: User, call: Call) -> list[dict[str, Any]]:
    """For the call's card: players of what ``user`` may hear of it; none when there is nothing or no right."""
    return players_of(recordings_of(user, call), call) if can(user, Verb.HEAR) else []


def allowed(request: HttpRequest, pk: int) -> Recording:
    """Raises Http404 unless the person may hear it, Refused (403) for those who hear nothing at all."""
    demand(request, Verb.HEAR)
    recording = Recording.objects.exclude(state=State.STORING).select_related("call").filter(pk=pk).first()
    if recording is None:
        raise Http404
    if not can(request.user, Verb.HEAR, recording):
        record_refusal(request=request, verb=Verb.HEAR, target=recording)
        raise Http404
    return recording


def person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404  # nobody comes here without having signed in
    return request.user


def clock(seconds: float) -> str:
    whole = int(seconds)
    hours = f"{whole // 3600}:" if whole >= 3600 else ""
    minutes = whole // 60 % 60
    return f"{hours}{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _sent(request: HttpRequest, recording: Recording, *, save_as: str = "") -> HttpResponseBase:
    try:
        return send(request, sound_of(recording), save_as=save_as)
    except FileNotFoundError:
        raise Http404 from None


def _name(recording: Recording) -> str:
    at = timezone.localtime(recording.started)
    who = "".join(c for c in (recording.call.customer if recording.call else "") if c.isdigit())
    return f"{at:%Y-%m-%d_%H-%M-%S}_{who or recording.pk}{'.mp3' if recording.is_playable else '.bin'}"


def _session(request: HttpRequest) -> str:
    return request.session.session_key or ""


def _texts() -> dict[str, str]:
    return {
        "play": _("Play"),
        "pause": _("Pause playing"),
        "position": _("{at} of {all}"),
        "gone": _(
            "The recording cannot be played now. Try again in a minute; if it stays so, tell your admin."
        ),
        "refused": _("You may not hear this recording any more, or you were signed out. Reload the page."),
        "loading": _("Loading…"),
    }
