"""The call card: the route as a picture and as words, clocks apart, people, notes, marks, who listened."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from monitoring.models.calls import Call
from monitoring.models.notes import LONGEST_NOTE, Mark, Note
from monitoring.selectors import journal
from monitoring.selectors.call_card import Card, Part, Stop, card, marks_of, notes_of, timeline
from monitoring.selectors.journal import Place, TooSlow
from monitoring.selectors.journal_question import BadFilter, parse
from monitoring.services import notes as service
from monitoring.services.errors import ServiceError
from monitoring.views.history import words
from monitoring.views.history.route_texts import STEPS, route_texts
from monitoring.views.recordings.player import players_of_call
from tenants.asker import person, zone_of
from tenants.people.roles import Verb, can, demand


@never_cache
@require_safe
def call(request: HttpRequest, pk: int) -> HttpResponse:
    demand(request, Verb.SEE_HISTORY)
    found = _call(request, pk)
    if found.merged_into and (whole := Call.objects.filter(key=found.merged_into).first()) is not None:
        return redirect("monitoring:call", pk=whole.pk)  # the PBX made two of one journey
    made = card(found, journal.reach_of(person(request)))
    context = _shown(made) | _notes(request, found) | _neighbours(request, found)
    context["players"] = players_of_call(person(request), found)
    context["was_lost"] = hasattr(found, "lost")
    context["route"] = {"call": timeline(made), "texts": route_texts(), "zone": zone_of(request)}
    return render(request, "monitoring/history/call.html", context)


@require_POST
def note(request: HttpRequest, pk: int) -> HttpResponse:
    """A new note on the call."""
    demand(request, Verb.WRITE_NOTE)
    found = _call(request, pk)
    return _after(request, found, lambda: service.write(
        author=person(request), call=found, text=request.POST.get("text", ""),
    ))  # fmt: skip


@require_POST
def note_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """``do``: edit (with ``text``) | remove | restore."""
    demand(request, Verb.WRITE_NOTE)
    row = get_object_or_404(Note.objects.select_related("call"), pk=pk)
    _call(request, row.call_id)
    author = person(request)
    match request.POST.get("do"):
        case "edit":
            return _after(request, row.call, lambda: service.edit(
                author=author, note=row, text=request.POST.get("text", ""),
            ))  # fmt: skip
        case "remove":
            return _after(request, row.call, lambda: service.take_back(author=author, note=row))
        case "restore":
            return _after(request, row.call, lambda: service.put_back(author=author, note=row))
    return HttpResponse(_("There is no such action."), status=400)


@require_POST
def mark(request: HttpRequest, pk: int, mark: int) -> HttpResponse:
    """``on``: 1 gives the call the mark, anything else takes it off."""
    demand(request, Verb.WRITE_NOTE)
    found, row = _call(request, pk), get_object_or_404(Mark, pk=mark)
    on = request.POST.get("on") == "1"
    return _after(
        request, found, lambda: service.set_mark(actor=person(request), call=found, mark=row, on=on),
        part="monitoring/history/marks.html",
    )  # fmt: skip


def _after(
    request: HttpRequest, found: Call, do: Any, part: str = "monitoring/history/notes.html"
) -> HttpResponse:
    problem = None
    try:
        do()
    except ServiceError as error:
        problem = str(error.message)
    if not request.headers.get("HX-Request"):
        return redirect("monitoring:call", pk=found.pk)
    answer = render(request, part, _notes(request, found) | {"problem": problem})
    if problem:
        answer["HX-Trigger"] = json.dumps({"toast": {"text": problem, "tone": "warn"}})
    return answer


def _call(request: HttpRequest, pk: int) -> Call:
    """404 for a call of nobody this person may see, as if it were not there."""
    found = get_object_or_404(Call, pk=pk)
    if not can(request.user, Verb.SEE_HISTORY, found):
        raise Http404
    return found


def _notes(request: HttpRequest, found: Call) -> dict[str, Any]:
    user = person(request)
    return {
        "call": found,
        "notes": [
            {"note": row, "own": row.author_id == user.pk}
            for row in notes_of(found)
            if row.removed is None or row.author_id == user.pk
        ],
        "marks": marks_of(found),
        "may_write": can(user, Verb.WRITE_NOTE, found),
        "longest_note": LONGEST_NOTE,
    }


def _neighbours(request: HttpRequest, found: Call) -> dict[str, Any]:
    """The calls before and after this one in the journal one came from."""
    user = person(request)
    try:
        wanted = parse(request.GET, zone=zone_of(request), now=timezone.now())
        reach, place = journal.reach_of(user), Place.of(found)
        older = journal.page(wanted, reach, after=place, size=1).calls
        newer = journal.page(wanted, reach, before=place, size=1).calls
    except (BadFilter, TooSlow):
        return {"query": ""}
    return {"query": wanted.query, "older": older[0] if older else None, "newer": newer[0] if newer else None}


def _shown(made: Card) -> dict[str, Any]:
    call, clocks = made.call, made.clocks
    apart = [
        ("menu", _("Voice menu"), clocks.ivr),
        ("waiting", _("Waited"), clocks.wait),
        ("ringing", _("Phones rang"), clocks.ring),
        ("talking", _("Talked"), clocks.talk),
        ("held", _("On hold"), clocks.hold),
        ("status", _("Wrap-up"), clocks.wrap_up),
    ]
    whole = (call.ended - call.started).total_seconds() if call.ended else None
    return {
        "row": made.row,
        "outcome": words.outcome(call.disposition),
        "direction": words.direction(call.direction),
        "whole": words.clock(whole) if whole is not None else "",
        "clocks": [{"icon": icon, "title": title, "time": words.clock(s), "none": s < 0.5} for icon, title, s in apart],
        "parts": [
            {
                "name": part.name,
                "leg": part.leg,
                "outcome": words.part(part.leg),
                "ring": _time(part.ring),
                "talk": _time(part.leg.talk_seconds),
                "hold": _time(part.leg.hold_seconds),
                "wrap_up": _time(part.leg.wrap_up_seconds),
            }
            for part in sorted(made.parts, key=lambda part: part.leg.talk_seconds == 0)
            if not _only_rang(part)
        ],
        "rang": list(dict.fromkeys(part.name for part in made.parts if _only_rang(part))),
        "visits": [
            {"visit": visit, "wait": words.clock(visit.wait), "sign": words.visit(visit)}
            for visit in made.visits
        ],
        "stops": [
            {"stop": stop, "names": names, "word": STEPS.get(stop.kind, stop.kind), "note": words.stop_note(stop),
             "time": _time(stop.seconds or 0.0)}
            for stop, names in _told(made.stops)
        ],
        "hung_up": _("Hung up by the customer") if call.hung_up_by == "customer" else (
            _("Hung up by %(who)s") % {"who": made.hung_up_by} if made.hung_up_by else ""
        ),
        "others": [
            {"row": other, "outcome": words.outcome(other.call.disposition),
             "direction": words.direction(other.call.direction), "talk": _time(other.call.talk_seconds)}
            for other in made.others
        ],
        "listened": [{"entry": entry, "word": words.heard(entry)} for entry in made.listened],
        "gaps": made.gaps,
    }  # fmt: skip


def _only_rang(part: Part) -> bool:
    return bool(part.leg.outcome == "cancelled" and part.leg.answered is None)


def _told(stops: list[Stop]) -> list[tuple[Stop, list[str]]]:
    """Stops with the names they are told by: phones that rang at once and were called off are one stop."""
    told: list[tuple[Stop, list[str]]] = []
    for stop in stops:
        off = stop.kind == "ring" and stop.note == "cancelled"
        if off and told and (told[-1][0].kind, told[-1][0].note) == ("ring", "cancelled"):
            told[-1][1].append(stop.what)
        else:
            told.append((stop, [stop.what] if stop.what else []))
    return told


def _time(seconds: float) -> str:
    return words.clock(seconds) if seconds >= 0.5 else ""
