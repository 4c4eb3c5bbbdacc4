"""Quality review: the list, one review with its player, what a supervisor and the reviewed person do in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from monitoring.domain import scoring
from monitoring.models.calls import Call
from monitoring.models.people import Group, Manager
from monitoring.models.phones import shown
from monitoring.models.reviews import Review, ReviewState
from monitoring.selectors import board_rights
from monitoring.selectors.reviews import (
    averages,
    averages_of_groups,
    midnight,
    sections_of,
    seen_by,
    talkers,
    usable_cards,
)
from monitoring.services import reviews
from monitoring.services.errors import ServiceError
from monitoring.views.recordings.player import person, players_of
from tenants.people.models import Role
from tenants.people.roles import Verb, can, demand
from tenants.people.services import record_refusal

PAGE = 50
DAYS = 30
TONES = {"draft": "away", "given": "good", "appealed": "warn", "answered": "talking"}


@never_cache
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Newest first; filters: manager, state, from, to (the company's days; by when it was begun)."""
    demand(request, Verb.SEE_REVIEW)
    user = person(request)
    zone = str(timezone.get_current_timezone())
    last = _day(request.GET.get("to")) or timezone.localdate()
    first = _day(request.GET.get("from")) or last - timedelta(days=DAYS - 1)
    rows = seen_by(user).filter(
        begun_at__gte=midnight(first, zone), begun_at__lt=midnight(last + timedelta(days=1), zone)
    )
    managers = _managers(request)
    manager = request.GET.get("manager", "")
    if manager.isascii() and manager.isdigit() and len(manager) < 10:
        rows = rows.filter(manager=int(manager))
    state = request.GET.get("state", "")
    if state in ReviewState.values:
        rows = rows.filter(state=state)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [
            (row, TONES[row.state], shown(row.call.customer) or row.call.number) for row in page.object_list
        ],
        "managers": managers,
        "chosen": {"manager": manager, "state": state, "from": first.isoformat(), "to": last.isoformat()},
        "states": ReviewState.choices,
        "means": _means(request, first, last, zone),
        "own": user.role == Role.MANAGER,
    }
    return render(request, "monitoring/recordings/reviews.html", context)


