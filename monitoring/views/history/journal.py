"""The journal's page: filters in the address, a page of calls, how many there are, what was saved by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring.models.calls import Call
from monitoring.selectors import journal
from monitoring.selectors.journal import Page, Place, Reach, TooSlow
from monitoring.selectors.journal_question import PARAMETERS, BadFilter, Wanted, parse
from monitoring.selectors.journal_rows import Row, choices, is_in_reach, rows
from monitoring.services.saved_filters import seen_by
from monitoring.views.history import words
from tenants.asker import person, zone_of
from tenants.people.roles import Verb, can, demand


@never_cache
@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    demand(request, Verb.SEE_HISTORY)
    reach = journal.reach_of(person(request))
    part = request.headers.get("HX-Target") == "journal"
    template = "monitoring/history/journal_rows.html" if part else "monitoring/history/journal.html"
    try:
        wanted = asked(request, reach)
    except BadFilter as error:
        context = _frame(request, reach) | {
            "problems": error.problems,
            "given": _given(request.GET.dict()),
        }
        # htmx throws away what is no 200, and the person is to read what is wrong.
        return render(request, template, context, status=200 if part else 400)
    context = _frame(request, reach) | {
        "wanted": wanted,
        "given": _given(wanted.given),
        "query": wanted.query,
    }
    try:
        context |= _page(request, wanted, reach)
    except TooSlow:
        context["too_slow"] = True
    return render(request, template, context)


@never_cache
@require_safe
def count(request: HttpRequest) -> HttpResponse:
    """How many calls the filters let through, as a word; never further than ten thousand."""
    demand(request, Verb.SEE_HISTORY)
    reach = journal.reach_of(person(request))
    try:
        many: int | None = journal.count(asked(request, reach), reach)
    except BadFilter:
        return HttpResponse(status=400)
    except TooSlow:
        many = None
    context = {
        "many": many,
        "capped": many is not None and many > journal.MOST_COUNTED,
        "most": journal.MOST_COUNTED,
    }
    return render(request, "monitoring/history/journal_count.html", context)


def asked(request: HttpRequest, reach: Reach) -> Wanted:
    """The address's question. Raises BadFilter; 404 for what is not the asker's to ask about."""
    wanted = parse(request.GET, zone=zone_of(request), now=timezone.now())
    if not is_in_reach(reach, queue=wanted.queue, group=wanted.group, manager=wanted.manager):
        raise Http404
    return wanted


def _given(parameters: Mapping[str, str]) -> dict[str, str]:
    """Every parameter of the form, empty where nothing was said."""
    return {name: parameters.get(name, "")[:80] for name in PARAMETERS}


def _page(request: HttpRequest, wanted: Wanted, reach: Reach) -> dict[str, Any]:
    after, before = Place.read(request.GET.get("after", "")), Place.read(request.GET.get("before", ""))
    page = journal.page(wanted, reach, after=after, before=before)
    shown = [_row(row) for row in rows(page.calls)]
    return {
        "rows": shown,
        "older": str(Place.of(page.calls[-1])) if page.older and page.calls else "",
        "newer": str(Place.of(page.calls[0])) if page.newer and page.calls else "",
        "first_page": after is None and before is None,
        "last_one": None if shown else _last_one(wanted, reach, page),
    }


def _last_one(wanted: Wanted, reach: Reach, page: Page) -> Any:
    """When there is nothing in the period: the newest call there is at all, so that one knows where to look."""
    if wanted.narrowed or page.calls:
        return None
    if reach.groups is None:
        return Call.objects.exclude(disposition="merged").order_by("-started").first()
    return None


def _row(row: Row) -> dict[str, Any]:
    call = row.call
    return {
        "row": row,
        "call": call,
        "outcome": words.outcome(call.disposition),
        "direction": words.direction(call.direction),
        "wait": words.clock(call.wait_seconds) if call.wait_seconds >= 0.5 else "",
        "talk": words.clock(call.talk_seconds) if call.talk_seconds >= 0.5 else "",
        "lost": words.LOST.get(row.lost),
    }


def _frame(request: HttpRequest, reach: Reach) -> dict[str, Any]:
    user = person(request)
    return {
        "choices": choices(reach),
        "directions": words.DIRECTIONS,
        "outcomes": words.OUTCOMES,
        "periods": words.PERIODS,
        "saved": [{"filter": kept, "own": kept.is_own_of(user)} for kept in seen_by(user)],
        "may_share": can(user, Verb.EXPORT_HISTORY),
        "own_only": reach.manager is not None,
        "problems": {},
        "query": "",
    }
