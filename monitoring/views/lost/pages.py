"""The list of lost calls, freshened quietly while it is open, and one case with everything one can do to it."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from monitoring.models.lost import LostCall, LostState, Reason
from monitoring.models.people import Manager
from monitoring.models.text import visible
from monitoring.selectors import lost as selector
from monitoring.selectors.policy import policy
from monitoring.services import lost as service
from monitoring.services.errors import NotThere, ServiceError
from monitoring.views.lost.words import row_of
from tenants.people.models import Role, User
from tenants.people.roles import Verb, can, demand

PAGE = 50


@never_cache
@require_safe
def lost(request: HttpRequest) -> HttpResponse:
    """``show``: one of selectors.lost.SHOWS; a manager begins with own ones. ``part``: list | figures."""
    demand(request, Verb.SEE_HISTORY)
    user, now, rules = _person(request), timezone.now(), policy()
    show = request.GET.get("show", "")
    if show not in selector.SHOWS:
        show = "mine" if user.role == Role.MANAGER else "open"
    part = request.GET.get("part")
    context: dict[str, Any] = {"show": show, "within": rules.callback_within}
    if part != "list":
        midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        context |= {"today": selector.today(user, since=midnight), "tabs": _tabs(user, show)}
    if part != "figures":
        page = Paginator(selector.listed(user, show=show, now=now), PAGE).get_page(request.GET.get("page"))
        rows = list(page.object_list)
        tried = selector.attempts(rows)
        context |= {
            "page": page,
            "rows": [row_of(row, now=now, region=rules.region, tried=tried.get(row.pk, 0)) for row in rows],
            **_may(user),
        }
    template = {"list": "monitoring/lost/rows.html", "figures": "monitoring/lost/figures.html"}
    return render(request, template.get(part or "", "monitoring/lost/page.html"), context)


@never_cache
@require_safe
def lost_one(request: HttpRequest, pk: int) -> HttpResponse:
    demand(request, Verb.SEE_HISTORY)
    row = selector.first_of(_row(request, pk))
    return render(request, "monitoring/lost/one.html", _case(request, row))


@require_POST
def lost_act(request: HttpRequest, pk: int) -> HttpResponse:
    """``do``: take | give (``owner``, empty = nobody) | close (``reason``, ``note``) | reopen | note."""
    demand(request, Verb.CLOSE_LOST)
    row, user = _row(request, pk), _person(request)
    error = ""
    try:
        said = _do(request, user, row)
    except ServiceError as refusal:
        error, said = str(refusal.message), ""
    if request.headers.get("HX-Request") != "true":
        return redirect(reverse("monitoring:lost"))
    fresh = LostCall.objects.select_related("call", "queue", "owner", "closed_by", "closing_call").get(pk=pk)
    now, rules = timezone.now(), policy()
    tried = selector.attempts([fresh]).get(pk, 0)
    context = {
        "row": row_of(fresh, now=now, region=rules.region, tried=tried), "error": error, "said": said,
        "undo": request.POST.get("do") == "close" and not error, "show": request.POST.get("show", ""), **_may(user),
    }  # fmt: skip
    return render(request, "monitoring/lost/row.html", context)


def _do(request: HttpRequest, user: User, row: LostCall) -> str:
    """What was asked; the word that says it is done. Raises ServiceError."""
    match request.POST.get("do"):
        case "take":
            mine = Manager.objects.live().filter(user=user).first()
            if mine is None:
                raise NotThere(_("You have no phone here: give it to somebody who has."))
            service.give(actor=user, lost=row, owner=mine)
            return _("It is yours.")
        case "give":
            chosen = request.POST.get("owner", "")
            owner = None
            if chosen:
                known = selector.candidates(row)
                owner = get_object_or_404(
                    known, pk=int(chosen) if chosen.isdecimal() and len(chosen) < 10 else 0
                )
            service.give(actor=user, lost=row, owner=owner)
            return _("Given to %(who)s.") % {"who": owner.title} if owner else _("Nobody has it now.")
        case "close":
            if request.POST.get("reason") not in Reason.values:
                raise NotThere(_("Choose why no call is needed."))
            note = visible(request.POST.get("note", ""), 200)
            service.close(actor=user, lost=row, reason=Reason(request.POST["reason"]), note=note)
            return _("Closed.")
        case "reopen":
            service.reopen(actor=user, lost=row)
            return _("It is to be called back again.")
        case "note":
            service.write_note(actor=user, lost=row, note=visible(request.POST.get("note", ""), 200))
            return _("Saved.")
    raise Http404


def _case(request: HttpRequest, row: LostCall) -> dict[str, Any]:
    now, rules, user = timezone.now(), policy(), _person(request)
    tried = selector.attempts([row]).get(row.pk, 0)
    return {
        "row": row_of(row, now=now, region=rules.region, tried=tried),
        "calls": [row_of(each, now=now, region=rules.region) for each in selector.tries_of(row)],
        "people": list(selector.candidates(row)),
        "closed_by_hand": row.state == LostState.CLOSED,
        **_may(user),
    }


def _may(user: User) -> dict[str, Any]:
    return {
        "reasons": Reason.choices,
        "may_close": can(user, Verb.CLOSE_LOST),
        "own": Manager.objects.live().filter(user=user).values_list("pk", flat=True).first(),
    }


def _tabs(user: User, show: str) -> list[dict[str, Any]]:
    many = selector.how_many(user, now=timezone.now())
    titles = {
        "open": _("To call back"), "mine": _("Mine"), "nobodys": _("Nobody's"), "overdue": _("Overdue"),
        "closed": _("Closed"), "not_needed": _("No call needed"),
    }  # fmt: skip
    return [
        {"key": key, "title": titles[key], "many": many.get(key), "here": key == show}
        for key in selector.SHOWS
    ]


def _row(request: HttpRequest, pk: int) -> LostCall:
    return get_object_or_404(selector.reach(_person(request)).select_related("call", "queue", "owner"), pk=pk)


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404  # nobody comes here without having signed in
    return request.user