@require_POST
def begin(request: HttpRequest, pk: int) -> HttpResponse:
    """Of the call ``pk``: POST manager, and scorecard when there are several."""
    demand(request, Verb.REVIEW)
    call = Call.objects.filter(pk=pk, merged_into="").first()
    if call is None or not can(request.user, Verb.REVIEW, call):
        if call is not None:
            record_refusal(request=request, verb=Verb.REVIEW, target=call)
        raise Http404
    manager = next((m for m in talkers(call) if str(m.pk) == request.POST.get("manager")), None)
    cards = usable_cards()
    version = next((v for v in cards if str(v.pk) == request.POST.get("card")), cards[0] if cards else None)
    if manager is None:
        raise Http404
    if version is None:
        messages.error(request, _("There is no scorecard yet. Your admin makes one under “Set up”."))
        return redirect("monitoring:reviews")
    try:
        made = reviews.begin(actor=person(request), call=call, manager=manager, version=version)
    except ServiceError as refusal:
        messages.error(request, str(refusal.message))
        return redirect("monitoring:reviews")
    return redirect("monitoring:review", pk=made.pk)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The review; POST keeps a draft (``give``: and gives it). htmx asks for the total alone."""
    row = _review(request, pk)
    user = person(request)
    error = ""
    if request.method == "POST":
        try:
            reviews.answer(
                actor=user, review=row, answers=_answers(request), summary=request.POST.get("summary", "")
            )
            row.refresh_from_db()
            if "give" in request.POST:
                reviews.give(actor=user, review=row)
                messages.success(
                    request, _("The review is given: %(who)s sees it now.") % {"who": row.manager.title}
                )
                return redirect("monitoring:review", pk=pk)
        except ServiceError as refusal:
            error = str(refusal.message)
        if request.headers.get("HX-Request") == "true":
            return render(request, "monitoring/recordings/review_total.html", _context(request, row, error))
        if not error:
            return redirect("monitoring:review", pk=pk)
    reviews.seen(user=user, review=row)
    context = _context(request, row, error)
    return render(request, "monitoring/recordings/review.html", context, status=422 if error else 200)


@require_POST
def remark(request: HttpRequest, pk: int) -> HttpResponse:
    return _done(
        request, pk, lambda row: reviews.remark(
            actor=person(request), review=row, second=request.POST.get("second", ""), text=request.POST.get("text", "")
        ),
    )  # fmt: skip


@require_POST
def take_back(request: HttpRequest, pk: int, remark_id: int) -> HttpResponse:
    return _done(
        request, pk, lambda row: reviews.take_back(actor=person(request), review=row, remark_id=remark_id)
    )


@require_POST
def appeal(request: HttpRequest, pk: int) -> HttpResponse:
    text = request.POST.get("text", "")
    return _done(request, pk, lambda row: reviews.appeal(actor=person(request), review=row, text=text))


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """POST reason; ``change``: with the answers of the form, otherwise the review stands."""
    answers = _answers(request) if "change" in request.POST else None
    reason = request.POST.get("reason", "")
    return _done(
        request, pk,
        lambda row: reviews.decide(actor=person(request), review=row, reason=reason, answers=answers),
    )  # fmt: skip


@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    row = _review(request, pk)
    try:
        reviews.discard(actor=person(request), review=row)
        messages.success(request, _("The draft is thrown away."))
    except ServiceError as refusal:
        messages.error(request, str(refusal.message))
    return redirect("monitoring:reviews")


def _done(request: HttpRequest, pk: int, act: Callable[[Review], object]) -> HttpResponse:
    row = _review(request, pk)
    try:
        act(row)
    except ServiceError as refusal:
        messages.error(request, str(refusal.message))
    return redirect("monitoring:review", pk=pk)


def _review(request: HttpRequest, pk: int) -> Review:
    demand(request, Verb.SEE_REVIEW)
    row = seen_by(person(request)).select_related("recording", "author").filter(pk=pk).first()
    if row is None:
        stranger = Review.objects.filter(pk=pk).first()
        if stranger is not None:
            record_refusal(request=request, verb=Verb.SEE_REVIEW, target=stranger)
        raise Http404
    return row


def _context(request: HttpRequest, row: Review, error: str) -> dict[str, Any]:
    user = person(request)
    may_hear = row.recording is not None and can(user, Verb.HEAR, row.recording)
    editing = row.state == ReviewState.DRAFT and can(user, Verb.REVIEW, row)
    deciding = row.state == ReviewState.APPEALED and can(user, Verb.REVIEW, row)
    sections = sections_of(row.version)
    score = scoring.score(sections, row.answers)
    return {
        "review": row,
        "tone": TONES[row.state],
        "number": shown(row.call.customer) or row.call.number,
        "sections": [
            {"title": s.title, "questions": [_question(q, row.answers.get(q.id)) for q in s.questions]}
            for s in sections
        ],
        "left": score.open,
        "players": players_of([row.recording], row.call) if may_hear and row.recording is not None else [],
        "remarks": list(row.comments.all()),
        "error": error,
        "editing": editing,
        "deciding": deciding,
        "may_appeal": row.state == ReviewState.GIVEN and can(user, Verb.APPEAL, row),
    }  # fmt: skip


def _question(question: scoring.Question, answer: object) -> dict[str, Any]:
    """``choices``: value, label, chosen; ``said``: the answer in words."""
    if question.kind == "yes_no":
        choices = [("1", _("Yes")), ("0", _("No"))]
    else:
        choices = [(str(n), str(n)) for n in range(question.best + 1)]
    choices.append((scoring.NOT_APPLICABLE, _("n/a")))
    chosen = "" if answer is None else str(answer)
    return {
        "id": question.id,
        "text": question.text,
        "weight": question.weight,
        "critical": question.critical,
        "choices": [(value, label, value == chosen) for value, label in choices],
        "said": dict(choices).get(chosen, "—"),
        "bad": question.critical and chosen == "0",
    }


def _answers(request: HttpRequest) -> dict[str, object]:
    return {key[2:]: value for key, value in request.POST.items() if key.startswith("q:")}


def _managers(request: HttpRequest) -> list[Manager]:
    rights = board_rights(person(request))
    if rights is None:
        return list(Manager.objects.live())
    return list(Manager.objects.live().filter(groups__in=rights).distinct())


def _means(request: HttpRequest, first: date, last: date, zone: str) -> dict[str, Any]:
    """Averages of the days: by manager and by group for who heads them, a manager's own for themselves."""
    user = person(request)
    if user.role == Role.MANAGER:
        own = getattr(user, "manager", None)
        all_of = averages(first, last, zone)
        return {"own": all_of.get(own.pk) if own is not None else None, "people": [], "groups": []}
    rights = board_rights(user)
    people = averages(first, last, zone, rights)
    groups = averages_of_groups(first, last, zone, rights)
    titles = dict(Manager.objects.filter(pk__in=people).values_list("pk", "title"))
    names = dict(Group.objects.filter(pk__in=groups).values_list("pk", "title"))
    rows = [(titles[pk], mean, count) for pk, (mean, count) in people.items() if pk in titles]
    return {
        "own": None,
        "people": sorted(rows, key=lambda row: row[1]),
        "groups": sorted((names[pk], mean, n) for pk, (mean, n) in groups.items() if pk in names),
    }


def _day(text: str | None) -> date | None:
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None
